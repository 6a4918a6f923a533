/**
 * `countersign watch`: a live list of what waits, with a countdown, answered at a keystroke.
 * @module
 */
import { emitKeypressEvents } from 'node:readline';
import type { Device, Door, KeyStore, PendingList } from '@countersign/client';
import { CountersignError, isSealable, type Device as LogDevice } from '@countersign/core';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { factsText, noticeText, UNSEALABLE } from '../device-text.ts';
import type { Profile } from '../profile.ts';
import { questionLine, requestText, secondsText } from '../question-text.ts';
import { type Stranger, strangersOf, strangerText } from '../stranger-text.ts';
import {
  answerable,
  chosenRequest,
  EMPTY,
  guarded,
  move,
  type WatchList,
  withRequests,
} from '../watch-list.ts';
import { layOut, type Screen } from '../watch-screen.ts';
import { type Cli, withProfile } from './context.ts';

const KEYS = 'r reject · f reject as fraud · ↑↓ choose · q quit';
/** For so long, in ms, a passphrase that was typed proves that the person is there. */
const VERIFIED_MS = 30_000;

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
        if (json) return reportEvents(cli, profile, await profile.device());
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
async function reportEvents(cli: Cli, { keyStore }: Profile, device: Device): Promise<void> {
  const { terminal } = cli;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const seen = sights(cli, device, keyStore, stop.signal, () => {});
  for await (const { list, strangers, door, recoveries, sealable } of seen) {
    const requests = list.requests.map(({ id, hash, enquirer, question, expiresAt }) => ({
      id,
      hash,
      enquirer: enquirer.name,
      text: question.parts.map(({ text }) => text).join(' · '),
      kind: question.kind,
      parts: question.parts,
      fields: question.fields ?? [],
      passcode: question.passcode !== undefined,
      uv: question.uv === true,
      expiresAt,
    }));
    const contactRequests = strangers.map(({ enquirer: { name }, fingerprint }) => ({ name, fingerprint }));
    const suspects = list.suspects.map(({ enquirer, error: { code } }) => ({ enquirer, code }));
    const devices = door.waiting.map(({ facts }) => facts);
    const recovering = recoveries.map(({ kid, name }) => ({ kid, name }));
    const { notices } = door;
    const facts = { requests, contactRequests, suspects, devices, recovering, notices, sealable };
    terminal.print(JSON.stringify(facts));
  }
}

/** What waits: questions, strangers that want to ask, devices before the door, and devices that came in by recovery. */
interface Sight {
  readonly list: PendingList;
  readonly strangers: readonly Stranger[];
  readonly door: Door;
  readonly recoveries: readonly LogDevice[];
  /** Whether anybody can ask this account. */
  readonly sealable: boolean;
}

async function lookAtList({ crypto }: Cli, device: Device): Promise<Pick<Sight, 'list' | 'strangers'>> {
  const list = await device.pending({ max: 100 });
  return { list, strangers: await strangersOf(crypto, list.contactRequests) };
}

async function look(cli: Cli, device: Device, keyStore: KeyStore): Promise<Sight> {
  const waiting = await lookAtList(cli, device);
  const door = await device.devices.door();
  await device.maintain(keyStore).catch(() => {});
  const log = await device.session.ownLog();
  const recoveries = [...log.devices.values()].filter((one) => one.probation && one.revokedAt === undefined);
  return { ...waiting, door, recoveries, sealable: isSealable(log) };
}

/** What waits, at first and after every event. */
async function* sights(
  cli: Cli,
  device: Device,
  keyStore: KeyStore,
  signal: AbortSignal,
  onLine: (up: boolean) => void,
): AsyncGenerator<Sight> {
  const over = new AbortController();
  void device.maintainHourly(keyStore, AbortSignal.any([signal, over.signal]));
  try {
    while (!signal.aborted) {
      let latest = await look(cli, device, keyStore);
      yield latest;
      // A stream that ends has lost its place: begin again from the list.
      for await (const happened of device.follow(latest.list.cursor, signal, onLine)) {
        if (happened.kind === 'resync') break;
        const { kind } = happened.event;
        // What comes before the door is read anew only where that, or the log, has changed.
        if (kind === 'request' || kind === 'settled') {
          yield { ...latest, ...(await lookAtList(cli, device)) };
        } else {
          latest = await look(cli, device, keyStore);
          yield latest;
        }
      }
    }
  } finally {
    over.abort();
  }
}

/** What is typed for an accept: the asker's digits, or the passphrase. */
type Typing =
  | { readonly what: 'digits'; readonly text: string }
  | { readonly what: 'passphrase'; readonly text: string; readonly passcode: string | undefined };

