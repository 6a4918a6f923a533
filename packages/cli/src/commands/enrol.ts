/**
 * `countersign device`, for letting a new device in: request and complete on the new one; pending, accept and
 * reject on one that is in.
 * @module
 */
import {
  completeEnrolment,
  type Door,
  type Enrolled,
  type KnockingDevice,
  requestEnrolment,
  type WaitingDevice,
  waitingDevice,
} from '@countersign/client';
import {
  CountersignError,
  type DeviceLink,
  isAccountLink,
  parseAccountName,
  parseDeviceLink,
  parsePin,
  statementId,
} from '@countersign/core';
import type { Command } from 'commander';
import { rights } from '../arguments.ts';
import { startCountdown } from '../countdown.ts';
import { factsText, noticeText } from '../device-text.ts';
import { EXIT } from '../exit-codes.ts';
import type { Profile } from '../profile.ts';
import { withQR } from '../qr-text.ts';
import { pickDevice } from '../request-ids.ts';
import { machineModel, operatingSystem } from '../this-machine.ts';
import { type Cli, show, withProfile } from './context.ts';
import { newDeviceOptions } from './new-device-options.ts';

export function addEnrolCommands(device: Command, cli: Cli): void {
  const request = device
    .command('request')
    .description('on a new device: make its keys, and wait until a device of the account lets it in')
    .argument('<account>', 'the link that `device link` or `device pin` printed, or an account with --pin')
    .option('--pin <pin>', 'the PIN that a device of the account gave', parsePin);
  newDeviceOptions(request, cli, 'with an account’s name: its broker')
    .option('--qr', 'show the code as a QR code too')
    .option(
      '--no-wait',
      'do not wait here; `device complete` goes on. With --json, what came of it is a second line',
    )
    .action((account: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const waiting = await requestEnrolment({
          link: linkOf(account, options),
          deviceName: options.device,
          model: machineModel(),
          os: operatingSystem(),
          algorithm: options.alg,
          ...profile.store(options.protect),
        });
        const fingerprint = await statementId(cli.crypto, waiting.account.identity);
        const { facts, code } = waiting;
        show(cli, json, { ...facts, account: { ...waiting.account, fingerprint }, code }, () =>
          withQR(waitingText(cli, waiting, fingerprint), options.qr && code),
        );
        if (options.wait) await finish(cli, profile, json, facts.expiresAt);
      }),
    );

  device
    .command('complete')
    .description('on a new device: go in, if it was let in')
    .option('--wait', 'wait until that is decided')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { identity } = await profile.account();
        const waiting = await waitingDevice(profile.state, identity);
        if (waiting === undefined) {
          throw new CountersignError('enrolment-unknown', 'this device does not wait before any door', {
            hint: '`countersign device list` shows whether it is in',
          });
        }
        await finish(cli, profile, json, options.wait ? waiting.facts.expiresAt : 0);
      }),
    );

  device
    .command('pending')
    .description('list the devices that wait before the door')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const door = await (await profile.device()).devices.door();
        show(cli, json, doorJson(door), () => doorText(cli, door));
        if (door.suspects.length > 0) cli.exit = EXIT.notGood;
      }),
    );

  device
    .command('accept')
    .description('let a device in, by the code that it shows')
    .argument('<id>', 'its fingerprint, or the start of it')
    .option('--code <code>', 'the eight letters that the new device shows')
    .option('--rights <rights>', 'what it may do, as ask,answer,pay,admit,recover', rights)
    .option('--no-history', 'let it read nothing that was said in rooms before')
    .action((id: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices } = await profile.device();
        const knocking = pickWaiting(await devices.door(), id);
        if (!json) cli.terminal.print(factsText(knocking.facts, cli.clock.now(), cli.terminal));
        const code = knocking.pin === undefined ? (options.code ?? (await askCode(cli))) : undefined;
        await devices.accept(knocking, code, { rights: options.rights, history: options.history });
        show(
          cli,
          json,
          { kid: knocking.facts.kid, accepted: true },
          () => `${knocking.facts.name} is let in. It goes in by itself, or by \`device complete\` there.`,
        );
      }),
    );

  device
    .command('reject')
    .description('turn a device away')
    .argument('<id>', 'its fingerprint, or the start of it')
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices } = await profile.device();
        const knocking = pickWaiting(await devices.door(), id);
        await devices.reject(knocking);
        show(
          cli,
          json,
          { kid: knocking.facts.kid, rejected: true },
          () => `${knocking.facts.name} is turned away, and is told so.`,
        );
      }),
    );
}

