/**
 * `countersign-gate codes`: codes on paper, for a host that nobody can ask.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CryptoProvider } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { type Command, InvalidArgumentError } from 'commander';
import { MAX_CODES, SpareCodes } from '../spare-codes/spare-codes.ts';

export interface CodesContext {
  readonly crypto: CryptoProvider;
  readonly say: (text: string) => void;
}

/** Where a host keeps its codes, in its folder. */
export function spareCodesFile(data: string): string {
  return join(data, 'spare-codes.db');
}

/** How many codes a user has, where the host keeps codes. */
export function codesOf(data: string, user: string): number {
  return whereKept(data, (store) => store.left(user)) ?? 0;
}

/** Kills the codes of a user who is removed. @returns how many there were */
export function dropCodes(data: string, user: string): number {
  const dropped = whereKept(data, (store) => {
    const left = store.left(user);
    store.drop(user);
    return left;
  });
  return dropped ?? 0;
}

function whereKept<T>(data: string, work: (store: SpareCodes) => T): T | undefined {
  const path = spareCodesFile(data);
  if (!existsSync(path)) return undefined;
  const store = new SpareCodes(path, webCrypto);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

/** Adds the commands; the program gives each a `--data <folder>`. */
export function addCodesCommands(program: Command, { crypto, say }: CodesContext): void {
  const codes = program
    .command('codes')
    .description('codes on paper, each good once, for when nobody can be asked');
  const withCodes = async (command: Command, work: (store: SpareCodes) => unknown) => {
    const { data } = command.optsWithGlobals<{ data: string }>();
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const store = new SpareCodes(spareCodesFile(data), crypto);
    try {
      await work(store);
    } finally {
      store.close();
    }
  };

  codes
    .command('make')
    .description('print new codes of a user; those before are dead')
    .argument('<user>')
    .option('--count <n>', 'how many', count, 10)
    .action((user: string, options: { count: number }, command: Command) =>
      withCodes(command, async (store) => {
        const made = await store.make(user, options.count);
        say([`Offline codes of ${user}, each good once. They are shown this once.`, '', ...made].join('\n'));
      }),
    );

  codes
    .command('show')
    .description('say how many codes a user has left')
    .argument('<user>')
    .action((user: string, _options, command: Command) =>
      withCodes(command, (store) => say(`${user} has ${store.left(user)} codes left.`)),
    );

  codes
    .command('drop')
    .description('kill the codes of a user')
    .argument('<user>')
    .action((user: string, _options, command: Command) =>
      withCodes(command, (store) => {
        store.drop(user);
        say(`${user} has no codes now.`);
      }),
    );

  codes
    .command('break-glass')
    .description(
      'print a new code that opens once, for anybody, and is logged loudly; the one before is dead',
    )
    .action((_options, command: Command) =>
      withCodes(command, async (store) =>
        say(
          [
            'Break-glass code of this host: it opens once, whoever types it. Seal it; it is shown this once.',
            '',
            await store.makeBreakGlass(),
          ].join('\n'),
        ),
      ),
    );
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_CODES) return value;
  throw new InvalidArgumentError(`from 1 to ${MAX_CODES}`);
}