class Watch {
  readonly #cli: Cli;
  readonly #profile: Profile;
  readonly #device: Device;
  readonly #stop = new AbortController();
  readonly #draw = createLogUpdate(process.stdout);
  #list: WatchList = EMPTY;
  #sight: Sight | undefined;
  #line = true;
  #said = '';
  #busy = false;
  #typing: Typing | undefined;
  /** Page of the question, and the pages that were shown of it in a window of this size. */
  #page = 0;
  #shown: { what: string; pages: Set<number> } = { what: '', pages: new Set() };
  #screen: Screen = { lines: [], pages: 0, page: 0, room: 0 };

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
      const seen = sights(this.#cli, this.#device, this.#profile.keyStore, this.#stop.signal, (up) => {
        this.#line = up;
        this.#show();
      });
      for await (const sight of seen) {
        this.#take(sight);
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

  #take(sight: Sight): void {
    const before = this.#list.chosen;
    this.#list = withRequests(this.#list, sight.list.requests, this.#now());
    this.#sight = sight;
    if (this.#list.chosen !== before) this.#turnTo(0);
    this.#show();
  }

  #press({ name, sequence, ctrl }: Key): void {
    if ((ctrl && name === 'c') || (name === 'q' && this.#typing === undefined)) {
      this.#stop.abort();
      return;
    }
    if (this.#busy) return;
    if (this.#typing?.what === 'digits') this.#typeDigit(this.#typing.text, name, sequence);
    else if (this.#typing !== undefined) this.#typePassphrase(this.#typing, name, sequence);
    else if (name === 'down' || name === 'j') this.#choose(1);
    else if (name === 'up' || name === 'k') this.#choose(-1);
    else if (name === 'space' || name === 'pagedown') this.#turnTo(this.#screen.page + 1);
    else if (name === 'b' || name === 'pageup') this.#turnTo(this.#screen.page - 1);
    else if (name === 'a') this.#accept();
    else if (name === 'r') this.#answer('reject');
    else if (name === 'f') this.#answer('fraud');
    this.#show();
  }

  #choose(by: 1 | -1): void {
    this.#list = move(this.#list, by, this.#now());
    this.#turnTo(0);
  }

  #turnTo(page: number): void {
    this.#page = Math.max(0, Math.min(page, this.#screen.pages - 1));
    if (this.#page !== this.#screen.page) this.#list = guarded(this.#list, this.#now());
    this.#typing = undefined;
  }

  #typeDigit(digits: string, name: string | undefined, sequence: string | undefined): void {
    if (name === 'escape') this.#typing = undefined;
    else if (name === 'backspace') this.#typing = { what: 'digits', text: digits.slice(0, -1) };
    else if (sequence !== undefined && /^\d$/.test(sequence)) {
      this.#typing = { what: 'digits', text: digits + sequence };
      if (digits.length === 5) this.#confirm(digits + sequence);
    }
  }

  #typePassphrase(
    { text, passcode }: Typing & { what: 'passphrase' },
    name: string | undefined,
    sequence: string | undefined,
  ): void {
    if (name === 'escape') this.#typing = undefined;
    else if (name === 'return' || name === 'enter') this.#verify(text, passcode);
    else if (name === 'backspace') this.#typing = { what: 'passphrase', text: text.slice(0, -1), passcode };
    else if (sequence !== undefined && !/\p{Cc}/u.test(sequence)) {
      this.#typing = { what: 'passphrase', text: text + sequence, passcode };
    }
  }

  #accept(): void {
    const request = answerable(this.#list, this.#now());
    if (request === undefined) return;
    if (!this.#allShown()) this.#said = 'There is more to read: press space.';
    else if (request.question.passcode !== undefined && request.signed === undefined) {
      this.#typing = { what: 'digits', text: '' };
    } else this.#confirm(undefined);
  }

  /** Accepts, once the person has proved that they are there where that is asked. */
  #confirm(passcode: string | undefined): void {
    this.#typing = undefined;
    const uv = answerable(this.#list, this.#now())?.question.uv === true;
    if (!uv || this.#profile.personVerified(VERIFIED_MS)) {
      this.#answer('accept', passcode);
      return;
    }
    this.#during('…', async () => {
      if (await this.#profile.takesPassphrase()) {
        this.#typing = { what: 'passphrase', text: '', passcode };
        return '';
      }
      return this.#send('accept', passcode);
    });
  }

  #verify(typed: string, passcode: string | undefined): void {
    const { chosen } = this.#list;
    this.#typing = undefined;
    this.#during('…', async () => {
      await this.#profile.verifyPerson(typed);
      return this.#list.chosen === chosen ? this.#send('accept', passcode) : '';
    });
  }

  #answer(decision: 'accept' | 'reject' | 'fraud', passcode?: string): void {
    if (answerable(this.#list, this.#now()) === undefined) return;
    this.#during('Sending your answer…', () => this.#send(decision, passcode));
  }

  async #send(decision: 'accept' | 'reject' | 'fraud', passcode: string | undefined): Promise<string> {
    const request = answerable(this.#list, this.#now());
    if (request === undefined) return '';
    const decided = await this.#device.answer(request, {
      decision,
      shown: 'screen',
      userVerified: this.#profile.personVerified(VERIFIED_MS),
      ...(passcode === undefined ? {} : { passcode }),
    });
    return `${questionLine(request.question)}: ${SAID[decided]}`;
  }

  /** Does something during which keys do nothing, and says what came of it. */
  #during(saying: string, work: () => Promise<string>): void {
    this.#busy = true;
    this.#said = saying;
    work()
      .then((said) => {
        this.#said = said;
      })
      .catch((error: Error) => {
        this.#said = this.#cli.terminal.style('red', error.message);
      })
      .finally(() => {
        this.#busy = false;
        this.#show();
      });
  }

  #allShown(): boolean {
    const { pages } = this.#screen;
    return (
      pages > 0 &&
      Array.from({ length: pages }, (_, page) => page).every((page) => this.#shown.pages.has(page))
    );
  }

  #show(): void {
    if (this.#stop.signal.aborted) return;
    const { terminal, clock } = this.#cli;
    const chosen = chosenRequest(this.#list);
    const list = this.#list.requests.map((request) => {
      const mark = request.hash === chosen?.hash ? terminal.style('bold', '▶') : ' ';
      const left = secondsText(request.expiresAt - clock.now()).padStart(6);
      return `${mark} ${left}  ${request.enquirer.name}: ${questionLine(request.question)}`;
    });
    const notes: string[] = [];
    if (this.#said !== '') notes.push('', this.#said);
    if (!this.#line) notes.push('', terminal.style('yellow', 'The broker does not answer; trying again…'));
    for (const { kid, name } of this.#sight?.recoveries ?? []) {
      notes.push(
        '',
        terminal.style('red', `${name} came in by the recovery code. If that was not you:`),
        `  countersign device revoke ${kid.slice(0, 9)}`,
      );
    }
    if (this.#sight?.sealable === false) notes.push('', terminal.style('red', UNSEALABLE));
    for (const notice of this.#sight?.door.notices ?? []) {
      notes.push('', terminal.style('yellow', noticeText(notice)));
    }
    // What strangers can make longer comes last: the rest is cut where there is no room.
    for (const { facts } of this.#sight?.door.waiting ?? []) {
      notes.push(
        '',
        `${terminal.style('yellow', 'new device')} ${facts.name} wants in:`,
        factsText(facts, clock.now(), terminal),
        `  → countersign device accept ${facts.kid.slice(0, 9)}`,
      );
    }
    for (const stranger of this.#sight?.strangers ?? []) notes.push('', strangerText(stranger, terminal));
    for (const { enquirer, error } of this.#sight?.list.suspects ?? []) {
      notes.push('', terminal.style('red', `not shown: from ${enquirer}: ${error.message} (${error.code})`));
    }
    const content = {
      list,
      chosen: this.#list.requests.findIndex(({ hash }) => hash === chosen?.hash),
      question:
        chosen === undefined
          ? ['Nothing waits for your answer.']
          : requestText(chosen, clock.now(), terminal).split('\n'),
      notes,
    };
    const { columns = 80, rows = 24 } = process.stdout;
    // As tall as it will be with its pages named, or less.
    const { pages } = layOut({ ...content, keys: this.#keys(9, 9) }, { columns, rows }, 0);
    const keys = this.#keys(this.#page, pages);
    this.#screen = layOut({ ...content, keys }, { columns, rows }, this.#page);
    this.#page = this.#screen.page;
    const what = `${chosen?.hash} ${columns} ${this.#screen.room}`;
    if (this.#shown.what !== what) this.#shown = { what, pages: new Set() };
    this.#shown.pages.add(this.#page);
    this.#draw(this.#screen.lines.join('\n'));
  }

  #keys(page: number, pages: number): string {
    const { terminal } = this.#cli;
    switch (this.#typing?.what) {
      case 'digits':
        return `The six digits that the asker shows: ${this.#typing.text}▁  (Esc to go back)`;
      case 'passphrase':
        return `Your passphrase, to prove that you are there: ${'•'.repeat(this.#typing.text.length)}▁  (Enter; Esc to go back)`;
    }
    if (pages <= 1) return terminal.style('dim', `a accept · ${KEYS}`);
    const turn = `page ${page + 1} of ${pages}: space on, b back`;
    return terminal.style('dim', `${turn} · a accept, after the last page · ${KEYS}`);
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
