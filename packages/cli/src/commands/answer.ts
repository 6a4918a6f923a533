/**
 * `countersign confirm`, the answering side: pending, show, accept, reject, block, history.
 * @module
 */
import { writeFileSync } from 'node:fs';
import type { AnswerOptions, Device, PendingList, PendingRequest } from '@countersign/client';
import { CountersignError, type Decision, isSealable } from '@countersign/core';
import type { Command } from 'commander';
import { wholeNumber } from '../arguments.ts';
import { UNSEALABLE } from '../device-text.ts';
import { EXIT } from '../exit-codes.ts';
import type { Profile } from '../profile.ts';
import { questionLine, requestText, secondsText } from '../question-text.ts';
import { isWholeId, pickById } from '../request-ids.ts';
import { rememberList, rememberShown, wasShown } from '../shown-questions.ts';
import { type Stranger, strangersOf, strangerText } from '../stranger-text.ts';
import { change } from './contact.ts';
import { type Cli, show, withProfile } from './context.ts';

interface Answering {
  passcode?: string;
  hash?: string;
  shown?: boolean;
  fraud?: boolean;
}

/** The passphrase that was typed for this command counts for its answer, and no longer. */
const ANSWER_MS = 300_000;
const PENDING_ID = 'of the question, as `confirm pending` lists it, or an unambiguous start';

export function addAnswerCommands(confirm: Command, cli: Cli): void {
  confirm
    .command('pending')
    .description('list what waits for your answer')
    .option('--max <n>', 'at most so many', wholeNumber)
    .option('--before <place>', 'only those before a place (see --json)', wholeNumber)
    .option('--after <place>', 'only those after a place', wholeNumber)
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const device = await profile.device();
        const list = await device.pending(options);
        await rememberList(profile.state, list.requests, cli.clock.now());
        const strangers = await strangersOf(cli.crypto, list.contactRequests);
        show(cli, json, pendingJson(list, strangers), () => pendingText(cli, list, strangers));
        if (list.suspects.length > 0) cli.exit = EXIT.notGood;
        // A device of the account may have gone since the log was read last.
        await device.session.ownLog(0);
        await profile.maintain();
        if (!isSealable(await device.session.ownLog())) {
          cli.terminal.tell(cli.terminal.style('red', UNSEALABLE));
        }
      }),
    );

  confirm
    .command('show')
    .description('show a pending question, all of it')
    .argument('<id>', PENDING_ID)
    .action((id: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const request = await pick(await profile.device(), id);
        await rememberShown(profile.state, [request], cli.clock.now());
        show(cli, json, requestJson(request), () => requestText(request, cli.clock.now(), cli.terminal));
      }),
    );

  answering(
    confirm
      .command('accept')
      .description(
        'show a question, all of it, and accept it: your device signs your yes. By the start of an id, only what was shown here before: else this shows it, signs nothing, and ends with 9',
      )
      .option('--passcode <digits>', 'the six digits that the asker shows'),
  ).action((id: string, options: Answering, command: Command) =>
    withProfile(cli, command, (profile, json) => answer(cli, profile, json, id, 'accept', options)),
  );

  answering(
    confirm
      .command('reject')
      .description('reject a question: your device signs your no')
      .option('--fraud', 'you did not start this: say so to the asker, and pause them'),
  ).action((id: string, options: Answering, command: Command) =>
    withProfile(cli, command, (profile, json) =>
      answer(cli, profile, json, id, options.fraud ? 'fraud' : 'reject', options),
    ),
  );

  confirm
    .command('block')
    .description('take no more questions from an account; it stays so until `contact unblock`')
    .argument('<name or id>', 'of the account, like shop@example.com; or of a question of theirs')
    .action((typed: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const name = typed.includes('@') ? typed : await askerOf(await profile.device(), typed);
        await change(cli, profile, json, name, 'block');
      }),
    );

  confirm
    .command('history')
    .description('list what was answered, and what became of the rest')
    .option('--max <n>', 'at most so many', wholeNumber)
    .option('--receipt <id>', 'write the receipt of an answer that this device gave')
    .option('--out <file>', 'where to write the receipt', 'receipt.json')
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const device = await profile.device();
        const past = await device.history({ max: options.max ?? 50 });
        if (options.receipt !== undefined) {
          const { hash } = pickById(past, options.receipt, 'is in the history');
          writeFileSync(options.out, `${JSON.stringify(await device.receipt(hash), null, 2)}\n`, {
            mode: 0o600,
          });
          cli.terminal.tell(`The receipt is in ${options.out}.`);
          return;
        }
        show(cli, json, { history: past }, () =>
          past.length === 0
            ? 'Nothing yet.'
            : past
                .map(({ id, enquirer, state, decision, settledAt }) =>
                  [
                    new Date(settledAt * 1000).toISOString(),
                    (decision ?? state).padEnd(8),
                    enquirer,
                    id,
                  ].join('  '),
                )
                .join('\n'),
        );
      }),
    );
}

function answering(command: Command): Command {
  return command
    .argument('<id>', PENDING_ID)
    .option('--hash <hash>', 'without a terminal: the hash of the request that was shown elsewhere')
    .option('--shown', 'without a terminal: you vouch that the person was shown all of it');
}

