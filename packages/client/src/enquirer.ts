/**
 * For whoever asks: post a question, wait for the answer, and verify it without trusting the broker.
 * @module
 */
import {
  CancelStatement,
  CHECKPOINT_AGE,
  CountersignError,
  commitPasscode,
  createRequest,
  type Decision,
  type DeviceLog,
  deviceAt,
  type Field,
  generatePasscode,
  type Kind,
  LONGEST_TWO_WAY,
  type OpenRequest,
  type OpenResponse,
  type Part,
  type PublicSigningJwk,
  parseContact,
  parseContent,
  parseRequest,
  parseStatement,
  Question,
  type Receipt,
  type RequestPayload,
  readWithKeys,
  replayLog,
  type Seat,
  type Settled,
  seatOver,
  signStatement,
  statementId,
  type Verified,
  verifyContact,
  verifyReceipt,
  verifyResponse,
  verifyStatement,
} from '@countersign/core';
import type { Binding, KnownAccount } from './account-book.ts';
import type { KnownMember } from './asking-member.ts';
import { waitForState } from './long-poll.ts';
import { askedQuestions, GRACE, KIND, type Posted, type Verdict } from './posted-questions.ts';
import { Session, type SessionOptions } from './session.ts';
import type { WireState } from './wire.ts';

export interface Ask {
  /** Name of the account, `alice@example.com`. */
  readonly account: string;
  /** The question as one line, or as its parts. */
  readonly text: string | readonly Part[];
  readonly fields?: readonly Field[];
  /** What it decides: `login` by default. */
  readonly kind?: Kind;
  /** Seconds until it expires; by default what the kind allows. */
  readonly lifetime?: number;
  /** Ask for a passcode, which is drawn here and shown by the asker. */
  readonly passcode?: boolean;
  /** Ask that the device checks that the person is there. */
  readonly userVerification?: boolean;
  /** Say false only where the broker is to read the question. */
  readonly sealed?: boolean;
  /**
   * How old the broker's word for the account's log may be by which the question is sealed and its answer judged, in
   * seconds, where the kind allows more; 0 has the log read anew each time.
   */
  readonly maxCheckpointAge?: number;
}

export interface Asked {
  readonly hash: string;
  /** The id that people see. */
  readonly id: string;
  readonly account: { readonly name: string; readonly identity: string };
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** Six digits to show to the person who is asked, where one was asked for. */
  readonly passcode?: string;
  /** True where the account's name was believed at first sight: compare fingerprints. */
  readonly firstUse: boolean;
  readonly binding: Binding;
}

/** What became of a question. Only `accepted` is a yes; all else denies. */
export type Outcome =
  | {
      readonly outcome: 'accepted' | 'rejected' | 'fraud' | 'passcode-failed';
      readonly answer: VerifiedAnswer;
    }
  /** The account takes no questions from us. */
  | { readonly outcome: 'refused' }
  /** The broker's word alone. */
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'cancelled-by-enquirer' }
  /** The broker's word alone. */
  | { readonly outcome: 'cancelled-by-broker'; readonly reason: string }
  | { readonly outcome: 'pending'; readonly expiresAt: number };

export interface VerifiedAnswer {
  readonly decision: Decision;
  readonly device: { readonly kid: string; readonly name: string };
  /** By the device's clock, seconds since 1970. */
  readonly answeredAt: number;
}

const OUTCOMES = {
  accept: 'accepted',
  reject: 'rejected',
  fraud: 'fraud',
  'passcode-failed': 'passcode-failed',
} as const;

export class Enquirer {
  readonly #session: Session;
  /** Ends of questions that this process asked, by its monotonic clock, in ms. */
  readonly #deadlines = new Map<string, number>();

  readonly #seat: Seat | undefined;

  /** @param seat of a member, where the keys are those of a browser and no device's: it may ask about a call alone */
  constructor(options: SessionOptions, seat?: Seat) {
    this.#session = new Session(options);
    this.#seat = seat;
  }

  get session(): Session {
    return this.#session;
  }

