/**
 * `validator sign-on`: the person has picked the interface, and moves the passcode.
 * @module
 */
import {
  type ContextAnswer,
  judge,
  type KnownInterface,
  type ShownContext,
  type SignOnResult,
  signOn,
} from '@countersign/client/m-auth';
import { nodeNoise, reachHost } from '@countersign/client/node';
import { CountersignError } from '@countersign/core';
import { readPasscode } from '@countersign/core/m-auth';
import type { Command } from 'commander';
import { exitOfEnd } from '../exit-codes.ts';
import { contextText, endText } from '../sign-on-text.ts';
import { type GlobalOptions, needFolder, type Validator, withBook } from '../validator.ts';

export function addSignOnCommand(program: Command, validator: Validator): void {
  program
    .command('sign-on')
    .summary('sign on to an interface that you pick, with the passcode on its screen')
    .description(
      'Signs on. You pick the interface; the passcode stands on its screen. What you sign on to is shown, and you accept, deny, or report it.',
    )
    .argument('<name>', 'as `countersign validator list` has it')
    .argument('[passcode]', 'the digits on the screen, or what its QR code says; without it you are asked')
    .option('--service <name>', 'deny it if it is for another service than this')
    .action(async (name: string, passcode: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { service?: string }>();
      needFolder(validator, options);
      await withBook(validator, options, async (book) => {
        const known = await book.find(name);
        const key = await book.keys.load(known.record.key);
        if (key === undefined) throw new CountersignError('key-file-invalid', 'the key of this pair is gone');
        const digits = await passcodeOf(validator, passcode);
        const duplex = await reachHost(known.record.addresses);
        const asking = new Asking(validator, known, options.service);
        const result = await signOn(
          {
            crypto: nodeNoise,
            clock: validator.clock,
            records: book,
            record: known.record,
            key,
            passcode: digits,
            duplex,
          },
          asking,
        ).finally(() => asking.stop());
        validator.exit = exitOfEnd(result.end);
        print(validator, known, asking.shown, result, options);
      });
    });
}

/** The person, or their rules, at a context. */
class Asking {
  shown: ShownContext | undefined;
  readonly #validator: Validator;
  readonly #known: KnownInterface;
  readonly #service: string | undefined;
  #countdown: { stop(): void } | undefined;

  constructor(validator: Validator, known: KnownInterface, service: string | undefined) {
    this.#validator = validator;
    this.#known = known;
    this.#service = service;
  }

  async answer(shown: ShownContext, signal: AbortSignal): Promise<ContextAnswer> {
    this.shown = shown;
    const { terminal } = this.#validator;
    const { message } = shown;
    terminal.tell(contextText(message));
    if (this.#service !== undefined && message.context.service !== this.#service) {
      terminal.tell(`Denied: it is not for ${this.#service}.`);
      return { answer: 'deny', by: 'rule' };
    }
    const now = new Date(this.#validator.clock.now() * 1000);
    const at = { day: now.getDay(), minute: now.getHours() * 60 + now.getMinutes() };
    const judged = judge(this.#known.rules, message.context, at);
    if (judged.verdict === 'deny') {
      terminal.tell(`Denied by your rules: ${judged.because}.`);
      return { answer: 'deny', by: 'rule' };
    }
    if (judged.verdict === 'accept') {
      terminal.tell('Accepted by your rules.');
      return { answer: 'accept', by: 'rule' };
    }
    if (!terminal.canAsk) {
      terminal.tell('Denied: nobody can be asked, and no rule accepts it.');
      return { answer: 'deny', by: 'rule' };
    }
    const { clock } = this.#validator;
    const left = () => Math.max(0, Math.ceil((shown.until - clock.monotonic()) / 1000));
    const prompt = () => `Sign on? [y] yes  [n] no  [f] no, and it was not me (${left()} s left): `;
    for (;;) {
      const typed = (await terminal.askUntil(prompt, signal)).trim().toLowerCase();
      if (/^y(es)?$/.test(typed)) return { answer: 'accept', by: 'person' };
      if (/^no?$/.test(typed)) return { answer: 'deny', by: 'person' };
      if (/^f(raud)?$/.test(typed)) return { answer: 'fraud', by: 'person' };
    }
  }

  approval(given: number, needed: number): void {
    this.stop();
    this.#countdown = this.#validator.terminal.countdown(
      () => `Waiting for approvers: ${given} of ${needed} (Ctrl-C to stop waiting)`,
    );
  }

  stop(): void {
    this.#countdown?.stop();
  }
}

async function passcodeOf({ terminal }: Validator, given: string | undefined): Promise<string> {
  if (given === undefined && !terminal.canAsk) throw new CountersignError('usage', 'the passcode is missing');
  const read = readPasscode(given ?? (await terminal.ask('Passcode on the screen: ')));
  if (read !== undefined) return read;
  throw new CountersignError('usage', 'a passcode has six digits');
}

function print(
  { terminal }: Validator,
  { label, record }: KnownInterface,
  shown: ShownContext | undefined,
  { end, alarm }: SignOnResult,
  { json }: GlobalOptions,
): void {
  const context = shown?.message.context;
  if (json) terminal.print(JSON.stringify({ name: label, ...end, alarm, ...(context && { context }) }));
  else if (end.outcome === 'granted') terminal.print(endText(end, record));
  else terminal.tell(endText(end, record));
}
