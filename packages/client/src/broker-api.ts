/**
 * Calls to a broker: what goes out is typed, what comes back is parsed, and every failure is a coded error.
 * @module
 */
import {
  AccountName,
  CountersignError,
  decodeText,
  describeIssue,
  Hash,
  isErrorCode,
  makeVisible,
  Origin,
  PublicSigningKey,
  parseStrictJson,
  STATES,
} from '@countersign/core';
import type { WebSigner } from '@countersign/core/webcrypto';
import { generateProof } from 'dpop';
import * as v from 'valibot';

/** Longest that a broker is waited for, in ms, beside what it was asked to wait. */
const DEADLINE_MS = 15_000;
/** A broker's whole log is a tenth of this, page by page. */
const MAX_LOG_PAGES = 100;

/** Whatever a broker says in words may reach a terminal: nothing in it may act there, or mislead. */
const Words = v.pipe(v.string(), v.transform(makeVisible));

const WellKnown = v.object({
  versions: v.array(v.string()),
  origin: Origin,
  key: PublicSigningKey,
  domains: v.array(v.string()),
});

const State = v.object({
  hash: Hash,
  state: v.picklist(STATES),
  expires_at: v.number(),
  settled_at: v.optional(v.number()),
  response: v.optional(v.string()),
  statement: v.optional(v.string()),
  reason: v.optional(Words),
});
export type WireState = v.InferOutput<typeof State>;

const Request = v.object({
  ...State.entries,
  cursor: v.number(),
  enquirer: v.object({ name: AccountName, identity: Hash }),
  posted_at: v.number(),
  held: v.boolean(),
  request: v.optional(v.string()),
});
export type WireRequest = v.InferOutput<typeof Request>;

const Event = v.object({
  cursor: v.number(),
  kind: v.string(),
  request: v.optional(Request),
});
const Enrolment = v.object({
  hash: Hash,
  state: v.picklist(['waiting', 'expired', 'accepted', 'complete', 'rejected']),
  posted_at: v.number(),
  expires_at: v.number(),
  statement: v.optional(v.string()),
  share: v.optional(v.string()),
});
export type WireEnrolment = v.InferOutput<typeof Enrolment>;

const Waiting = v.object({
  waiting: v.array(v.object({ ...Enrolment.entries, enrolment: v.string(), invitation: v.string() })),
  notices: v.array(
    v.object({
      kind: v.picklist(['pin-used', 'too-many-enrolments']),
      count: v.number(),
      first: v.number(),
      newest: v.number(),
    }),
  ),
});
export type WireWaiting = v.InferOutput<typeof Waiting>;
const At = v.optional(v.number());
const MutualSession = v.object({
  sid: v.string(),
  session: v.string(),
  created_at: v.number(),
  expires_at: v.number(),
  tries: v.number(),
  version: v.number(),
  opened_at: At,
  filled_at: At,
  seen_at: At,
  revealed_at: At,
  ended_at: At,
  outcome: v.optional(v.string()),
});
export type WireSession = v.InferOutput<typeof MutualSession>;
const SessionRead = v.object({
  state: MutualSession,
  messages: v.array(v.object({ cursor: v.number(), body: v.string() })),
});
const SessionList = v.object({ sessions: v.array(MutualSession) });
const SessionHistory = v.object({ entries: v.array(v.object({ entry: v.string(), hash: Hash })) });
const RoomItems = v.object({
  items: v.array(v.object({ cursor: v.number(), room: v.string(), statement: v.string() })),
});
const Done = v.object({ done: v.literal(true) });

export type WireEvent = v.InferOutput<typeof Event>;

const Listed = v.object({ requests: v.array(Request), cursor: v.number() });
/** A proof in a tree of 2^53 leaves has no more hashes than this. */
const Proof = v.pipe(v.array(Hash), v.maxLength(128));
const Transparency = v.object({
  tree_head: v.string(),
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  leaf: v.string(),
  inclusion: Proof,
  consistency: v.optional(Proof),
});
export type WireTransparency = v.InferOutput<typeof Transparency>;

const Log = v.object({
  name: AccountName,
  identity: Hash,
  entries: v.array(v.string()),
  more: v.optional(v.literal(true)),
  checkpoint: v.string(),
  transparency: Transparency,
});
const ReceiptParts = v.object({
  request: v.string(),
  response: v.string(),
  enquirer_log: v.array(v.string()),
  account_log: v.array(v.string()),
  checkpoint: v.object({ statement: v.string(), key: PublicSigningKey }),
});
const Failure = v.object({
  code: v.string(),
  message: Words,
  hint: v.optional(Words),
  retry_after: v.optional(v.number()),
});

