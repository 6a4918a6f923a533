/**
 * `validator add`: pairs this validator with a host, by the code that the host shows.
 * @module
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { joinPair, type PairingEnd } from '@countersign/client/m-auth';
import { nodeNoise, reachHost } from '@countersign/client/node';
import { CountersignError, makeVisible, parsePairCode } from '@countersign/core';
import {
  formatEraseStatement,
  isPairLink,
  PairJoin,
  type PairLink,
  type PairNames,
  parsePairLink,
} from '@countersign/core/m-auth';
import { type Command, Option } from 'commander';
import encodeQR from 'qr';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import {
  type GlobalOptions,
  PROTECTIONS,
  type ProtectionName,
  parseAddress,
  type Validator,
  withBook,
} from '../validator.ts';

interface AddOptions extends GlobalOptions {
  readonly at?: string;
  readonly name?: string;
  readonly device: string;
  readonly yes?: true;
  readonly protect?: ProtectionName;
}

const FAILURES: Record<Exclude<PairingEnd['outcome'], 'paired'>, string> = {
  'not-recognised': 'no host waits for this code there: mistyped, used, or older than ten minutes',
  forged:
    'ALARM: what answered at this address does not know the code. It is not the host, or somebody is on the line',
  declined: 'the pairing ended before it was confirmed',
  'not-kept': 'this validator could not keep the pair; nothing was made',
  unknown:
    'the pair is kept here, and the host’s last word did not come: a sign-on will show whether the host has it',
};

export function addAddCommand(program: Command, validator: Validator): void {
  program
    .command('add')
    .summary('pair with a host, by the code or link that `countersign-gate enroll` shows there')
    .description(
      'Pairs this validator with a host: run `countersign-gate enroll` there, and give its link here when you are asked, or its 24 letters with --at.',
    )
    .argument(
      '[code]',
      'the link countersign-pair:…, or the 24 letters; `-` reads it from standard input. Without it you are asked: others on this machine see what stands on a command line, and the first who comes with it is paired',
    )
    .option(
      '--at <address>',
      'where the host is, with the letters: server.example:8475, or wss://server.example/gate',
    )
    .option('--name <name>', 'what you call it here; without it, ACCOUNT@HOST')
    .option('--device <name>', 'what this device is called on the host', hostname().slice(0, 64))
    .option('--yes', 'do not ask whether these are the host and the account that you mean')
    .addOption(
      new Option('--protect <how>', 'what seals a new validator')
        .choices([...PROTECTIONS])
        .default('passphrase'),
    )
    .action(async (code: string | undefined, _, command: Command) => {
      validator.exit = await add(validator, code, command.optsWithGlobals<AddOptions>());
    });
}

async function add(validator: Validator, given: string | undefined, options: AddOptions): Promise<number> {
  const { terminal, clock } = validator;
  if (options.yes === undefined && !terminal.canAsk) {
    throw new CountersignError('usage', 'nobody can be asked whether this is the right host', {
      hint: '--yes, where the link came from the host’s own screen',
    });
  }
  const link = linkOf(await codeOf(terminal, given), options.at);
  return withBook(validator, options, async (book) => {
    const eraseMaster = await book.eraseMaster();
    const first = (await book.list()).length === 0;
    const key = await book.keys.create();
    const publicKey = Buffer.from(key.publicKey).toString('base64url');
    let label = '';
    let kept = false;
    const confirm = async (names: PairNames) => {
      label = await book.checkLabel(options.name ?? `${names.account}@${names.host}`);
      terminal.tell(`\n  ${names.account} on ${names.host}, for ${names.services.join(', ')}\n`);
      if (options.yes === true) return true;
      return /^y(es)?$/i.test(
        (await terminal.ask('Is this the host and the account that you mean? [y/N] ')).trim(),
      );
    };
    try {
      const join = new PairJoin({ crypto: nodeNoise, link, key, name: options.device, eraseMaster });
      const end = await joinPair(join, await reachHost(link.addresses), clock, confirm, async (record) => {
        await book.add(label, record);
        kept = true;
      });
      if (end.outcome !== 'paired' && end.outcome !== 'unknown') {
        throw new CountersignError('pairing-failed', FAILURES[end.outcome]);
      }
      const statement = formatEraseStatement({ scope: 'all', token: eraseMaster });
      const unconfirmed = end.outcome === 'unknown';
      if (options.json)
        terminal.print(JSON.stringify({ added: label, confirmed: !unconfirmed, erase: statement }));
      else {
        terminal.print(`Paired: ${makeVisible(label)}`);
        if (unconfirmed) terminal.tell(FAILURES.unknown);
        if (first) {
          terminal.tell(ERASE_HINT(statement));
          if (terminal.canAsk) terminal.tell(encodeQR(statement, 'ascii', { ecc: 'low' }));
        }
      }
      return unconfirmed ? EXIT.unknown : EXIT.ok;
    } finally {
      if (!kept) await book.keys.forget(publicKey);
    }
  });
}

const ERASE_HINT = (statement: string) => `
Keep this on paper, away from this device. Shown to any of your hosts (countersign-gate erase), it kills this
validator’s pairs there without a login, should the device be lost:

  ${statement}
`;

async function codeOf(terminal: Terminal, given: string | undefined): Promise<string> {
  if (given === '-') return readFileSync(0, 'utf8').trim();
  if (given !== undefined) return given;
  if (terminal.canAsk)
    return (await terminal.askSecret('The link or the letters that the host shows: ')).trim();
  throw new CountersignError('usage', 'nobody can be asked for the code', {
    hint: '`countersign validator add -` reads it from standard input',
  });
}

function linkOf(code: string, at: string | undefined): PairLink {
  if (isPairLink(code)) return parsePairLink(code);
  if (at !== undefined) return { code: parsePairCode(code), addresses: [parseAddress(at)] };
  throw new CountersignError('usage', 'where the host is must be said, with the letters', {
    hint: '--at server.example:8475; the link that the QR code holds says it by itself',
  });
}
