/**
 * A device answering requests: what is pending, shown only after all of it was verified; and the answer, signed.
 * @module
 */
import {
  activeDevice,
  CHECKPOINT_AGE,
  type ContactList,
  CountersignError,
  checkMayAnswer,
  checkPasscode,
  createResponse,
  type Decided,
  Decision,
  type DeviceLog,
  memberWhoAsks,
  normalizePasscode,
  type OpenRequest,
  openRequest,
  parseContent,
  parseRequest,
  Question,
  type Receipt,
  ReportStatement,
  type RequestPayload,
  type StateName,
  signStatement,
  statementId,
  verifyRequest,
} from '@countersign/core';
import type { Binding } from './account-book.ts';
import type { KnownMember } from './asking-member.ts';
import type { ListOptions } from './broker-api.ts';
import { Contacts, checkMayAsk } from './contacts.ts';
import { countTry, forgiveRow, takeBackTry } from './passcode-failures.ts';
import { Session, type SessionOptions } from './session.ts';
import { openEvents, type StreamEvent } from './stream.ts';
import { triesText } from './tries-text.ts';
import type { Reached, WireRequest } from './wire.ts';

/** A question that may be shown: every check of it was passed. */
export interface PendingRequest {
  readonly hash: string;
  /** The id that people see. */
  readonly id: string;
  readonly enquirer: { readonly name: string; readonly identity: string; readonly binding: Binding };
  readonly question: Question;
  /** Seconds since 1970. */
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly open: OpenRequest;
  /** The answer that this device has signed, where the broker did not say that it has it. */
  readonly signed?: Decided['decision'];
}

/** Somebody unknown who wants to ask: who it is by the broker's word, and nothing of what it asks. */
export interface ContactRequest {
  readonly hash: string;
  readonly id: string;
  readonly enquirer: { readonly name: string; readonly identity: string };
  readonly expiresAt: number;
}

/** A settled request, and what became of it: by the broker's word where no answer of ours is kept. */
export interface PastRequest {
  readonly hash: string;
  readonly id: string;
  readonly enquirer: string;
  readonly state: StateName;
  readonly decision?: Decided['decision'];
  /** What was asked, where this device answered it. */
  readonly question?: Question;
  /** Seconds since 1970. */
  readonly settledAt: number;
  /** Place in the list, for `before`. */
  readonly cursor: number;
}

/** Something that the broker delivered and that is not good: an attack, or a device behind its time. */
export interface Suspect {
  readonly hash: string;
  readonly enquirer: string;
  readonly error: CountersignError;
}

export interface PendingList {
  readonly requests: PendingRequest[];
  readonly contactRequests: ContactRequest[];
  readonly suspects: Suspect[];
  /** Where `follow` goes on. */
  readonly cursor: number;
}

export interface AnswerOptions {
  readonly decision: 'accept' | 'reject' | 'fraud';
  /** By which way the person was shown the question. */
  readonly shown: 'screen' | 'hash' | 'caller';
  /** What the person read on the asker's side. */
  readonly passcode?: string;
  /** The device has just checked that the person is there. */
  readonly userVerified?: boolean;
}

/**
 * Age of the asker's log that an answer is sealed by, in seconds: a device that was shown out there is not to read it.
 * No younger one is to be had: a checkpoint that is read anew may be as old.
 */
const SEALED_BY_AGE = 60;

/** What is remembered of an answer. */
interface Answered {
  readonly request: string | undefined;
  readonly response: string | undefined;
  readonly decision: Decided['decision'];
  /** The signed answer, until the broker has taken it. */
  readonly sending?: string;
}

export class Responder {
  readonly contacts: Contacts;
  readonly #session: Session;