export interface ListOptions {
  max?: number;
  before?: number;
  after?: number;
}

export interface BrokerApiOptions {
  /** Is told of entries before they go out to a device log. */
  readonly onAppend?: (entries: readonly string[]) => Promise<void>;
}

export class BrokerApi {
  /** Origin of the broker. */
  readonly origin: string;
  readonly #onAppend: BrokerApiOptions['onAppend'];

  constructor(origin: string, { onAppend }: BrokerApiOptions = {}) {
    this.origin = origin;
    this.#onAppend = onAppend;
  }

  wellKnown() {
    return this.#get('/.well-known/countersign', WellKnown);
  }

  async register(entries: readonly string[]): Promise<void> {
    await this.#post('/v1/accounts', { entries }, v.object({ identity: Hash }));
  }

  /**
   * All entries from a number on; checkpoint and proofs are those that came with the last of them.
   * @param tree size of the tree that was seen last, 0 for none
   */
  async readLog(name: string, from: number, tree: number): Promise<v.InferOutput<typeof Log>> {
    const entries: string[] = [];
    for (let page = 0; page < MAX_LOG_PAGES; page++) {
      const read = await this.#get(`${pathOf(name)}/log?from=${from + entries.length}&tree=${tree}`, Log);
      entries.push(...read.entries);
      if (read.more === undefined) return { ...read, entries };
      if (read.entries.length === 0) break;
    }
    throw new CountersignError('broker-answer-invalid', `the broker’s log of ${name} has no end`);
  }

  /** The signed head of the broker's tree: a note. */
  async readTreeHead(): Promise<string> {
    const bytes = await this.#getBytes('/tlog/checkpoint');
    try {
      return decodeText(bytes);
    } catch (cause) {
      throw new CountersignError('broker-answer-invalid', 'the head of the broker’s tree is not text', {
        cause,
      });
    }
  }

