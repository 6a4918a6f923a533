/**
 * Calls to a broker: what goes out is typed, what comes back is parsed, and every failure is a coded error.
 * @module
 */
import {
  AccountName,
  CountersignError,
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
const RoomItems = v.object({
  items: v.array(v.object({ cursor: v.number(), room: v.string(), statement: v.string() })),
});
const Done = v.object({ done: v.literal(true) });

export type WireEvent = v.InferOutput<typeof Event>;

const Listed = v.object({ requests: v.array(Request), cursor: v.number() });
const Log = v.object({
  name: AccountName,
  identity: Hash,
  entries: v.array(v.string()),
  more: v.optional(v.literal(true)),
  checkpoint: v.string(),
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

export class BrokerApi {
  /** Origin of the broker. */
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  wellKnown() {
    return this.#get('/.well-known/countersign', WellKnown);
  }

  async register(entries: readonly string[]): Promise<void> {
    await this.#post('/v1/accounts', { entries }, v.object({ identity: Hash }));
  }

  /** All entries from a number on; the checkpoint is the one that came with the last of them. */
  async readLog(name: string, from: number): Promise<v.InferOutput<typeof Log>> {
    const entries: string[] = [];
    for (let page = 0; page < MAX_LOG_PAGES; page++) {
      const read = await this.#get(`${pathOf(name)}/log?from=${from + entries.length}`, Log);
      entries.push(...read.entries);
      if (read.more === undefined) return { ...read, entries };
      if (read.entries.length === 0) break;
    }
    throw new CountersignError('broker-answer-invalid', `the broker’s log of ${name} has no end`);
  }

  async appendLog(name: string, entries: readonly string[]): Promise<void> {
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

  #prove(signer: WebSigner, path: string): Promise<string> {
    return generateProof(signer.keyPair as Parameters<typeof generateProof>[0], this.origin + path, 'GET');
  }

  /** @param wait seconds that the broker may take its time for */
  #get<S extends v.GenericSchema>(path: string, schema: S, headers = {}, wait = 0, signal?: AbortSignal) {
    const late = AbortSignal.timeout(DEADLINE_MS + wait * 1000);
    return this.#call(path, schema, {
      headers,
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
  }

  #post<S extends v.GenericSchema>(path: string, body: object, schema: S) {
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    return this.#call(path, schema, { method: 'POST', headers, body: JSON.stringify(body), signal });
  }

  async #call<S extends v.GenericSchema>(
    path: string,
    schema: S,
    init: RequestInit,
  ): Promise<v.InferOutput<S>> {
    let ok: boolean;
    let bytes: Uint8Array;
    try {
      const answer = await fetch(this.origin + path, { redirect: 'error', ...init });
      ok = answer.ok;
      bytes = new Uint8Array(await answer.arrayBuffer());
    } catch (cause) {
      throw new CountersignError('broker-unreachable', `the broker ${this.origin} does not answer`, {
        cause,
        hint: 'is it running, and is the address right? `npm start` runs one here',
      });
    }
    const body = readBody(bytes);
    if (ok) return parseAnswer(schema, body);
    throw failureOf(body);
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
