/**
 * `countersign watch`: a live list of what waits, with a countdown, answered at a keystroke.
 * @module
 */
import { emitKeypressEvents } from 'node:readline';
import type { Device, PendingList } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import type { Profile } from '../profile.ts';
import { questionLine, requestText, secondsText } from '../question-text.ts';
import { answerable, chosenRequest, EMPTY, move, type WatchList, withRequests } from '../watch-list.ts';
import { type Cli, withProfile } from './context.ts';

const KEYS = 'a accept · r reject · f reject as fraud · ↑↓ choose · q quit';

interface Key {
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
}

export function addWatchCommand(program: Command, cli: Cli): void {
  program
    .command('watch')
    .description('watch for questions, and answer at a keystroke; with --json, one line per event')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        if (json) return reportEvents(cli, await profile.device());
        if (!cli.terminal.isTerminal || !cli.terminal.canAsk) {
          throw new CountersignError('not-shown', 'this is no terminal: nobody would see the questions', {
            hint: 'use --json for one line per event, or `countersign confirm pending`',
          });
        }
        await new Watch(cli, profile, await profile.device()).run();
      }),
    );
}

/** Tells a script what happens, until it is ended. */
async function reportEvents({ terminal }: Cli, device: Device): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  for await (const list of pendingLists(device, stop.signal, () => {})) {
    const requests = list.requests.map(({ id, hash, enquirer, question, expiresAt }) => ({
      id,
      hash,
      enquirer: enquirer.name,
      text: questionLine(question),
      expiresAt,
    }));
    const contactRequests = list.contactRequests.map(({ enquirer }) => enquirer.name);
    const suspects = list.suspects.map(({ enquirer, error: { code } }) => ({ enquirer, code }));
    terminal.print(JSON.stringify({ requests, contactRequests, suspects }));
  }
}

/** What waits, at first and after every event. */
async function* pendingLists(
  device: Device,
  signal: AbortSignal,
  onLine: (up: boolean) => void,
): AsyncGenerator<PendingList> {
  while (!signal.aborted) {
    const list = await device.pending({ max: 100 });
    yield list;
    // A stream that ends has lost its place: begin again from the list.
    for await (const happened of device.follow(list.cursor, signal, onLine)) {
      if (happened.kind === 'resync') break;
      yield await device.pending({ max: 100 });
    }
  }
}

class Watch {
  readonly #cli: Cli;
  readonly #profile: Profile;
  readonly #device: Device;
  readonly #stop = new AbortController();
  readonly #draw = createLogUpdate(process.stdout);
  #list: WatchList = EMPTY;
  #others: Pick<PendingList, 'contactRequests' | 'suspects'> = { contactRequests: [], suspects: [] };
  #line = true;
  #said = '';
  #busy = false;
  /** The digits typed so far, while a passcode is asked for. */
  #digits: string | undefined;

  constructor(cli: Cli, profile: Profile, device: Device) {
    this.#cli = cli;
    this.#profile = profile;
    this.#device = device;
  }

  async run(): Promise<void> {
    const { stdin } = process;
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.resume();
    const onKey = (_text: string | undefined, key: Key) => this.#press(key);
    stdin.on('keypress', onKey);
    const ticking = setInterval(() => this.#show(), 500);
    try {
      const lists = pendingLists(this.#device, this.#stop.signal, (up) => {
        this.#line = up;
        this.#show();
      });
      for await (const list of lists) {
        this.#take(list);
      }
    } finally {
      clearInterval(ticking);
      stdin.off('keypress', onKey);
      stdin.setRawMode(false);
      stdin.pause();
      this.#draw.clear();
      this.#draw.done();
    }
  }

  #take(list: PendingList): void {
    const before = this.#list.chosen;
    this.#list = withRequests(this.#list, list.requests, this.#now());
    this.#others = list;
    if (this.#list.chosen !== before) this.#digits = undefined;
    this.#show();
  }

  #press({ name, sequence, ctrl }: Key): void {
    if ((ctrl && name === 'c') || (name === 'q' && this.#digits === undefined)) {
      this.#stop.abort();
      return;
    }
    if (this.#busy) return;
    if (this.#digits !== undefined) this.#typeDigit(name, sequence);
    else if (name === 'down' || name === 'j') this.#list = move(this.#list, 1, this.#now());
    else if (name === 'up' || name === 'k') this.#list = move(this.#list, -1, this.#now());
    else if (name === 'a') this.#accept();
    else if (name === 'r') this.#answer('reject');
    else if (name === 'f') this.#answer('fraud');
    this.#show();
  }

  #typeDigit(name: string | undefined, sequence: string | undefined): void {
    const digits = this.#digits ?? '';
    if (name === 'escape') this.#digits = undefined;
    else if (name === 'backspace') this.#digits = digits.slice(0, -1);
    else if (sequence !== undefined && /^\d$/.test(sequence)) {
      this.#digits = digits + sequence;
      if (this.#digits.length === 6) {
        const passcode = this.#digits;
        this.#digits = undefined;
        this.#answer('accept', passcode);
      }
    }
  }

  #accept(): void {
    const request = answerable(this.#list, this.#now());
    if (request?.question.passcode !== undefined) this.#digits = '';
    else this.#answer('accept');
  }

  #answer(decision: 'accept' | 'reject' | 'fraud', passcode?: string): void {
    const request = answerable(this.#list, this.#now());
    if (request === undefined) return;
    this.#busy = true;
    this.#said = 'Sending your answer…';
    this.#device
      .answer(request, {
        decision,
        shown: 'screen',
        userVerified: this.#profile.personVerified,
        ...(passcode === undefined ? {} : { passcode }),
      })
      .then((decided) => {
        this.#said = `${questionLine(request.question)}: ${SAID[decided]}`;
      })
      .catch((error: Error) => {
        this.#said = this.#cli.terminal.style('red', error.message);
      })
      .finally(() => {
        this.#busy = false;
        this.#show();
      });
  }

  #show(): void {
    if (this.#stop.signal.aborted) return;
    const { terminal, clock } = this.#cli;
    const chosen = chosenRequest(this.#list);
    const lines: string[] = [];
    for (const request of this.#list.requests) {
      const mark = request.hash === chosen?.hash ? terminal.style('bold', '▶') : ' ';
      const left = secondsText(request.expiresAt - clock.now()).padStart(6);
      lines.push(`${mark} ${left}  ${request.enquirer.name}: ${questionLine(request.question)}`);
    }
    if (chosen !== undefined) lines.push('', requestText(chosen, clock.now(), terminal));
    else lines.push('Nothing waits for your answer.');
    for (const { enquirer } of this.#others.contactRequests) {
      lines.push(
        '',
        `${terminal.style('yellow', 'contact request')} ${enquirer.name} wants to be able to ask you.`,
      );
    }
    for (const { enquirer, error } of this.#others.suspects) {
      lines.push('', terminal.style('red', `not shown: from ${enquirer}: ${error.message} (${error.code})`));
    }
    if (!this.#line) lines.push('', terminal.style('yellow', 'The broker does not answer; trying again…'));
    if (this.#said !== '') lines.push('', this.#said);
    const typing = `The six digits that the asker shows: ${this.#digits ?? ''}▁  (Esc to go back)`;
    lines.push('', this.#digits === undefined ? terminal.style('dim', KEYS) : typing);
    this.#draw(lines.join('\n'));
  }

  #now(): number {
    return this.#cli.clock.monotonic();
  }
}

const SAID = {
  accept: 'accepted',
  reject: 'rejected',
  fraud: 'rejected as fraud; the asker is paused',
  'passcode-failed': 'ended, too many wrong passcodes',
} as const;