  /**
   * Posts a question. It is sealed to the account, so that the broker can't read it.
   * @throws `account-unknown`, `account-changed`, `not-permitted`, `contact-held`, `too-often`,
   *   `too-many-pending`, `text-refused`, `text-too-long`, `request-lifetime`, `broker-unreachable`; by a seat `seat-over`,
   *   `seat-invalid`, `role-missing` too
   */
  async ask(ask: Ask): Promise<Asked> {
    const { book } = this.#session;
    const { kind = 'login' } = ask;
    try {
      return await this.#ask(ask, kind, await book.find(ask.account, checkpointAge(kind, ask)));
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code !== 'epoch-stale') throw error;
      // Our copy of the log is older than the account's newest key.
      return this.#ask(ask, kind, await book.find(ask.account, 0));
    }
  }

  async #ask(ask: Ask, kind: Kind, account: KnownAccount): Promise<Asked> {
    const { crypto, clock, keys, api, state } = this.#session;
    const passcode = ask.passcode ? generatePasscode(crypto) : undefined;
    const started = clock.monotonic();
    const request = await createRequest(
      crypto,
      {
        signer: keys.signer,
        enquirer: await this.#session.ownLog(CHECKPOINT_AGE.approval),
        account: account.log,
        broker: keys.broker,
        now: clock.now(),
        member: this.#seat && { seat: this.#seat.hash, key: keys.opener.publicKey },
      },
      {
        kind,
        parts: typeof ask.text === 'string' ? [{ type: 'h1', text: ask.text }] : [...ask.text],
        ...(ask.fields === undefined ? {} : { fields: [...ask.fields] }),
        ...(passcode === undefined ? {} : { passcode: await commitPasscode(crypto, passcode) }),
        ...(ask.userVerification ? { uv: true as const } : {}),
        ...this.#lifetime(ask),
        ...(ask.sealed === undefined ? {} : { sealed: ask.sealed }),
      },
    );
    const { hash, jws, payload } = request.statement;
    const id = await statementId(crypto, hash);
    // Remembered first: an answer can't be verified without the question.
    await state.update<Posted>(KIND, hash, () => ({
      jws,
      id,
      plaintext: request.plaintext,
      account: payload.sub,
      ...(ask.maxCheckpointAge === undefined ? {} : { maxCheckpointAge: ask.maxCheckpointAge }),
    }));
    try {
      await api.postRequest(jws);
    } catch (error) {
      // Unreachable may mean posted: the question is kept. Refused means never posted.
      if (error instanceof CountersignError && error.code !== 'broker-unreachable')
        await state.delete(KIND, hash);
      throw error;
    }
    this.#deadlines.set(hash, started + (payload.exp - payload.iat) * 1000);
    return {
      hash,
      id,
      account: { name: payload.sub, identity: payload.sub_id },
      expiresAt: payload.exp,
      firstUse: account.firstUse,
      binding: account.binding,
      ...(passcode === undefined ? {} : { passcode }),
    };
  }

  /** How long a question is to stand, if that is said: of a member, no longer than the seat. */
  #lifetime({ lifetime }: Ask): Pick<Ask, 'lifetime'> {
    if (this.#seat === undefined) return lifetime === undefined ? {} : { lifetime };
    const left = this.#seat.exp - this.#session.clock.now();
    if (left < 1) throw seatOver();
    return { lifetime: Math.min(lifetime ?? LONGEST_TWO_WAY, left) };
  }

  /** What has become of a question by now. Throws as `wait` does. */
  async status(hash: string): Promise<Outcome> {
    const posted = await this.#posted(hash);
    if (posted.response !== undefined) return this.#judge(hash, posted, posted.response.jws);
    return this.#outcome(hash, posted, await this.#session.api.readState(hash));
  }

  /**
   * Waits for the answer, and verifies it.
   * @returns `expired` at the latest when the question's time is over by our own clock
   * @throws where an answer came that is not good, whatever the broker says of it: all codes of
   *   `verifyResponse`, `checkpoint-stale`, `response-late`
   */
  async wait(hash: string, signal?: AbortSignal): Promise<Outcome> {
    const posted = await this.#posted(hash);
    if (posted.response !== undefined) return this.#judge(hash, posted, posted.response.jws);
    const { payload } = await parseRequest(this.#session.crypto, posted.jws);
    const remaining = this.#remaining(hash, payload);
    const state = await waitForState(this.#session, hash, remaining, signal);
    return state === undefined ? { outcome: 'expired' } : this.#outcome(hash, posted, state);
  }

  /**
   * The answer to a question of ours, whatever it decides, verified.
   * @throws `request-not-pending` where there is none; and as `wait` does
   */
  async verify(hash: string): Promise<VerifiedAnswer> {
    const outcome = await this.status(hash);
    if ('answer' in outcome) return outcome.answer;
    throw new CountersignError(
      'request-not-pending',
      `there is no answer: the question is ${outcome.outcome}`,
    );
  }

  /** Cancels a question of ours. */
  async cancel(hash: string): Promise<void> {
    const { crypto, keys, clock, api } = this.#session;
    await this.#posted(hash);
    const payload = { req: hash, iat: clock.now() };
    const { jws } = await signStatement(crypto, CancelStatement, keys.signer, payload);
    await api.postCancel(hash, jws);
  }

  /**
   * The receipt of an answered question; it verifies offline. The broker's newest checkpoint is used where it
   * can be had, else the one by which the answer was verified.
   */
  async receipt(hash: string): Promise<Receipt> {
    await this.verify(hash);
    const { book, crypto } = this.#session;
    const { jws, plaintext, account, response } = await this.#posted(hash);
    if (response === undefined) throw new CountersignError('request-not-pending', 'there is no answer yet');
    const own = await this.#session.ownLog(Number.POSITIVE_INFINITY);
    const member = await this.#askingMember(own, jws);
    const make = async (log: readonly string[], checkpoint: string): Promise<Receipt> => {
      const receipt: Receipt = {
        countersign: 'receipt/1',
        request: jws,
        response: response.jws,
        ...(plaintext === undefined || response.plaintext === undefined
          ? {}
          : { disclosed: { request: plaintext, response: response.plaintext } }),
        enquirer_log: [...(member?.organisation ?? own).entries],
        account_log: [...log],
        ...(member === undefined ? {} : { seat: member.proof }),
        checkpoint: { statement: checkpoint, key: await book.brokerKey() },
      };
      await verifyReceipt(crypto, receipt);
      return receipt;
    };
    try {
      const { log, checkpoint } = await book.find(account, 0);
      return await make(log.entries, checkpoint);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      return make(response.log, response.checkpoint);
    }
  }

  /** What proves our own seat, where it is one that asks. */
  async #askingMember(own: DeviceLog, jws: string): Promise<KnownMember | undefined> {
    if (this.#seat === undefined) return undefined;
    const { payload } = await parseRequest(this.#session.crypto, jws);
    const { readAskingMember } = await import('./asking-member.ts');
    return readAskingMember(this.#session, own, payload, CHECKPOINT_AGE.login);
  }

  /** Questions that were asked here: their hashes, ids and accounts. */
  async asked(): Promise<{ hash: string; id: string; account: string }[]> {
    return askedQuestions(this.#session.state);
  }

  /** When a question of ours ends, as it was signed: seconds since 1970. */
  async expiresAt(hash: string): Promise<number> {
    const { jws } = await this.#posted(hash);
    return (await parseRequest(this.#session.crypto, jws)).payload.exp;
  }

  async #posted(hash: string): Promise<Posted> {
    const posted = await this.#session.state.get<Posted>(KIND, hash);
    if (posted === undefined) {
      throw new CountersignError('request-unknown', 'this question was not asked from here', {
        hint: 'an answer can be verified where the question was made, or from its receipt',
      });
    }
    return posted;
  }

  /** Milliseconds that a question has left: by the monotonic clock, if this process asked it. */
  #remaining(hash: string, { exp }: RequestPayload): number {
    const { clock } = this.#session;
    const deadline = this.#deadlines.get(hash);
    return deadline === undefined ? (exp - clock.now()) * 1000 : deadline - clock.monotonic();
  }

  async #outcome(hash: string, posted: Posted, state: WireState): Promise<Outcome> {
    const settled = settledOf(state);
    if (settled === undefined) return { outcome: 'pending', expiresAt: state.expires_at };
    switch (settled.state) {
      case 'answered':
        return this.#judge(hash, posted, settled.response);
      case 'cancelled-by-broker':
        return { outcome: settled.state, reason: settled.reason };
      case 'refused':
        await this.#checkRefusal(posted, settled.statement);
        return { outcome: settled.state };
      case 'cancelled-by-enquirer':
        await this.#checkCancel(hash, settled.statement);
        return { outcome: settled.state };
      case 'expired':
        return { outcome: settled.state };
    }
  }

  /** A refusal is a device's word: it blocked or forgot us. */
  async #checkRefusal(posted: Posted, jws: string): Promise<void> {
    const { crypto, book, keys } = this.#session;
    const statement = await parseContact(crypto, jws);
    const { head, contact_id, policy } = statement.payload;
    const { payload } = await parseRequest(crypto, posted.jws);
    const known = await book.find(posted.account, CHECKPOINT_AGE.approval, payload.sub_id);
    const { log } = head.seq > known.log.head.seq ? await book.find(posted.account, 0) : known;
    await verifyContact(crypto, statement, log, (seq) => log.hashes[seq]);
    if (contact_id === keys.identity && policy !== 'allow') return;
    throw new CountersignError(
      'broker-answer-invalid',
      'the broker says refused, and shows another statement',
    );
  }

  async #checkCancel(hash: string, jws: string): Promise<void> {
    const { crypto } = this.#session;
    const statement = await parseStatement(crypto, CancelStatement, jws);
    await verifyStatement(crypto, statement, await this.#cancelKey(statement.kid));
    if (statement.payload.req === hash) return;
    throw new CountersignError('request-mismatch', 'the broker shows the cancelling of another question');
  }

  /** The key of a device of ours, or of our seat. */
  async #cancelKey(kid: string): Promise<PublicSigningJwk> {
    if (this.#seat?.kid === kid) return this.#seat.key;
    const known = await this.#session.ownLog();
    const log = known.devices.has(kid) ? known : await this.#session.ownLog(0);
    return deviceAt(log, kid, log.devices.get(kid)?.addedAt.seq ?? 0).sig;
  }

  async #judge(hash: string, posted: Posted, response: string): Promise<Outcome> {
    const request = await openOwn(this.#session, posted);
    if (posted.response === undefined && this.#remaining(hash, request.statement.payload) < -GRACE * 1000) {
      throw new CountersignError('response-late', 'the answer came after the question’s time was over', {
        hint: 'ask again; an answer must reach the asker in time',
      });
    }
    const { decision, device, statement, plaintext, by } = await this.#verify(request, posted, response);
    if (posted.response === undefined) {
      const verdict: Verdict = { jws: response, plaintext, log: by.log.entries, checkpoint: by.checkpoint };
      const kept = await this.#session.state.update<Posted>(KIND, hash, (old = posted) => ({
        ...old,
        response: old.response ?? verdict,
      }));
      // Another call was shown the answer of another device: the first that was verified stands, for all.
      if (kept.response!.jws !== response) return this.#judge(hash, kept, kept.response!.jws);
    }
    return {
      outcome: OUTCOMES[decision.decision],
      answer: { decision, device: { kid: device.kid, name: device.name }, answeredAt: statement.payload.iat },
    };
  }

  /**
   * Verifies by the log that we have; where that is behind the device, by the newest that there is. What was
   * verified in its time stays so: a device that was revoked since had not been then.
   */
  async #verify(
    request: OpenRequest,
    posted: Posted,
    response: string,
  ): Promise<OpenResponse & { by: Pick<KnownAccount, 'log' | 'checkpoint'> }> {
    const { crypto, book, epochOpener, keys } = this.#session;
    const { sub } = request.statement.payload;
    const read = readWithKeys(crypto, epochOpener, this.#seat && keys.opener);
    const verify = async (by: Pick<KnownAccount, 'log' | 'checkpoint'>) => ({
      ...(await verifyResponse(crypto, request, by.log, response, read)),
      by,
    });
    if (posted.response !== undefined) {
      const { log, checkpoint } = posted.response;
      return verify({ log: await replayLog(crypto, log), checkpoint });
    }
    try {
      return await verify(await book.find(sub, checkpointAge(request.question.kind, posted)));
    } catch (error) {
      const behind =
        error instanceof CountersignError &&
        (error.code === 'device-unknown' || error.code === 'log-rollback');
      if (!behind) throw error;
      return verify(await book.find(sub, 0));
    }
  }
}