  /** @param options or a session that there is, to share what it knows */
  constructor(options: SessionOptions | Session) {
    this.#session = options instanceof Session ? options : new Session(options);
    this.contacts = new Contacts(this.#session);
  }

  get session(): Session {
    return this.#session;
  }

  /** Everything that waits for an answer. What fails a check is listed apart, and never shown as a question. */
  async pending(options: ListOptions = {}): Promise<PendingList> {
    const { api, keys } = this.#session;
    const { requests: rows, cursor } = await api.list(keys.signer, keys.name, 'pending', options);
    const contacts = await this.contacts.read();
    const requests: PendingRequest[] = [];
    const contactRequests: ContactRequest[] = [];
    const suspects: Suspect[] = [];
    // One question is one, however often it is delivered.
    for (const row of new Map(rows.map((row) => [row.hash, row])).values()) {
      try {
        if (row.held) contactRequests.push(await this.#contactRequest(row));
        else requests.push(await this.examine(row, contacts));
      } catch (error) {
        suspects.push(suspectOf(row, error));
      }
    }
    return { requests, contactRequests, suspects, cursor };
  }

  /**
   * Checks all of a delivered request, and opens it.
   * @throws `contact-unknown`, `not-permitted`, `request-replayed`, `request-mismatch`, `account-mismatch`, and
   *   what `readAskingMember`, `verifyRequest` and `openRequest` throw
   */
  async examine(row: WireRequest, contacts?: ContactList): Promise<PendingRequest> {
    const { crypto, clock, keys, book, state } = this.#session;
    if (row.request === undefined) {
      throw new CountersignError(
        'broker-answer-invalid',
        'the broker delivered a request without its statement',
      );
    }
    const statement = await parseRequest(crypto, row.request);
    const { payload } = statement;
    if (payload.sub !== keys.name || payload.sub_id !== keys.identity) {
      throw new CountersignError('account-mismatch', 'a request to another account was delivered here');
    }
    // Judged before the log is read: a stranger's name is not looked up, and so not believed.
    const { contacts: list } = contacts ?? (await this.contacts.read());
    checkMayAsk(list.get(payload.iss_id), payload.iss);
    const { log: enquirer, binding } = await book.find(payload.iss, CHECKPOINT_AGE.login, payload.iss_id);
    const member = await this.#askingMember(enquirer, payload, CHECKPOINT_AGE.login);
    const circumstances = { now: clock.now(), brokers: [keys.broker], member };
    const verified = await verifyRequest(crypto, statement, enquirer, circumstances);
    if (
      row.hash !== verified.hash ||
      row.enquirer.name !== payload.iss ||
      row.enquirer.identity !== payload.iss_id
    ) {
      throw new CountersignError('request-mismatch', 'the broker delivered a request under another’s label');
    }
    const answered = await state.get<Answered>('answered', verified.hash);
    if (answered !== undefined && answered.sending === undefined) throw answeredBefore(answered);
    const open = await openRequest(crypto, verified, this.#session.epochOpener, member);
    return {
      hash: verified.hash,
      id: await statementId(crypto, verified.hash),
      enquirer: { name: payload.iss, identity: payload.iss_id, binding },
      question: open.question,
      askedAt: payload.iat,
      expiresAt: payload.exp,
      open,
      ...(answered === undefined ? {} : { signed: answered.decision }),
    };
  }

  /**
   * Signs and sends the answer to a question that was shown. Where the broker did not say that it has it, the same
   * decision sends the same answer again.
   * @returns `passcode-failed` where this was the last wrong passcode: a signed answer says so
   * @throws `request-expired`, `device-not-entitled`, `verification-missing`, `passcode-needed`,
   *   `passcode-wrong`, `passcode-locked`, `request-not-pending`, `request-replayed`; `epoch-stale` where a device of
   *   the asker's was shown out and could still read the answer; `seat-over` where a member asked who may not any more
   */
  async answer(request: PendingRequest, options: AnswerOptions): Promise<Decided['decision']> {
    const { clock, state } = this.#session;
    if (request.expiresAt <= clock.now()) {
      throw new CountersignError('request-expired', 'the question has expired', {
        hint: 'nothing was decided; the asker may ask again',
      });
    }
    const answered = await state.get<Answered>('answered', request.hash);
    const decision =
      answered === undefined
        ? await this.#sign(request, options)
        : await this.#sendAgain(request, answered, options.decision);
    if (decision === 'accept' && request.question.passcode !== undefined) {
      await forgiveRow(state, request.enquirer.identity);
    }
    if (decision === 'fraud') await this.#report(request);
    return decision;
  }

  /** Settled requests, newest first. */
  async history(options: ListOptions = {}): Promise<PastRequest[]> {
    const { api, keys, crypto, state } = this.#session;
    const { requests } = await api.list(keys.signer, keys.name, 'history', options);
    return Promise.all(
      requests.map(async (row) => {
        const kept = await state.get<Answered>('answered', row.hash);
        const ours = kept?.sending === undefined ? kept : undefined;
        const question = ours && (await this.#askedOf(row, ours));
        return {
          hash: row.hash,
          id: await statementId(crypto, row.hash),
          enquirer: row.enquirer.name,
          state: row.state,
          settledAt: row.settled_at ?? 0,
          cursor: row.cursor,
          ...(ours === undefined ? {} : { decision: ours.decision }),
          ...(question === undefined ? {} : { question }),
        };
      }),
    );
  }

  /** When each device of the account was last reached, by the broker's word. */
  reached(): Promise<Reached[]> {
    const { api, keys } = this.#session;
    return api.listReached(keys.signer, keys.name);
  }

  /** The receipt of an answer that this device gave. */
  async receipt(hash: string): Promise<Receipt> {
    const ours = await this.#session.state.get<Answered>('answered', hash);
    if (ours === undefined) throw new CountersignError('request-unknown', 'this device gave no such answer');
    const { completeReceipt } = await import('./own-receipt.ts');
    return completeReceipt(this.#session, hash, ours.request, ours.response);
  }

  /**
   * Events as they come, over cuts of the line, from after a cursor on.
   * @param onLine told when the stream is lost and found again
   */
  follow(cursor: number, signal: AbortSignal, onLine?: (up: boolean) => void): AsyncGenerator<StreamEvent> {
    return openEvents(this.#session, cursor, signal, onLine);
  }

  /** The question of a request that was answered here: as it was kept, or as it stands in clear. */
  async #askedOf({ request, hash }: WireRequest, { request: kept }: Answered): Promise<Question | undefined> {
    if (kept !== undefined) return parseContent(Question, kept);
    if (request === undefined) return undefined;
    const statement = await parseRequest(this.#session.crypto, request);
    // The hash is what was answered: other words have another.
    return statement.hash === hash && 'content' in statement.payload ? statement.payload.content : undefined;
  }

  /** By the broker's word: the log of a stranger is read, and its name bound, when the person takes it. */
  async #contactRequest({ hash, enquirer, expires_at: expiresAt }: WireRequest): Promise<ContactRequest> {
    return { hash, id: await statementId(this.#session.crypto, hash), enquirer, expiresAt };
  }

  async #askingMember(
    enquirer: DeviceLog,
    payload: RequestPayload,
    maxAge: number,
  ): Promise<KnownMember | undefined> {
    if (memberWhoAsks(payload) === undefined) return undefined;
    // Members ask seldom: a page loads this when one does.
    const { readAskingMember } = await import('./asking-member.ts');
    return readAskingMember(this.#session, enquirer, payload, maxAge);
  }

  async #sign(request: PendingRequest, options: AnswerOptions): Promise<Decided['decision']> {
    const log = await this.#session.ownLog();
    checkMayAnswer(activeDevice(log, await this.#session.kid()), request.question.kind);
    const decided = await this.#decide(request, options);
    await this.#send(request, log, decided);
    return decided.decision;
  }

  async #decide({ question, hash, enquirer }: PendingRequest, options: AnswerOptions): Promise<Decided> {
    const person = { shown: options.shown, ...(options.userVerified ? { uv: true as const } : {}) };
    if (options.decision !== 'accept') return { decision: options.decision, ...person };
    if (question.uv && !options.userVerified) {
      throw new CountersignError('verification-missing', 'this question wants proof that you are there', {
        hint: 'answer where your passphrase, PIN or fingerprint can be asked for',
      });
    }
    if (question.passcode === undefined) return { decision: 'accept', ...person };
    if (options.passcode === undefined) {
      throw new CountersignError('passcode-needed', 'this question wants the passcode that the asker shows', {
        hint: 'type the six digits that you see where you are logging in: --passcode 123456',
      });
    }
    return this.#checkPasscode(question, hash, enquirer.identity, options.passcode, person);
  }

  async #checkPasscode(
    question: Question,
    hash: string,
    enquirer: string,
    typed: string,
    person: { shown: AnswerOptions['shown']; uv?: true },
  ): Promise<Decided> {
    const { crypto, state } = this.#session;
    const tried = await countTry(state, enquirer, hash);
    if (!tried.over && (await checkPasscode(crypto, question.passcode!, typed))) {
      await takeBackTry(state, enquirer, hash);
      return { decision: 'accept', ...person, passcode: normalizePasscode(typed) };
    }
    if (tried.left <= 0) return { decision: 'passcode-failed', failures: tried.inARow };
    throw new CountersignError('passcode-wrong', `wrong passcode: ${triesText(tried.left)}`, {
      hint: 'read the six digits again where you are logging in; if you are not logging in, reject',
    });
  }

  async #send(request: PendingRequest, account: DeviceLog, decided: Decided): Promise<void> {
    const answered = await this.#seal(request, account, decided, SEALED_BY_AGE);
    // Remembered before it goes out: whoever has these bytes may use them, whatever the broker says.
    await this.#session.state.update<Answered>('answered', request.hash, (old) => {
      if (old !== undefined) throw answeredBefore(old);
      return answered;
    });
    await this.#deliver(request, answered);
  }

  /** @param maxAge of the asker's log, in seconds */
  async #seal(
    request: PendingRequest,
    account: DeviceLog,
    decided: Decided | Decision,
    maxAge: number,
  ): Promise<Answered> {
    const { crypto, keys, clock, book } = this.#session;
    const { name, identity } = request.enquirer;
    const { log: enquirer } = await book.find(name, maxAge, identity);
    const asked = request.open.statement;
    const member = await this.#askingMember(enquirer, asked.payload, maxAge);
    if (member !== undefined) {
      // Its key is no epoch's, which would end with the member: so the member is judged once more.
      await verifyRequest(crypto, asked, enquirer, { now: clock.now(), brokers: [keys.broker], member });
    }
    const { statement, plaintext } = await createResponse(
      crypto,
      { signer: keys.signer, account, enquirer, now: clock.now() },
      request.open,
      decided,
    );
    return {
      request: request.open.plaintext,
      response: plaintext,
      decision: decided.decision,
      sending: statement.jws,
    };
  }

  /** Sends the same answer again, one that the broker has not said yes to. */
  async #sendAgain(
    request: PendingRequest,
    answered: Answered,
    decision: AnswerOptions['decision'],
  ): Promise<Decided['decision']> {
    const same =
      answered.decision === decision || (answered.decision === 'passcode-failed' && decision === 'accept');
    if (answered.sending === undefined || !same) throw answeredBefore(answered);
    await this.#deliver(request, answered);
    return answered.decision;
  }

  async #deliver(request: PendingRequest, answered: Answered): Promise<void> {
    const { api, state } = this.#session;
    const { hash } = request;
    let sent = answered;
    try {
      await api.postResponse(hash, sent.sending!);
    } catch (error) {
      const stale = error instanceof CountersignError && error.code === 'epoch-stale';
      if (!stale || answered.response === undefined) throw error;
      // The asker has another key since: the same decision, byte for byte, is sealed to that one.
      const same = parseContent(Decision, answered.response);
      sent = await this.#seal(request, await this.#session.ownLog(), same, 0);
      await state.update<Answered>('answered', hash, () => sent);
      await api.postResponse(hash, sent.sending!);
    }
    const { sending: _, ...kept } = sent;
    await state.update<Answered>('answered', hash, () => kept);
  }

  async #report({ hash }: PendingRequest): Promise<void> {
    const { crypto, keys, clock, api } = this.#session;
    const payload = { req: hash, iat: clock.now() };
    const { jws } = await signStatement(crypto, ReportStatement, keys.signer, payload);
    await api.postReport(hash, jws);
  }
}

function answeredBefore({ decision, sending }: Answered): CountersignError {
  if (sending === undefined) {
    return new CountersignError('request-replayed', 'this request was answered here before');
  }
  return new CountersignError(
    'request-replayed',
    `this device has signed an answer already (${decision}), and the broker may have it`,
    { hint: 'the same answer can be sent again; no other one is signed' },
  );
}

function suspectOf(row: WireRequest, error: unknown): Suspect {
  // A broker that does not answer makes nothing suspect.
  if (!(error instanceof CountersignError) || error.code === 'broker-unreachable') throw error;
  return { hash: row.hash, enquirer: row.enquirer.name, error };
}
