/**
 * `countersign device`: the devices of one's account; what they may do, and how they go.
 * @module
 */
import { freezeByCode, MemoryStateStore, recoveryProof, thawByCode } from '@countersign/client';
import { eraseLost, type LostPairs } from '@countersign/client/m-auth';
import { nodeNoise, reachHost } from '@countersign/client/node';
import { type Device, type DeviceLog, isFrozen } from '@countersign/core';
import type { Command } from 'commander';
import { rights } from '../arguments.ts';
import { deviceLine, stateOf } from '../device-text.ts';
import { pickDevice } from '../request-ids.ts';
import { type Cli, show, withProfile } from './context.ts';
import { addEnrolCommands } from './enrol.ts';
import { addInviteCommands } from './invite.ts';
import { addKeepValidatorCommand, lostPairsText } from './kept-erasures.ts';
import { DEFAULT_BROKER } from './new-device-options.ts';
import { type CodeOptions, codeOptions, givenCode, placeOf } from './recovery.ts';

export function addDeviceCommands(program: Command, cli: Cli): void {
  const device = program.command('device').description('let devices in, and show them out again');
  device.hook('preAction', () => {
    cli.givenHere = true;
  });
  addEnrolCommands(device, cli);
  addInviteCommands(device, cli);
  addKeepValidatorCommand(device, cli);

  device
    .command('list')
    .description('list the devices of your account, and what they may do')
    .option('--all', 'those that were shown out, too')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { session } = await profile.device();
        const log = await session.ownLog(0);
        const own = await session.kid();
        const listed = [...log.devices.values()].filter((one) => options.all || one.revokedAt === undefined);
        const value = listed.map((one) => ({ ...one, state: stateOf(one), own: one.kid === own }));
        show(cli, json, { devices: value, epoch: log.epoch.n }, () =>
          listed.map((one) => deviceLine(one, one.kid === own)).join('\n'),
        );
      }),
    );

  codeOptions(
    device
      .command('revoke')
      .description(
        'show a device out, at once and for good; what is asked from then on it can’t read, and an answer of its that the asker has not verified yet is worth nothing',
      )
      .argument('<id>', 'its fingerprint, or the start of it'),
  ).action((id: string, options: CodeOptions, command: Command) =>
    withProfile(cli, command, async (profile, json) => {
      const { devices, session } = await profile.device();
      const found = pickOwn(await session.ownLog(0), id);
      const { kid, name, probation } = found;
      const own = await session.kid();
      const proof = isGiven(options) ? await givenCode(cli, options) : undefined;
      await devices.revoke(
        kid,
        // One that was frozen and not found: what its thief signed must not stand again.
        probation ? 'undone' : isFrozen(found) ? 'lost' : 'retired',
        proof === undefined ? undefined : (log) => recoveryProof(session, proof, log),
      );
      show(cli, json, { kid, revoked: true }, () =>
        probation
          ? `The recovery is undone: ${name} never counted.`
          : `${name} is shown out. What is asked from now on it can’t read; its answers that were verified before stay good.${
              kid === own ? `\n${NEW_KEY}` : ''
            }`,
      );
    }),
  );

  codeOptions(
    device
      .command('lost')
      .description(
        'stop a device that was lost or stolen, at once, and erase the pairs of its validator that were kept; `thaw` if it is found, `revoke` if not; one that was shown out before is out as lost from then on',
      )
      .argument('<id>', 'its fingerprint, or the start of it')
      .option(
        '--account <account>',
        'from any machine, by the recovery code alone: the account’s link or name',
      )
      .option(
        '--broker <url>',
        'with an account’s name: its broker; or set COUNTERSIGN_BROKER',
        cli.variables.COUNTERSIGN_BROKER ?? DEFAULT_BROKER,
      ),
  ).action((id: string, options: CodeOptions & { account?: string; broker: string }, command: Command) =>
    withProfile(cli, command, async (profile, json) => {
      let lost: Device | undefined;
      let pairs: LostPairs = { erased: [], unconfirmed: [] };
      if (options.account === undefined) {
        const client = await profile.device();
        lost = pickAmong([...(await client.session.ownLog(0)).devices.values()], id);
        const gone = lost.revokedAt?.reason;
        // Asked for again, it tells the hosts that have not confirmed it so far.
        if (gone === undefined && !isFrozen(lost)) await client.devices.freeze(lost.kid);
        if (gone === 'retired' || gone === 'rotated') await client.devices.revoke(lost.kid, 'lost');
        pairs = await eraseLost(client.rooms, lost.kid, nodeNoise, reachHost);
      } else {
        const code = await givenCode(cli, options);
        const place = placeOf(options.account, options.broker);
        const pick = (log: DeviceLog) => {
          lost = pickOwn(log, id);
          return lost.kid;
        };
        await freezeByCode(place, code, pick, { ...cli, state: new MemoryStateStore() });
      }
      const { kid, name, revokedAt } = lost!;
      const frozen = revokedAt === undefined;
      const names = (kept: LostPairs['erased']) => kept.map(({ account, host }) => `${account}@${host}`);
      const told = { erased: names(pairs.erased), unconfirmed: names(pairs.unconfirmed) };
      show(cli, json, { kid, frozen, ...told }, () =>
        [
          frozen
            ? `${name} is frozen: it answers nothing, and reads nothing that is asked from now on.`
            : `${name} is out as lost: what it signed before stands no more.`,
          ...(options.account === undefined ? [] : [NEW_KEY]),
          ...lostPairsText(pairs),
          ...(frozen
            ? [
                `Found it? countersign device thaw ${kid.slice(0, 9)}`,
                `Gone? countersign device revoke ${kid.slice(0, 9)}`,
              ]
            : []),
        ].join('\n'),
      );
    }),
  );

  codeOptions(
    device
      .command('thaw')
      .description('let a frozen device take part again; the frozen device itself needs the recovery code')
      .argument('<id>', 'its fingerprint, or the start of it'),
  ).action((id: string, options: CodeOptions, command: Command) =>
    withProfile(cli, command, async (profile, json) => {
      const { devices, session } = await profile.device();
      const { kid, name } = pickOwn(await session.ownLog(0), id);
      if (kid === (await session.kid())) await thawByCode(session, await givenCode(cli, options));
      else await devices.thaw(kid);
      show(cli, json, { kid, frozen: false }, () => `${name} takes part again.`);
    }),
  );

  device
    .command('rotate')
    .description('new keys for this device, which keeps its place; the old ones are erased')
    .option(
      '--both',
      'its signing key too, which changes its fingerprint; an answer by the old one that the asker has not verified yet is worth nothing',
    )
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const client = await profile.device();
        await client.rotate(profile.keyStore, options.both ? 'both' : 'sealing');
        const kid = await client.session.kid();
        show(cli, json, { kid }, () => `New keys: this device is ${kid}. The old ones are erased.`);
      }),
    );

  device
    .command('rights')
    .description('change what a device may do')
    .argument('<id>', 'its fingerprint, or the start of it')
    .argument('<rights>', 'all of them, as ask,answer,pay,admit,recover; or all', rights)
    .action((id: string, wanted: ReturnType<typeof rights>, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices, session } = await profile.device();
        const { kid, name } = pickOwn(await session.ownLog(0), id);
        await devices.setRights(kid, wanted);
        show(cli, json, { kid, rights: wanted }, () => `${name} may now: ${wanted.join(', ')}.`);
      }),
    );

  device
    .command('epoch')
    .description('begin a new account key now: whoever copied a device before can read nothing that follows')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices, session } = await profile.device();
        await devices.beginEpoch();
        const { n } = (await session.ownLog()).epoch;
        show(cli, json, { epoch: n }, () => `Epoch ${n} has begun.`);
      }),
    );
}

/** No device of the account has begun a new epoch by this. */
const NEW_KEY =
  'The account can be asked again once a device that may admit has begun a new key: `countersign confirm pending`, `watch` or `device epoch` there.';

function isGiven({ codeFile, share }: CodeOptions): boolean {
  return codeFile !== undefined || share !== undefined;
}

function pickOwn(log: DeviceLog, typed: string) {
  return pickAmong(
    [...log.devices.values()].filter(({ revokedAt }) => revokedAt === undefined),
    typed,
  );
}

function pickAmong(devices: readonly Device[], typed: string): Device {
  return pickDevice(devices, typed, 'is in this account', '`countersign device list` lists them');
}
