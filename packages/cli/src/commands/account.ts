/**
 * `countersign account`: make an account, show it, read a device log.
 * @module
 */
import { userInfo } from 'node:os';
import {
  BrokerApi,
  createAccount,
  type Door,
  newRecovery,
  recoveryInForce,
  UNDO_SECONDS,
} from '@countersign/client';
import {
  activeDevices,
  CountersignError,
  formatAccountLink,
  keyFingerprint,
  MAX_UNDO,
  MIN_UNDO,
  parseAccountName,
  statementId,
} from '@countersign/core';
import { type Command, Option } from 'commander';
import encodeQR from 'qr';
import { durationWithin } from '../arguments.ts';
import { noticeText, stateOf, time } from '../device-text.ts';
import { entryLines } from '../log-text.ts';
import type { Profile, ProtectionName } from '../profile.ts';
import { addAddressCommands } from './address.ts';
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
    .addOption(
      new Option('--undo <time>', 'how long any device can undo a recovery: 1h, 3d')
        .argParser(durationWithin(MIN_UNDO, MAX_UNDO))
        .default(UNDO_SECONDS, '3d'),
    );
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
        const code = recovery && (await recoveryInForce((await profile.device()).session, recovery));
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
        const own = (await profile.account()).identity === log.identity;
        const notices = own ? await noticesOf(cli, profile) : undefined;
        const devices = [...log.devices.values()].map((device) => ({ ...device, state: stateOf(device) }));
        const { name: account, head, entries } = log;
        const lines = await entryLines(cli.crypto, log);
        show(cli, json, { name: account, fingerprint: id, binding, head, devices, entries, notices }, () =>
          [
            `${cli.terminal.style('bold', account)}  ${id}  (${BINDINGS[binding]})`,
            `  ${entries.length} entries; the newest is ${head.hash}`,
            ...devices.map(
              ({ state, name, kid, addedAt, revokedAt }) =>
                `  ${state.padEnd(12)}  ${name}  ${kid}  since ${time(addedAt.iat)}${revokedAt === undefined ? '' : ` until ${time(revokedAt.iat)}`}`,
            ),
            '',
            ...lines,
            ...(notices ?? []).map((notice) => cli.terminal.style('yellow', noticeText(notice))),
          ].join('\n'),
        );
      }),
    );

  addRecoveryCommands(account, cli);
  addAddressCommands(account, cli);
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

/** What the broker kept from our devices. The log can be read without: by a device that is frozen, say. */
async function noticesOf({ terminal }: Cli, profile: Profile): Promise<Door['notices'] | undefined> {
  try {
    return (await (await profile.device()).devices.door()).notices;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    terminal.tell(`What was kept from your devices can’t be read: ${error.message} (${error.code})`);
    return undefined;
  }
}
