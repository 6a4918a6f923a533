/**
 * `countersign confirm`, the asker's side: post, status, cancel, verify.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Asked, Enquirer, Outcome } from '@countersign/client';
import {
  CountersignError,
  DEFAULT_LIFETIME,
  type Field,
  type Kind,
  MAX_LIFETIME,
  parseAccountName,
  statementId,
} from '@countersign/core';
import { parseSrml } from '@countersign/core/srml';
import { type Command, InvalidArgumentError, Option } from 'commander';
import encodeQR from 'qr';
import { duration } from '../arguments.ts';
import { startCountdown } from '../countdown.ts';
import { EXIT_HELP, exitOfOutcome } from '../exit-codes.ts';
import type { Profile } from '../profile.ts';
import { secondsText } from '../question-text.ts';
import { pickById } from '../request-ids.ts';
import { defaultContact } from './contact.ts';
import { type Cli, show, withProfile } from './context.ts';

const ASKED_ID = 'of the question, as `confirm post` gave it, or an unambiguous start';

const DASH_HELP = `
A text that a script got from elsewhere goes last, behind a lone --, since it may begin with a dash:
  countersign confirm post alice@example.com --wait -- "$text"
`;

export function addAskCommands(confirm: Command, cli: Cli): void {
  confirm
    .command('post')
    .description('ask an account to confirm an action')
    .argument('[account and text...]', 'whom to ask (or else the default contact), and what')
    .addOption(
      new Option('--kind <kind>', 'what it decides')
        .choices(['login', 'payment', 'approval'])
        .default('login'),
    )
    .option('--field <name=value>', 'a detail to show; may be given again', collectField)
    .option('--expires <time>', 'how long it stands, like 90s or 5m', duration)
    .option('--passcode', 'show six digits here that must be typed there')
    .option('--qr', 'with --passcode: show the digits as a QR code too, which a telephone scans')
    .option('--uv', 'ask that the device checks that the person is there')
    .option('--srml <file>', 'read the question from an SRML file (- for standard input)')
    .option('--clear', 'do not seal it: the broker may read the question')
    .option(
      '--fresh <time>',
      'how old the broker’s word for the account’s devices may be, like 5m, where the kind allows more (1h; an approval 1d)',
      duration,
    )
    .option(
      '--wait',
      'wait for the answer, and exit by it; with --json, its line follows that of the question',
    )
    .addHelpText('after', `${DASH_HELP}${EXIT_HELP}`)
    .action((words: string[], options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { account, text } = await whomAndWhat(profile, words, options.srml !== undefined);
        const kind = options.kind as Kind;
        const lifetime = options.expires ?? DEFAULT_LIFETIME[kind];
        if (lifetime > MAX_LIFETIME[kind]) {
          const most = `a ${kind} stands for at most ${secondsText(MAX_LIFETIME[kind])}`;
          throw new CountersignError('usage', most, { hint: 'a shorter --expires' });
        }
        const enquirer = await profile.enquirer();
        const asked = await enquirer.ask({
          account,
          text: options.srml === undefined ? text! : parseSrml(readFileSync(source(options.srml), 'utf8')),
          kind,
          ...(options.field === undefined ? {} : { fields: options.field }),
          passcode: options.passcode === true,
          userVerification: options.uv === true,
          sealed: options.clear !== true,
          ...(options.fresh === undefined ? {} : { maxCheckpointAge: options.fresh }),
          lifetime,
        });
        await showAsked(cli, json, asked, options.qr === true);
        if (options.wait) {
          const outcome = await waitFor(cli, enquirer, asked.hash, asked.account.name);
          showOutcome(cli, json, outcome);
          cli.exit = exitOfOutcome(outcome);
        }
        await profile.maintain();
      }),
    );

  confirm
    .command('status')
    .description('what has become of a question of yours; an answer is verified')
    .argument('<id>', ASKED_ID)
    .option('--wait', 'wait for the answer, and exit by it')
    .addHelpText('after', EXIT_HELP)
    .action((id: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const enquirer = await profile.enquirer();
        const { hash, account } = pickById(await enquirer.asked(), id, 'was asked from this profile');
        const outcome = options.wait
          ? await waitFor(cli, enquirer, hash, account)
          : await enquirer.status(hash);
        showOutcome(cli, json, outcome);
        cli.exit = exitOfOutcome(outcome);
        await profile.maintain();
      }),
    );

  confirm
    .command('cancel')
    .description('cancel a question of yours')
    .argument('<id>', ASKED_ID)
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const enquirer = await profile.enquirer();
        const asked = pickById(await enquirer.asked(), id, 'was asked from this profile');
        await enquirer.cancel(asked.hash);
        show(cli, json, { id: asked.id, state: 'cancelled-by-enquirer' }, () => `Cancelled ${asked.id}.`);
      }),
    );

  confirm
    .command('verify')
    .description('verify the answer to a question of yours, and write its receipt')
    .argument('<id>', ASKED_ID)
    .option('--out <file>', 'where to write the receipt; it verifies offline, years later')
    .addHelpText('after', EXIT_HELP)
    .action((id: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const enquirer = await profile.enquirer();
        const { hash } = pickById(await enquirer.asked(), id, 'was asked from this profile');
        const outcome = await enquirer.status(hash);
        if (options.out !== undefined && 'answer' in outcome) {
          const receipt = await enquirer.receipt(hash);
          writeFileSync(options.out, `${JSON.stringify(receipt, null, 2)}\n`, { mode: 0o600 });
          cli.terminal.tell(`The receipt is in ${options.out}.`);
        }
        showOutcome(cli, json, outcome);
        cli.exit = exitOfOutcome(outcome);
      }),
    );
}

async function whomAndWhat(
  profile: Profile,
  words: string[],
  textElsewhere: boolean,
): Promise<{ account: string; text: string | undefined }> {
  const parts = textElsewhere ? [...words, undefined] : words;
  const [first, second] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (parts.length === 0) {
    throw new CountersignError('usage', 'what to ask?', { hint: 'like confirm post "Log in to Host1"' });
  }
  if (parts.length > 2) {
    throw new CountersignError('usage', 'too many words', { hint: 'put the question in quotes' });
  }
  const account = first ?? (await defaultContact(profile));
  if (account === undefined) {
    throw new CountersignError('usage', 'whom to ask? there is no default contact', {
      hint: 'name the account: confirm post alice@example.com "…"; or set a default: contact add <link> --default',
    });
  }
  return { account: parseAccountName(account), text: second };
}

async function showAsked(cli: Cli, json: boolean, asked: Asked, qr: boolean): Promise<void> {
  const { terminal, crypto, clock } = cli;
  const { firstUse, binding, account } = asked;
  const fingerprint = await statementId(crypto, account.identity);
  show(cli, json, { ...asked, account: { ...account, fingerprint } }, () =>
    [
      ...(binding === 'first-use'
        ? [
            terminal.style(
              'yellow',
              firstUse
                ? `The name ${account.name} was taken on first use.`
                : `The name ${account.name} was taken on first use before, and never bound by a link.`,
            ),
            `  Compare its fingerprint with its owner: ${fingerprint}`,
          ]
        : []),
      `Asked ${account.name}; ${secondsText(asked.expiresAt - clock.now())} to answer.`,
      `  id  ${asked.id}`,
      ...(asked.passcode === undefined
        ? []
        : [
            `  Type this there: ${terminal.style('bold', asked.passcode)}`,
            ...(qr ? ['', encodeQR(asked.passcode, 'ascii', { ecc: 'low' })] : []),
          ]),
    ].join('\n'),
  );
}

/** Until it is settled, with the time that is left before whoever looks. */
async function waitFor(cli: Cli, enquirer: Enquirer, hash: string, name: string): Promise<Outcome> {
  const countdown = startCountdown(cli, `Waiting for ${name}`, await enquirer.expiresAt(hash));
  try {
    return await enquirer.wait(hash);
  } finally {
    countdown.stop();
  }
}

