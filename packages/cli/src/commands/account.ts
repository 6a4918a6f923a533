/**
 * `countersign account`: make an account, show it, read a device log.
 * @module
 */
import { userInfo } from 'node:os';
import { BrokerApi, createAccount, newRecovery, replaceRecovery, UNDO_SECONDS } from '@countersign/client';
import {
  activeDevices,
  CountersignError,
  formatAccountLink,
  keyFingerprint,
  parseAccountName,
  type RecoveryProvision,
  statementId,
} from '@countersign/core';
import type { Command } from 'commander';
import encodeQR from 'qr';
import { duration } from '../arguments.ts';
import type { Profile, ProtectionName } from '../profile.ts';
import { type Cli, show, withProfile } from './context.ts';
import { newDeviceOptions } from './new-device-options.ts';
import { addRecoveryCommands, codeText } from './recovery.ts';

const SEALED_BY = { passphrase: 'your passphrase', keyring: 'a key in your keyring' } as const;

export function addAccountCommands(program: Command, cli: Cli): void {
  const account = program.command('account').description('make and show your account');

  const create = account
    .command('create')
    .description('make an account, with this device as its first')
    .argument('[name]', 'like alice@example.com; by default your user name at the broker’s domain');
  create
    .option('--no-recovery', 'make no recovery code: with its last device, the account is lost')
    .option('--undo <time>', 'how long any device can undo a recovery: 1h, 3d', duration, UNDO_SECONDS);
  newDeviceOptions(create, cli, 'the broker that keeps it').action(
    (name: string | undefined, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const broker = URL.parse(options.broker)?.origin ?? options.broker;
        const recovery = options.recovery
          ? await newRecovery(cli.crypto, (await new BrokerApi(broker).wellKnown()).key, options.undo)
          : undefined;
        const keys = await createAccount({
          name: name === undefined ? await defaultName(broker) : parseAccountName(name),
          broker,
          deviceName: options.device,
          algorithm: options.alg,
          recovery: recovery?.provision,
          ...profile.store(options.protect),
        });
        const id = await statementId(cli.crypto, keys.identity);
        const code = recovery && (await codeInForce(profile, recovery));
        show(
          cli,
          json,
          { name: keys.name, fingerprint: id, link: formatAccountLink(keys), recoveryCode: code },
          () =>
            [
              `Made the account ${cli.terminal.style('bold', keys.name)} on ${keys.broker}.`,
              `  fingerprint  ${id}`,
              `  keys         ${profile.folder}/keys.json, sealed by ${SEALED_BY[options.protect as ProtectionName]}`,
              ...(code === undefined ? [] : [codeText(code)]),
              'Give others your link: `countersign account show` prints it.',
            ].join('\n'),
        );
      }),
  );

  account
    .command('show')
    .description('print your account’s fingerprint, devices, and the link that binds name and fingerprint')
    .option('--qr', 'print the link as a QR code too')
    .option('--link', 'print the link alone')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const account = await profile.account();
        const link = formatAccountLink(account);
        if (options.link) {
          cli.terminal.print(link);
          return;
        }
        const id = await statementId(cli.crypto, account.identity);
        const book = await profile.book();
        const { log } = await book.find(account.name, 60);
        if (log.identity !== account.identity) throw notOurs(account.name);
        const devices = activeDevices(log).map(({ kid, name, rights }) => ({ kid, name, rights }));
        const brokerKey = await keyFingerprint(cli.crypto, await book.brokerKey());
        show(cli, json, { ...account, fingerprint: id, brokerKey, link, devices }, () =>
          [
            cli.terminal.style('bold', account.name),
            `  fingerprint  ${id}`,
            `  broker       ${account.broker}`,
            `  its key      ${brokerKey}`,
            `  link         ${link}`,
            ...devices.map(
              ({ name, kid, rights }) => `  device       ${name}  ${kid}  (${rights.join(', ')})`,
            ),
            ...(options.qr ? ['', encodeQR(link, 'ascii', { ecc: 'low' })] : []),
          ].join('\n'),
        );
      }),
    );

  account
    .command('log')
    .description('read a device log, yours or another account’s, and check it against what you saw before')
    .argument('[name]', 'whose; yours by default')
    .option(
      '--tree',
      'print the newest head of the broker’s tree that was seen, for others to compare with theirs',
    )
    .action((name: string | undefined, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const book = await profile.book();
        if (options.tree) {
          // What was seen is what there is to compare, and needs no broker.
          const { note, size } = (await book.tree.kept()) ?? (await book.tree.refresh());
          const evidence = await book.tree.evidence();
          show(cli, json, { size, tree: note, ...(evidence === undefined ? {} : { evidence }) }, () =>
            note.trimEnd(),
          );
          return;
        }
        const wanted = name === undefined ? (await profile.account()).name : parseAccountName(name);
        const { log, binding } = await book.find(wanted, 0);
        const id = await statementId(cli.crypto, log.identity);
        const devices = [...log.devices.values()];
        const { name: account, head, entries } = log;
        show(cli, json, { name: account, fingerprint: id, binding, head, devices, entries }, () =>
          [
            `${cli.terminal.style('bold', account)}  ${id}  (${BINDINGS[binding]})`,
            `  ${entries.length} entries; the newest is ${head.hash}`,
            ...devices.map(
              (device) =>
                `  ${device.revokedAt === undefined ? 'active ' : 'revoked'}  ${device.name}  ${device.kid}  since ${time(device.addedAt.iat)}${device.revokedAt === undefined ? '' : ` until ${time(device.revokedAt.iat)}`}`,
            ),
          ].join('\n'),
        );
      }),
    );

  addRecoveryCommands(account, cli);
}

/** The code of the account as it was made; where a first try had made it, and its code was lost, a new one. */
async function codeInForce(
  profile: Profile,
  { code, provision }: { code: string; provision: RecoveryProvision },
): Promise<string> {
  const { session } = await profile.device();
  const log = await session.ownLog();
  const own =
    log.recovery !== undefined && JSON.stringify(log.recovery.key) === JSON.stringify(provision.key);
  return own ? code : replaceRecovery(session, provision.undo);
}

export const BINDINGS = {
  own: 'your own',
  link: 'bound by its link',
  'first-use': 'taken on first use: compare the fingerprint with its owner',
} as const;

function notOurs(name: string): CountersignError {
  return new CountersignError('account-changed', `the broker shows another account under our name ${name}`, {
    hint: 'do not answer anything; tell the broker’s operator',
  });
}

async function defaultName(broker: string): Promise<string> {
  const { domains, origin } = await new BrokerApi(broker).wellKnown();
  const host = URL.parse(origin)!.hostname;
  const domain = domains[0] ?? (/^[\d.]+$|^\[/.test(host) ? 'localhost' : host);
  return parseAccountName(`${userInfo().username}@${domain}`);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
