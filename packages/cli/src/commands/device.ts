/**
 * `countersign device`: the devices of one's account; what they may do, and how they go.
 * @module
 */
import type { DeviceLog } from '@countersign/core';
import type { Command } from 'commander';
import { deviceLine, stateOf } from '../device-text.ts';
import type { Profile } from '../profile.ts';
import { pickDevice } from '../request-ids.ts';
import { type Cli, show, withProfile } from './context.ts';
import { addEnrolCommands, rights } from './enrol.ts';

export function addDeviceCommands(program: Command, cli: Cli): void {
  const device = program.command('device').description('let devices in, and show them out again');
  addEnrolCommands(device, cli);

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

  device
    .command('revoke')
    .description('show a device out, at once and for good; what is asked from then on it can’t read')
    .argument('<id>', 'its fingerprint, or the start of it')
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, (profile, json) => showOut(cli, profile, json, id, 'retired')),
    );

  device
    .command('lost')
    .description('stop a device that was lost or stolen, at once; `thaw` if it is found, `revoke` if not')
    .argument('<id>', 'its fingerprint, or the start of it')
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices, session } = await profile.device();
        const { kid, name } = pickOwn(await session.ownLog(0), id);
        await devices.freeze(kid);
        show(cli, json, { kid, frozen: true }, () =>
          [
            `${name} is frozen: it answers nothing, and reads nothing that is asked from now on.`,
            `Found it? countersign device thaw ${kid.slice(0, 9)}`,
            `Gone? countersign device revoke ${kid.slice(0, 9)}`,
          ].join('\n'),
        );
      }),
    );

  device
    .command('thaw')
    .description('let a frozen device take part again')
    .argument('<id>', 'its fingerprint, or the start of it')
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices, session } = await profile.device();
        const { kid, name } = pickOwn(await session.ownLog(0), id);
        await devices.thaw(kid);
        show(cli, json, { kid, frozen: false }, () => `${name} takes part again.`);
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

async function showOut(
  cli: Cli,
  profile: Profile,
  json: boolean,
  id: string,
  reason: 'retired' | 'lost',
): Promise<void> {
  const { devices, session } = await profile.device();
  const { kid, name } = pickOwn(await session.ownLog(0), id);
  await devices.revoke(kid, reason);
  show(
    cli,
    json,
    { kid, revoked: true },
    () =>
      `${name} is shown out. What is asked from now on it can’t read; what it answered before stays good.`,
  );
}

function pickOwn(log: DeviceLog, typed: string) {
  const present = [...log.devices.values()].filter(({ revokedAt }) => revokedAt === undefined);
  return pickDevice(present, typed, 'is in this account', '`countersign device list` lists them');
}
