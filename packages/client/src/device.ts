/**
 * For whoever answers: what is pending, shown only after all of it was verified; and the answer, signed.
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
  type DeviceLog,
  normalizePasscode,
  type OpenRequest,
  openRequest,
  PASSCODE_LOCK,
  PASSCODE_TRIES,
  parseRequest,
  type Question,
  type Receipt,
  ReportStatement,
  type StateName,
  signStatement,
  statementId,
  verifyReceipt,
  verifyRequest,
} from '@countersign/core';
import type { Binding } from './account-book.ts';
import type { ListOptions, WireRequest } from './broker-api.ts';
import { Contacts, checkMayAsk } from './contacts.ts';
import { Devices } from './devices.ts';
import type { KeyStore } from './key-store.ts';
import { Rooms } from './rooms.ts';
import { maintain, rotateKeys, type Which } from './rotation.ts';
import { Session, type SessionOptions } from './session.ts';
import { openEvents, type StreamEvent } from './stream.ts';

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
}

/** Somebody unknown who wants to ask: who it is, and nothing of what it asks. */
export interface ContactRequest {
  readonly hash: string;
  readonly id: string;
  readonly enquirer: { readonly name: string; readonly identity: string };
  readonly expiresAt: number;
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

/** What is remembered of an answer. */
interface Answered {
  readonly request: string | undefined;
  readonly response: string | undefined;
  readonly decision: Decided['decision'];
}

/** Wrong passcodes from one enquirer: in a row over all its requests, and by request. */
interface Failures {
  readonly inARow: number;
  readonly byRequest: Readonly<Record<string, number>>;
}

export class Device {
  readonly contacts: Contacts;
  readonly devices: Devices;
  readonly rooms: Rooms;
  readonly #session: Session;

