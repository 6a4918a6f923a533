/**
 * `countersign session`, for an organisation: the history of its mutual sessions, exported and checked.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { historyLines, readHistory } from '@countersign/client';
import { startDigestSession, waitUntilSeen } from '@countersign/client/digest-session';
import {
  CountersignError,
  checkHistory,
  type DeviceLog,
  formatCsv,
  MAX_SESSION_FIELDS,
  SESSION_COLUMNS,
  SESSION_LIFE,
  type SessionField,
  sessionRecords,
} from '@countersign/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { duration } from '../arguments.ts';
import { EXIT } from '../exit-codes.ts';
import { type Cli, show, withProfile } from './context.ts';

const TYPES = ['text', 'number', 'date'] as const;

export function addSessionCommands(program: Command, cli: Cli): void {
  const session = program.command('session').description('mutual sessions of an organisation');

  session
    .command('create')
    .description(
      'make a session by a program, and wait until the receiver sees their passcode: weaker than the console, since the server compares a hash of the values. The values are read from standard input, one a line',
    )
    .requiredOption(
      '--field <name:type>',
      'what the receiver fills in: text, number or date; up to three',
      fieldOf,
    )
    .option('--subject <line>', 'shown to the receiver, and read by the server')
    .option('--for <time>', 'how long it stands: 30s to 15m', duration, SESSION_LIFE.usual)
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const fields = options.field as SessionField[];
        const values = await readValues(cli, fields);
        const { session: own } = await profile.device();
        const { subject } = options as { subject?: string };
        const wish = { fields, values, lifetime: options.for, ...(subject === undefined ? {} : { subject }) };
        const { sid, link, passcode, expiresAt } = await startDigestSession(own, wish);
        show(cli, json, { link, expiresAt }, () => link);
        const { seen_at, outcome } = await waitUntilSeen(own, sid);
        if (seen_at === undefined) {
          show(cli, json, { outcome }, () => `Over: ${outcome}.`);
          cli.exit =
            outcome === 'expired' ? EXIT.expired : outcome === 'deleted' ? EXIT.cancelled : EXIT.notGood;
          return;
        }
        const { api, keys } = own;
        await api.changeSession(keys.signer, keys.name, sid, 'reveal');
        show(
          cli,
          json,
          { outcome: 'seen', passcode },
          () =>
            `The receiver sees their passcode. When they ask for it: ${cli.terminal.style('bold', passcode)}`,
        );
      }),
    );

  session
    .command('history')
    .description('write the history of the account’s sessions, checked: metadata, and never a value')
    .addOption(
      new Option('--format <format>', 'lines that `session verify-history` checks, or a table')
        .choices(['jsonl', 'csv'])
        .default('jsonl'),
    )
    .option('--out <file>', 'write it into a file')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { session: own } = await profile.device();
        const read = await readHistory(own);
        const text =
          options.format === 'csv'
            ? historyTable(read.entries, await own.ownLog())
            : read.texts.map((line) => `${line}\n`).join('');
        if (options.out === undefined) {
          cli.terminal.print(text.replace(/\r?\n$/, ''));
          return;
        }
        writeFileSync(options.out, text, { mode: 0o600 });
        const value = { file: options.out, entries: read.entries.length, head: read.head?.hash };
        show(cli, json, value, () => summary(read.entries.length, read.head?.hash));
      }),
    );

  session
    .command('verify-history')
    .description('check an exported history: exit status 0 if no entry was altered, 8 if one was')
    .argument('<file>', 'as `session history --out` or the console wrote it, in lines')
    .option(
      '--head <hash>',
      'the hash of the newest entry, kept elsewhere: without it, a cut end is not seen',
    )
    .action(async (file: string, options, command: Command) => {
      const { json = false } = command.optsWithGlobals();
      const { entries, head } = await checkHistory(cli.crypto, historyLines(readText(file)));
      if (options.head !== undefined && options.head !== head?.hash) {
        throw new CountersignError(
          'history-invalid',
          `the newest entry has another hash: ${head?.hash ?? 'none'}`,
        );
      }
      show(cli, json, { entries: entries.length, head: head?.hash }, () =>
        summary(entries.length, head?.hash),
      );
    });
}

/** Collects `Phone number:number`, one after another. */
function fieldOf(text: string, before: readonly SessionField[] = []): SessionField[] {
  const at = text.lastIndexOf(':');
  const type = TYPES.find((one) => one === text.slice(at + 1));
  if (at < 1 || type === undefined)
    throw new InvalidArgumentError('like “Phone number:number”: text, number or date');
  if (before.length === MAX_SESSION_FIELDS) throw new InvalidArgumentError(`at most ${MAX_SESSION_FIELDS}`);
  return [...before, { name: text.slice(0, at), type }];
}

/** The values, asked for or piped in, so that no list of processes shows them. */
async function readValues({ terminal }: Cli, fields: readonly SessionField[]): Promise<string[]> {
  const values: string[] = [];
  if (terminal.canAsk) {
    for (const { name } of fields) values.push(await terminal.ask(`${name}: `));
    return values;
  }
  values.push(...(await readAll(process.stdin)).replace(/\r?\n$/, '').split(/\r?\n/));
  if (values.length === fields.length) return values;
  throw new CountersignError(
    'usage',
    `${fields.length} values are needed, one a line; ${values.length} came`,
  );
}

function summary(entries: number, head: string | undefined): string {
  if (head === undefined) return 'An empty history.';
  return [
    `${entries} entries, each of which follows the one before.`,
    `  head  ${head}`,
    'Keep the head elsewhere: whoever writes all of the file anew, or cuts its end off, gets another one.',
  ].join('\n');
}

/** The columns that the console shows, in English and with times in UTC. */
function historyTable(entries: Parameters<typeof sessionRecords>[0], log: DeviceLog): string {
  const time = (seconds: number | null | undefined) =>
    typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().replace('.000', '') : '';
  const rows = sessionRecords(entries).map(({ created, ended }) => [
    time(created.at),
    log.devices.get(created.by)?.name ?? created.by,
    created.template === null ? '' : `${created.template.name} ${created.template.version}`,
    created.subject ?? '',
    created.duration,
    created.prefilled ? 'yes' : 'no',
    created.mode,
    time(ended?.opened_at),
    ended?.outcome ?? 'open',
    time(ended?.at),
    time(ended?.away_at),
  ]);
  return formatCsv([[...SESSION_COLUMNS, 'organisation away'], ...rows]);
}

/** @throws `usage` for a file that can't be read */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CountersignError('usage', `the file ${file} can’t be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