async function answer(
  cli: Cli,
  profile: Profile,
  json: boolean,
  id: string,
  decision: 'accept' | 'reject' | 'fraud',
  options: Answering,
): Promise<void> {
  cli.givenHere = true;
  const device = await profile.device();
  const request = await pick(device, id);
  if (!json) cli.terminal.print(requestText(request, cli.clock.now(), cli.terminal));
  const shown = howShown(cli, json, request, options);
  if (decision === 'accept' && shown !== 'hash' && !isWholeId(request.id, id)) {
    await checkSeen(cli, profile, request, shown);
  }
  const given = { decision, shown, userVerified: profile.personVerified(ANSWER_MS) };
  const decided =
    decision === 'accept' && request.question.passcode !== undefined && options.passcode === undefined
      ? await askPasscode(cli, device, request, given)
      : await device.answer(request, {
          ...given,
          ...(options.passcode === undefined ? {} : { passcode: options.passcode }),
        });
  show(cli, json, { id: request.id, hash: request.hash, decision: decided, shown }, () => DONE[decided]);
  if (decided === 'passcode-failed') cli.exit = EXIT.passcodeFailed;
  await profile.maintain();
}

const DONE = {
  accept: 'Accepted: your signed yes is with the asker.',
  reject: 'Rejected: your signed no is with the asker.',
  fraud: 'Rejected as fraud: the asker is told, and paused.',
  'passcode-failed': 'Ended: too many wrong passcodes. The asker is told.',
} as const;

/** By which way the person saw the question. @throws `not-shown` */
function howShown(
  { terminal }: Cli,
  json: boolean,
  request: PendingRequest,
  options: Answering,
): AnswerOptions['shown'] {
  if (options.hash !== undefined) {
    if (options.hash === request.hash) return 'hash';
    throw new CountersignError('request-mismatch', 'the hash is of another request than the id');
  }
  if (options.shown) return 'caller';
  if (terminal.isTerminal && !json) return 'screen';
  throw new CountersignError('not-shown', 'this is no terminal: nobody was shown the question', {
    hint: 'give --hash <hash> of the request that was shown (see `confirm show --json`), or --shown to vouch for it',
  });
}

/**
 * The start of an id means a question that was shown here before: an asker can make another one that begins alike.
 * @throws `not-shown`
 */
async function checkSeen(
  { clock }: Cli,
  profile: Profile,
  request: PendingRequest,
  shown: AnswerOptions['shown'],
): Promise<void> {
  if (await wasShown(profile.state, request)) return;
  const printed = shown === 'screen';
  if (printed) await rememberShown(profile.state, [request], clock.now());
  throw new CountersignError('not-shown', 'this question was not shown here before: nothing was signed', {
    hint: printed
      ? 'it stands above; if it is the one that you mean, run this again'
      : `give the whole id, ${request.id}`,
  });
}

/** Asks for the digits until they are right, or the device ends it. */
async function askPasscode(
  { terminal }: Cli,
  device: Device,
  request: PendingRequest,
  given: AnswerOptions,
): Promise<Decision['decision']> {
  if (!terminal.canAsk) return device.answer(request, given);
  for (;;) {
    const passcode = await terminal.ask('The six digits that the asker shows: ');
    try {
      return await device.answer(request, { ...given, passcode });
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code !== 'passcode-wrong') throw error;
      terminal.tell(`${error.message}.`);
    }
  }
}

async function pick(device: Device, typed: string): Promise<PendingRequest> {
  const { requests } = await device.pending({ max: 100 });
  return pickById(requests, typed, 'waits for your answer');
}

/** Name of the account that asks, or wants to be able to, by an id. */
async function askerOf(device: Device, typed: string): Promise<string> {
  const { requests, contactRequests } = await device.pending({ max: 100 });
  return pickById([...requests, ...contactRequests], typed, 'waits for your answer').enquirer.name;
}

function pendingText(cli: Cli, { requests, suspects }: PendingList, strangers: readonly Stranger[]): string {
  const now = cli.clock.now();
  const lines = requests.map(
    (request) =>
      `${request.id}  ${secondsText(request.expiresAt - now).padStart(6)}  ${request.enquirer.name}: ${cli.terminal.style('bold', questionLine(request.question))}`,
  );
  for (const stranger of strangers) {
    const { enquirer } = stranger;
    lines.push(
      strangerText(stranger, cli.terminal),
      `  \`countersign contact add ${enquirer.name}\` lets it; \`countersign confirm block ${enquirer.name}\` stops it for good.`,
    );
  }
  for (const { enquirer, error } of suspects) {
    lines.push(
      cli.terminal.style(
        'red',
        `not shown, since it is not good: from ${enquirer}: ${error.message} (${error.code})`,
      ),
    );
  }
  return lines.length === 0 ? 'Nothing waits for your answer.' : lines.join('\n');
}

function pendingJson({ requests, suspects, cursor }: PendingList, strangers: readonly Stranger[]) {
  return {
    requests: requests.map(requestJson),
    contactRequests: strangers.map(({ id, hash, enquirer, fingerprint, expiresAt }) => ({
      id,
      hash,
      enquirer,
      fingerprint,
      expiresAt,
    })),
    suspects: suspects.map(({ hash, enquirer, error: { code, message } }) => ({
      hash,
      enquirer,
      code,
      message,
    })),
    cursor,
  };
}

function requestJson({ id, hash, enquirer, question, askedAt, expiresAt }: PendingRequest) {
  const { salt: _, ...shown } = question;
  return { id, hash, enquirer, question: shown, askedAt, expiresAt };
}