function showOutcome(cli: Cli, json: boolean, outcome: Outcome): void {
  const answer =
    'answer' in outcome
      ? {
          device: outcome.answer.device.name,
          answeredAt: outcome.answer.answeredAt,
          shown: 'shown' in outcome.answer.decision ? outcome.answer.decision.shown : undefined,
        }
      : {};
  const { outcome: what } = outcome;
  const more = what === 'pending' ? { expiresAt: outcome.expiresAt } : {};
  show(cli, json, { outcome: what, ...more, ...answer }, () => outcomeText(cli, outcome));
}

function outcomeText({ terminal, clock }: Cli, outcome: Outcome): string {
  const by = () => {
    if (!('answer' in outcome)) return '';
    const { device } = outcome.answer;
    return `\n  signed by ${device.name}, ${device.kid}; verified here`;
  };
  switch (outcome.outcome) {
    case 'accepted':
      return terminal.style('green', 'accepted') + by();
    case 'rejected':
      return terminal.style('red', 'rejected') + by();
    case 'fraud':
      return terminal.style('red', 'rejected as fraud: the person did not start this') + by();
    case 'passcode-failed':
      return terminal.style('red', 'ended by wrong passcodes') + by();
    case 'refused':
      return 'refused: the account takes no questions from you';
    case 'expired':
      return 'expired: nobody answered in time';
    case 'cancelled-by-enquirer':
      return 'cancelled by the asker';
    case 'cancelled-by-broker':
      return `cancelled by the broker, which says: ${JSON.stringify(outcome.reason)}`;
    case 'pending':
      return `pending: ${secondsText(outcome.expiresAt - clock.now())} left`;
  }
}

function collectField(text: string, fields: Field[] = []): Field[] {
  const cut = text.indexOf('=');
  if (cut < 1) throw new InvalidArgumentError('like --field "Amount=12.00 EUR"');
  return [...fields, { name: text.slice(0, cut), value: text.slice(cut + 1) }];
}

function source(file: string): string | number {
  return file === '-' ? 0 : file;
}
