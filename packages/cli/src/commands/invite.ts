/**
 * `countersign device`, for what brings a new device before the door: pin and link, which of them stand, and
 * taking one back.
 * @module
 */
import type { StandingInvitation } from '@countersign/client';
import { type DeviceLink, formatDeviceLink, LONGEST_INVITATION } from '@countersign/core';
import { type Command, Option } from 'commander';
import { durationWithin, rights } from '../arguments.ts';
import { time } from '../device-text.ts';
import { withQR } from '../qr-text.ts';
import { pickInvitation } from '../request-ids.ts';
import { type Cli, show, withProfile } from './context.ts';

const DAY = 86_400;

export function addInviteCommands(device: Command, cli: Cli): void {
  device
    .command('link')
    .description(
      'print a link by which a new device may come before the door; you then let it in by its code',
    )
    .addOption(
      new Option('--expire <time>', 'until when it is good: 10m, 1h, 1d')
        .argParser(durationWithin(1, LONGEST_INVITATION.knock))
        .default(DAY, '1d'),
    )
    .option('--qr', 'print it as a QR code too')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices } = await profile.device();
        const link = await devices.invite('knock', { lifetime: options.expire });
        const text = formatDeviceLink(link);
        show(cli, json, { link: text }, () => withQR(text, options.qr && text));
      }),
    );

  device
    .command('pin')
    .description('give a PIN that lets one new device in, with the rights that you say')
    .option('--rights <rights>', 'what the new device may do, as ask,answer,pay,admit,recover', rights)
    .addOption(
      new Option('--expire <time>', 'until when it is good: 10m, 1h, 1d')
        .argParser(durationWithin(1, LONGEST_INVITATION.admit))
        .default(DAY, '1d'),
    )
    .option('--uri', 'print the link that carries the PIN alone')
    .option('--qr', 'print the link as a QR code too')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { devices } = await profile.device();
        const link = await devices.invite('admit', { rights: options.rights, lifetime: options.expire });
        const uri = formatDeviceLink(link);
        show(cli, json, { pin: link.pin, uri, expiresAt: cli.clock.now() + options.expire }, () =>
          withQR(options.uri ? uri : pinText(cli, link, uri, options), options.qr && uri),
        );
      }),
    );

  device
    .command('invitations')
    .description('list the PINs and links by which a device may still come')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const invitations = await (await profile.device()).invitations.list();
        show(cli, json, { invitations }, () =>
          invitations.length === 0
            ? 'No PIN and no link stands.'
            : invitations.map((one) => invitationText(cli, one)).join('\n\n'),
        );
      }),
    );

  device
    .command('cancel')
    .description('take a PIN or a link back: no device comes by it any more')
    .argument('<id>', 'as `device invitations` lists it, or the start of it')
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { invitations } = await profile.device();
        const found = pickInvitation(await invitations.list(), id);
        await invitations.cancel(found);
        show(
          cli,
          json,
          { id: found.id, cancelled: true },
          () => 'Taken back: no device comes by it any more. One that waits already can be turned away.',
        );
      }),
    );
}

function invitationText(
  { terminal }: Cli,
  { id, use, rights = [], by, givenAt, expiresAt }: StandingInvitation,
): string {
  const what =
    use === 'admit'
      ? `PIN   lets one device in: ${rights.join(', ')}`
      : 'link  lets devices wait for their code';
  return [
    terminal.style('bold', id),
    `  ${what}`,
    `  given ${time(givenAt)} by ${by.name}`,
    `  until ${time(expiresAt)}`,
    `  → countersign device cancel ${id.slice(0, 9)}`,
  ].join('\n');
}

function pinText(
  { terminal, clock }: Cli,
  { name, broker, pin }: DeviceLink,
  uri: string,
  { expire }: { expire: number },
): string {
  return [
    `PIN  ${terminal.style('bold', pin)}   until ${time(clock.now() + expire)}, once`,
    `On the new device: countersign device request ${name} --pin ${pin} --broker ${broker}`,
    `or by the link, which carries the account’s fingerprint too: ${uri}`,
  ].join('\n');
}