  async readTreeProof(from: number, to: number): Promise<string[]> {
    const schema = v.object({ consistency: Proof });
    return (await this.#get(`/tlog/proof?from=${from}&to=${to}`, schema)).consistency;
  }

  /** A bundle of leaves, each after its length in two bytes. @param path of the tile: C2SP tlog-tiles */
  readTreeEntries(path: string): Promise<Uint8Array> {
    return this.#getBytes(`/tlog/tile/entries/${path}`);
  }

  async appendLog(name: string, entries: readonly string[]): Promise<void> {
    await this.#onAppend?.(entries);
    await this.#post(`${pathOf(name)}/log`, { entries }, v.object({ seq: v.number() }));
  }

  /** A fresh challenge for a new device, and the identity of the account by the broker's word. */
  challenge(name: string) {
    return this.#get(`${pathOf(name)}/challenge`, v.object({ challenge: v.string(), identity: Hash }));
  }

  async postInvitation(name: string, statement: string): Promise<void> {
    await this.#post(`${pathOf(name)}/invitations`, { statement }, Done);
  }

  postEnrolment(name: string, enrolment: string, ticket: string): Promise<WireEnrolment> {
    return this.#post(`${pathOf(name)}/enrolments`, { enrolment, ticket }, Enrolment);
  }

  /** What has become of a waiting device, by that device. @param wait seconds to wait, 1 to 120; 0 not to */
  readEnrolment(
    signer: WebSigner,
    name: string,
    hash: string,
    wait = 0,
    signal?: AbortSignal,
  ): Promise<WireEnrolment> {
    const query = wait > 0 ? `?wait=${wait}` : '';
    return this.#getProven(signer, `${pathOf(name)}/enrolments/${hash}`, query, Enrolment, wait, signal);
  }

  listEnrolments(signer: WebSigner, name: string): Promise<WireWaiting> {
    return this.#getProven(signer, `${pathOf(name)}/enrolments`, '', Waiting);
  }

  async acceptEnrolment(
    name: string,
    hash: string,
    statement: string,
    entries: readonly string[],
    share?: string,
  ): Promise<void> {
    const body = { statement, entries, share };
    await this.#onAppend?.(entries);
    await this.#post(`${pathOf(name)}/enrolments/${hash}/accept`, body, v.object({ seq: v.number() }));
  }

  async settleEnrolment(
    name: string,
    hash: string,
    how: 'reject' | 'complete',
    statement: string,
  ): Promise<void> {
    await this.#post(`${pathOf(name)}/enrolments/${hash}/${how}`, { statement }, Done);
  }

  async publishCard(name: string, statement: string): Promise<void> {
    await this.#post(`${pathOf(name)}/card`, { statement }, Done);
  }

  async readCard(name: string): Promise<string | undefined> {
    const { card } = await this.#get(`${pathOf(name)}/card`, v.object({ card: v.optional(v.string()) }));
    return card;
  }

  startSession(statement: string): Promise<WireSession> {
    return this.#post('/v1/sessions', { statement }, MutualSession);
  }

  /** Where the customer is, and what their page said after a place. @param version that is known */
  readSession(
    signer: WebSigner,
    name: string,
    sid: string,
    { after, version, wait }: { after: number; version: number; wait: number },
    signal?: AbortSignal,
  ) {
    const query = `?after=${after}&version=${version}${wait > 0 ? `&wait=${wait}` : ''}`;
    return this.#getProven(signer, `${pathOf(name)}/sessions/${sid}`, query, SessionRead, wait, signal);
  }

  async sayInSession(signer: WebSigner, name: string, sid: string, body: string): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/sessions/${sid}/messages`, { body }, Done);
  }

  /** @throws `session-early` until the customer has seen their passcode */
  changeSession(
    signer: WebSigner,
    name: string,
    sid: string,
    how: 'reveal' | 'delete',
  ): Promise<WireSession> {
    return this.#postProven(signer, `${pathOf(name)}/sessions/${sid}/${how}`, {}, MutualSession);
  }

  async listSessions(signer: WebSigner, name: string, before?: number): Promise<WireSession[]> {
    const query = before === undefined ? '' : `?before=${before}`;
    const { sessions } = await this.#getProven(signer, `${pathOf(name)}/sessions`, query, SessionList);
    return sessions;
  }

  async readSessionHistory(signer: WebSigner, name: string, from: number) {
    const read = await this.#getProven(
      signer,
      `${pathOf(name)}/session-history`,
      `?from=${from}`,
      SessionHistory,
    );
    return read.entries;
  }

  async createRoom(statement: string): Promise<void> {
    await this.#post('/v1/rooms', { statement }, Done);
  }

  async addRoomItem(room: string, statement: string): Promise<void> {
    await this.#post(`/v1/rooms/${room}/items`, { statement }, Done);
  }

  /** Items of an account's rooms after a place, oldest first, a page of them. */
  async readRoomItems(signer: WebSigner, name: string, after: number) {
    const { items } = await this.#getProven(
      signer,
      `${pathOf(name)}/room-items`,
      `?after=${after}`,
      RoomItems,
    );
    return items;
  }

  postRequest(request: string): Promise<WireState> {
    return this.#post('/v1/requests', { request }, State);
  }

  /** @param wait seconds to wait for an answer, 1 to 120; 0 not to */
  readState(hash: string, wait = 0, signal?: AbortSignal): Promise<WireState> {
    const query = wait > 0 ? `?wait=${wait}` : '';
    return this.#get(`/v1/requests/${hash}${query}`, State, {}, wait, signal);
  }

  postResponse(hash: string, response: string): Promise<WireState> {
    return this.#post(`/v1/requests/${hash}/response`, { response }, State);
  }

  postCancel(hash: string, statement: string): Promise<WireState> {
    return this.#post(`/v1/requests/${hash}/cancel`, { statement }, State);
  }

  async postReport(hash: string, statement: string): Promise<void> {
    await this.#post(`/v1/requests/${hash}/report`, { statement }, v.object({ reported: v.literal(true) }));
  }

  readReceipt(hash: string) {
    return this.#get(`/v1/requests/${hash}/receipt`, ReceiptParts);
  }

  async postContact(statement: string): Promise<void> {
    await this.#post('/v1/contacts', { statement }, v.object({ seq: v.number() }));
  }

  async readContacts(signer: WebSigner, name: string, from: number): Promise<string[]> {
    const path = `${pathOf(name)}/contacts`;
    const answer = await this.#getProven(
      signer,
      path,
      `?from=${from}`,
      v.object({ changes: v.array(v.string()) }),
    );
    return answer.changes;
  }

  list(signer: WebSigner, name: string, which: 'pending' | 'history', options: ListOptions = {}) {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(options))
      if (value !== undefined) query.set(key, String(value));
    const path = `${pathOf(name)}/${which}`;
    return this.#getProven(signer, path, query.size === 0 ? '' : `?${query}`, Listed);
  }

  /** Opens a device's stream of events, from after a cursor on. */
  async openStream(signer: WebSigner, name: string, cursor: number): Promise<WebSocket> {
    const path = `${pathOf(name)}/stream`;
    const proof = await this.#prove(signer, path);
    const address = `${this.origin.replace(/^http/, 'ws')}${path}?cursor=${cursor}`;
    return new WebSocket(address, ['countersign.v1', `dpop.${proof}`]);
  }

  /** @throws `broker-answer-invalid` */
  parseEvent(text: unknown): WireEvent {
    return parseAnswer(Event, parseStrictJson(String(text)));
  }

  async #getProven<S extends v.GenericSchema>(
    signer: WebSigner,
    path: string,
    query: string,
    schema: S,
    wait = 0,
    signal?: AbortSignal,
  ): Promise<v.InferOutput<S>> {
    return this.#get(path + query, schema, { dpop: await this.#prove(signer, path) }, wait, signal);
  }

  async #postProven<S extends v.GenericSchema>(
    signer: WebSigner,
    path: string,
    body: object,
    schema: S,
  ): Promise<v.InferOutput<S>> {
    return this.#post(path, body, schema, { dpop: await this.#prove(signer, path, 'POST') });
  }

  #prove(signer: WebSigner, path: string, method = 'GET'): Promise<string> {
    return generateProof(signer.keyPair as Parameters<typeof generateProof>[0], this.origin + path, method);
  }

  /** @param wait seconds that the broker may take its time for */
  #get<S extends v.GenericSchema>(path: string, schema: S, headers = {}, wait = 0, signal?: AbortSignal) {
    const late = AbortSignal.timeout(DEADLINE_MS + wait * 1000);
    return this.#call(path, schema, {
      headers,
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
  }

  async #getBytes(path: string): Promise<Uint8Array> {
    const { ok, bytes } = await this.#fetch(path, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (ok) return bytes;
    throw failureOf(readBody(bytes));
  }

  #post<S extends v.GenericSchema>(path: string, body: object, schema: S, proof: { dpop?: string } = {}) {
    const headers = { 'content-type': 'application/json', ...proof };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    return this.#call(path, schema, { method: 'POST', headers, body: JSON.stringify(body), signal });
  }

  async #call<S extends v.GenericSchema>(
    path: string,
    schema: S,
    init: RequestInit,
  ): Promise<v.InferOutput<S>> {
    const { ok, bytes } = await this.#fetch(path, init);
    const body = readBody(bytes);
    if (ok) return parseAnswer(schema, body);
    throw failureOf(body);
  }

  async #fetch(path: string, init: RequestInit): Promise<{ ok: boolean; bytes: Uint8Array }> {
    try {
      const answer = await fetch(this.origin + path, { redirect: 'error', ...init });
      return { ok: answer.ok, bytes: new Uint8Array(await answer.arrayBuffer()) };
    } catch (cause) {
      throw new CountersignError('broker-unreachable', `the broker ${this.origin} does not answer`, {
        cause,
        hint: 'is it running, and is the address right? `npm start` runs one here',
      });
    }
  }
}

function pathOf(name: string): string {
  return `/v1/accounts/${encodeURIComponent(name)}`;
}

function readBody(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    throw new CountersignError('broker-answer-invalid', 'the broker’s answer is not JSON', {
      cause,
      hint: 'is there a broker at this address?',
    });
  }
}

function parseAnswer<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const read = v.safeParse(schema, body);
  if (read.success) return read.output;
  throw new CountersignError('broker-answer-invalid', `the broker’s answer: ${describeIssue(read.issues)}`);
}

function failureOf(body: unknown): CountersignError {
  const { code, message, hint, retry_after } = parseAnswer(Failure, body);
  return new CountersignError(isErrorCode(code) ? code : 'broker-answer-invalid', message, {
    ...(hint === undefined ? {} : { hint }),
    ...(retry_after === undefined ? {} : { retryAfter: retry_after }),
  });
}