async function finish(cli: Cli, profile: Profile, json: boolean, until: number): Promise<void> {
  const wait = Math.max(0, until - cli.clock.now());
  const countdown = startCountdown(cli, 'Waiting to be let in', until);
  let enrolled: Enrolled;
  try {
    enrolled = await completeEnrolment(profile.store(), wait);
  } finally {
    countdown.stop();
  }
  const { outcome } = enrolled;
  show(cli, json, { outcome }, () => OUTCOMES[outcome]);
  cli.exit = EXITS[outcome];
}

const OUTCOMES = {
  complete:
    'This device is in: its keys are in the account’s log, and what is asked from now on it can read.',
  waiting: 'Nobody has decided yet: this device waits. `countersign device complete --wait` waits with it.',
  expired:
    'Nobody let this device in within ten minutes. Its keys are erased; `device request` begins again.',
  rejected: 'This device was turned away. Its keys are erased; `device request` begins again.',
} as const;

const EXITS = {
  complete: EXIT.ok,
  waiting: EXIT.pending,
  expired: EXIT.expired,
  rejected: EXIT.rejected,
} as const;

function linkOf(
  account: string,
  { pin, broker }: { pin?: string; broker: string },
): Omit<DeviceLink, 'identity'> & { identity?: string } {
  if (isAccountLink(account)) return parseDeviceLink(account);
  if (pin !== undefined) return { name: parseAccountName(account), broker, use: 'admit', pin };
  throw new CountersignError(
    'pin-wrong',
    'a device comes before the door by a link or a PIN of the account',
    {
      hint: 'on a device of the account: `countersign device link`, or `countersign device pin`',
    },
  );
}

function waitingText(cli: Cli, { facts, account, code }: WaitingDevice, fingerprint: string): string {
  return [
    `This device asks to belong to ${cli.terminal.style('bold', account.name)} (${fingerprint}):`,
    factsText(facts, cli.clock.now(), cli.terminal),
    ...(code === undefined
      ? ['It came with a PIN. Any device of the account lets it in: `countersign device accept`.']
      : [
          `  code         ${cli.terminal.style('bold', code)}`,
          'On a device of the account, see that all of this is the same, and type the code there:',
          `  countersign device accept ${facts.kid.slice(0, 9)}`,
        ]),
    'To come back to this here: countersign device complete --wait',
  ].join('\n');
}

function doorText(cli: Cli, { waiting, suspects, notices }: Door): string {
  const lines = waiting.flatMap(({ facts, pin }) => [
    factsText(facts, cli.clock.now(), cli.terminal),
    pin === undefined
      ? `  → countersign device accept ${facts.kid.slice(0, 9)}   (asks for the code that it shows)`
      : `  → countersign device accept ${facts.kid.slice(0, 9)}   (it knows your PIN: ${pin.rights.join(', ')})`,
    `  → countersign device reject ${facts.kid.slice(0, 9)}   (if this is not yours)`,
    '',
  ]);
  for (const { error } of suspects) {
    lines.push(
      cli.terminal.style('red', `not shown, since it is not good: ${error.message} (${error.code})`),
    );
  }
  for (const notice of notices) lines.push(cli.terminal.style('yellow', noticeText(notice)));
  return lines.length === 0 ? 'No device waits before the door.' : lines.join('\n').trimEnd();
}

function doorJson({ waiting, suspects, notices }: Door) {
  return {
    waiting: waiting.map(({ facts, pin }) => ({ ...facts, pin: pin !== undefined, rights: pin?.rights })),
    suspects: suspects.map(({ hash, error: { code, message } }) => ({ hash, code, message })),
    notices,
  };
}

function pickWaiting({ waiting }: Door, typed: string): KnockingDevice {
  const found = pickDevice(
    waiting.map((knocking) => ({ kid: knocking.facts.kid, knocking })),
    typed,
    'waits before the door',
    '`countersign device pending` lists those that wait',
  );
  return found.knocking;
}

async function askCode({ terminal }: Cli): Promise<string | undefined> {
  return terminal.canAsk ? terminal.ask('The code that the new device shows: ') : undefined;
}