/** The greatest age of a checkpoint that is accepted for a question, in seconds. */
function checkpointAge(kind: Kind, { maxCheckpointAge }: Pick<Ask, 'maxCheckpointAge'>): number {
  return Math.min(CHECKPOINT_AGE[kind], maxCheckpointAge ?? CHECKPOINT_AGE[kind]);
}

/** Our own request, read again; we signed it ourselves. */
async function openOwn({ crypto }: Session, { jws, plaintext }: Posted): Promise<OpenRequest> {
  const statement = (await parseRequest(crypto, jws)) as Verified<RequestPayload>;
  if ('content' in statement.payload) return { statement, question: statement.payload.content };
  return { statement, question: parseContent(Question, plaintext!), plaintext: plaintext! };
}

/** @throws `broker-answer-invalid` where a settled state lacks what it must carry */
function settledOf(state: WireState): Settled | undefined {
  const at = state.settled_at ?? 0;
  const carried = <T>(value: T | undefined): T => {
    if (value !== undefined) return value;
    throw new CountersignError('broker-answer-invalid', `the broker says ${state.state}, and nothing more`);
  };
  switch (state.state) {
    case 'pending':
      return undefined;
    case 'expired':
      return { state: state.state, at };
    case 'answered':
      return { state: state.state, at, response: carried(state.response) };
    case 'refused':
    case 'cancelled-by-enquirer':
      return { state: state.state, at, statement: carried(state.statement) };
    case 'cancelled-by-broker':
      return { state: state.state, at, reason: carried(state.reason) };
  }
}