  constructor(options: SessionOptions) {
    this.#session = new Session(options);
    this.contacts = new Contacts(this.#session);
    this.rooms = new Rooms(this.#session);
    this.devices = new Devices(this.#session, this.rooms);
  }

  get session(): Session {
    return this.#session;
  }

  /**
   * What a device does now and then: ends an epoch after seven days, and erases the keys that open older ones.
   * @param keyStore where its keys are kept
   */
  async maintain(keyStore: KeyStore): Promise<{ epoch: boolean; rotated: boolean }> {
    const { api, keys, crypto } = this.#session;
    const { requests } = await api.list(keys.signer, keys.name, 'pending', { max: 100 });
    const epochs: number[] = [];
    for (const { request } of requests) {
      // A question that is held is read later, by the key that it is sealed to: it waits for that.
      if (request === undefined) return { epoch: false, rotated: false };
      const { payload } = await parseRequest(crypto, request);
      if ('sealed' in payload) epochs.push(payload.sealed.epoch);
    }
    return maintain(this.#session, this.devices, this.rooms, keyStore, epochs);
  }

  /** New keys for this device, which keeps its place; the old ones are erased. */
  rotate(keyStore: KeyStore, which: Which): Promise<void> {
    return rotateKeys(this.#session, this.rooms, keyStore, which);
  }

  /** Everything that waits for an answer. What fails a check is listed apart, and never shown as a question. */
  async pending(options: ListOptions = {}): Promise<PendingList> {
    const { api, keys } = this.#session;
    const { requests: rows, cursor } = await api.list(keys.signer, keys.name, 'pending', options);
    const contacts = await this.contacts.read();
    const requests: PendingRequest[] = [];
    const contactRequests: ContactRequest[] = [];
    const suspects: Suspect[] = [];
    for (const row of rows) {
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
   *   what `verifyRequest` and `openRequest` throw
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
    const { log: enquirer, binding } = await book.find(payload.iss, CHECKPOINT_AGE.login);
    const verified = await verifyRequest(crypto, statement, enquirer, {
      now: clock.now(),
      brokers: [keys.broker],
    });
    if (
      row.hash !== verified.hash ||
      row.enquirer.name !== payload.iss ||
      row.enquirer.identity !== payload.iss_id
    ) {
      throw new CountersignError('request-mismatch', 'the broker delivered a request under another’s label');
    }
    const { contacts: list } = contacts ?? (await this.contacts.read());
    checkMayAsk(list.get(payload.iss_id), payload.iss);
    if ((await state.get<Answered>('answered', verified.hash)) !== undefined) {
      throw new CountersignError('request-replayed', 'this request was answered here before');
    }
    const open = await openRequest(crypto, verified, this.#session.epochOpener);
    return {
      hash: verified.hash,
      id: await statementId(crypto, verified.hash),
      enquirer: { name: payload.iss, identity: payload.iss_id, binding },
      question: open.question,
      askedAt: payload.iat,
      expiresAt: payload.exp,
      open,
    };
  }

  /**
   * Signs and sends the answer to a question that was shown.
   * @returns `passcode-failed` where this was the last wrong passcode: a signed answer says so
   * @throws `request-expired`, `device-not-entitled`, `verification-missing`, `passcode-needed`,
   *   `passcode-wrong`, `passcode-locked`, `request-not-pending`
   */
  async answer(request: PendingRequest, options: AnswerOptions): Promise<Decided['decision']> {
    const { clock } = this.#session;
    if (request.expiresAt <= clock.now()) {
      throw new CountersignError('request-expired', 'the question has expired', {
        hint: 'nothing was decided; the asker may ask again',
      });
    }
    const log = await this.#session.ownLog();
    checkMayAnswer(activeDevice(log, await this.#session.kid()), request.question.kind);
    const decided = await this.#decide(request, options);
    await this.#send(request, log, decided);
    if (decided.decision === 'accept' && decided.passcode !== undefined) {
      await this.#session.state.delete('passcode-failures', request.enquirer.identity);
    }
    if (decided.decision === 'fraud') await this.#report(request);
    return decided.decision;
  }

  /** Settled requests, newest first: what became of each, by the broker's word where no answer of ours is kept. */
  async history(options: ListOptions = {}): Promise<
    {
      hash: string;
      id: string;
      enquirer: string;
      state: StateName;
      decision?: Decided['decision'];
      settledAt: number;
    }[]
  > {
    const { api, keys, crypto, state } = this.#session;
    const { requests } = await api.list(keys.signer, keys.name, 'history', options);
    return Promise.all(
      requests.map(async (row) => {
        const ours = await state.get<Answered>('answered', row.hash);
        return {
          hash: row.hash,
          id: await statementId(crypto, row.hash),
          enquirer: row.enquirer.name,
          state: row.state,
          settledAt: row.settled_at ?? 0,
          ...(ours === undefined ? {} : { decision: ours.decision }),
        };
      }),
    );
  }

  /** The receipt of an answer that this device gave. */
  async receipt(hash: string): Promise<Receipt> {
    const ours = await this.#session.state.get<Answered>('answered', hash);
    if (ours === undefined) throw new CountersignError('request-unknown', 'this device gave no such answer');
    return completeReceipt(this.#session, hash, ours.request, ours.response);
  }

  /**
   * Events as they come, over cuts of the line, from after a cursor on.
   * @param onLine told when the stream is lost and found again
   */
  follow(cursor: number, signal: AbortSignal, onLine?: (up: boolean) => void): AsyncGenerator<StreamEvent> {
    return openEvents(this.#session, cursor, signal, onLine);
  }

  async #contactRequest(row: WireRequest): Promise<ContactRequest> {
    const { book, crypto } = this.#session;
    const { log } = await book.find(row.enquirer.name, CHECKPOINT_AGE.login);
    if (log.identity !== row.enquirer.identity) {
      throw new CountersignError(
        'account-mismatch',
        'the broker names another identity than the asker’s log has',
      );
    }
    const id = await statementId(crypto, row.hash);
    return { hash: row.hash, id, enquirer: row.enquirer, expiresAt: row.expires_at };
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
    // Counted before it is checked: a crash in between is a try.
    const counted = await state.update<Failures>('passcode-failures', enquirer, (old) => {
      const { inARow = 0, byRequest = {} } = old ?? {};
      if (inARow >= PASSCODE_LOCK) {
        throw new CountersignError(
          'passcode-locked',
          `${inARow} wrong passcodes in a row for this enquirer`,
          {
            hint: 'somebody may be guessing; if you trust this asker, add it as a contact again',
          },
        );
      }
      return { inARow: inARow + 1, byRequest: { ...byRequest, [hash]: (byRequest[hash] ?? 0) + 1 } };
    });
    if (await checkPasscode(crypto, question.passcode!, typed)) {
      // This was no failure; the ones before it count until the broker has taken the answer.
      await state.update<Failures>('passcode-failures', enquirer, (old) => takeBack(old, hash));
      return { decision: 'accept', ...person, passcode: normalizePasscode(typed) };
    }
    const tries = counted.byRequest[hash]!;
    if (tries >= PASSCODE_TRIES) return { decision: 'passcode-failed', failures: counted.inARow };
    throw new CountersignError('passcode-wrong', `wrong passcode: ${PASSCODE_TRIES - tries} more tries`, {
      hint: 'read the six digits again where you are logging in; if you are not logging in, reject',
    });
  }

  async #send(request: PendingRequest, account: DeviceLog, decided: Decided): Promise<void> {
    const { crypto, keys, clock, book, api, state } = this.#session;
    const { log: enquirer } = await book.find(request.enquirer.name, CHECKPOINT_AGE.login);
    const response = await createResponse(
      crypto,
      { signer: keys.signer, account, enquirer, now: clock.now() },
      request.open,
      decided,
    );
    await api.postResponse(request.hash, response.statement.jws);
    await state.update<Answered>('answered', request.hash, () => ({
      request: request.open.plaintext,
      response: response.plaintext,
      decision: decided.decision,
    }));
  }

  async #report({ hash }: PendingRequest): Promise<void> {
    const { crypto, keys, clock, api } = this.#session;
    const payload = { req: hash, iat: clock.now() };
    const { jws } = await signStatement(crypto, ReportStatement, keys.signer, payload);
    await api.postReport(hash, jws);
  }
}

function takeBack(failures: Failures | undefined, hash: string): Failures {
  const { inARow, byRequest } = failures ?? { inARow: 1, byRequest: {} };
  return { inARow: inARow - 1, byRequest: { ...byRequest, [hash]: (byRequest[hash] ?? 1) - 1 } };
}

/**
 * A receipt from the broker's parts and our plaintexts; verified before it is handed out.
 * @throws `receipt-invalid`, and what verifying it throws
 */
async function completeReceipt(
  { api, crypto }: Session,
  hash: string,
  request: string | undefined,
  response: string | undefined,
): Promise<Receipt> {
  const parts = await api.readReceipt(hash);
  const receipt: Receipt = {
    countersign: 'receipt/1',
    ...parts,
    ...(request === undefined || response === undefined ? {} : { disclosed: { request, response } }),
  };
  const verified = await verifyReceipt(crypto, receipt);
  if (verified.request.statement.hash !== hash) {
    throw new CountersignError('receipt-invalid', 'the broker gave the receipt of another request');
  }
  return receipt;
}

function suspectOf(row: WireRequest, error: unknown): Suspect {
  // A broker that does not answer makes nothing suspect.
  if (!(error instanceof CountersignError) || error.code === 'broker-unreachable') throw error;
  return { hash: row.hash, enquirer: row.enquirer.name, error };
}
