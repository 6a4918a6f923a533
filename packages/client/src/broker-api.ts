/**
 * Calls to a broker: what goes out is typed, what comes back is parsed, and every failure is a coded error.
 * @module
 */
import {
  CountersignError,
  decodeText,
  describeIssue,
  Hash,
  isErrorCode,
  parseStrictJson,
  type SeatEvidence,
  wholeFrom,
} from '@countersign/core';
import type { WebSigner } from '@countersign/core/webcrypto';
import { generateProof } from 'dpop';
import * as v from 'valibot';
import { readAnswer } from './answer-body.ts';
import {
  Asked,
  AskedCounts,
  Card,
  Domains,
  Done,
  Enrolment,
  Event,
  Failure,
  Listed,
  Log,
  MemberChanges,
  MutualSession,
  Profile,
  Proof,
  type Reached,
  ReachedDevice,
  ReceiptParts,
  RoomItems,
  SeatProof,
  SessionHistory,
  SessionList,
  SessionRead,
  State,
  TakenSeat,
  TextSignatures,
  Waiting,
  WellKnown,
  type WireAsked,
  type WireAskedCounts,
  type WireCard,
  type WireDomain,
  type WireEnrolment,
  type WireEvent,
  type WireListedSession,
  type WireProfile,
  type WireSession,
  type WireState,
  type WireWaiting,
} from './wire.ts';

/** Longest that a broker is waited for, in ms, beside what it was asked to wait. */
const DEADLINE_MS = 15_000;
/** A broker's whole log is a tenth of this, page by page. */
const MAX_LOG_PAGES = 100;

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
    await this.#post(`${pathOf(name)}/log`, { entries }, v.object({ seq: wholeFrom(0) }));
  }

  /** A fresh challenge for a new device, and the identity of the account by the broker's word. */
  challenge(name: string) {
    return this.#get(`${pathOf(name)}/challenge`, v.object({ challenge: v.string(), identity: Hash }));
  }

  async postInvitation(name: string, statement: string): Promise<void> {
    await this.#post(`${pathOf(name)}/invitations`, { statement }, Done);
  }

  async listInvitations(signer: WebSigner, name: string): Promise<string[]> {
    const schema = v.object({ invitations: v.array(v.string()) });
    return (await this.#getProven(signer, `${pathOf(name)}/invitations`, '', schema)).invitations;
  }

  /** @param ticket hash of the invitation's ticket */
  async cancelInvitation(name: string, ticket: string, statement: string): Promise<void> {
    await this.#post(`${pathOf(name)}/invitations/${ticket}/cancel`, { statement }, Done);
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
    await this.#post(`${pathOf(name)}/enrolments/${hash}/accept`, body, v.object({ seq: wholeFrom(0) }));
  }

  async settleEnrolment(
    name: string,
    hash: string,
    how: 'reject' | 'complete',
    statement: string,
  ): Promise<void> {
    await this.#post(`${pathOf(name)}/enrolments/${hash}/${how}`, { statement }, Done);
  }

  /** @param picture a PNG in base64url, where the card names another one than before */
  async publishCard(name: string, statement: string, picture?: string): Promise<void> {
    await this.#post(`${pathOf(name)}/card`, { statement, picture }, Done);
  }

  /** An organisation's card, and the broker's word for its domains. */
  readCard(name: string): Promise<WireCard> {
    return this.#get(`${pathOf(name)}/card`, Card);
  }

  /** A PNG in base64url. */
  async readPicture(name: string): Promise<string | undefined> {
    const schema = v.object({ picture: v.optional(v.string()) });
    return (await this.#get(`${pathOf(name)}/picture`, schema)).picture;
  }

  readProfile(name: string): Promise<WireProfile> {
    return this.#get(`${pathOf(name)}/profile`, Profile);
  }

  /** @param look whether the broker is to look at the domains now */
  async listDomains(signer: WebSigner, name: string, look: boolean): Promise<WireDomain[]> {
    const path = `${pathOf(name)}/domains`;
    const { domains } = look
      ? await this.#postProven(signer, `${path}/check`, {}, Domains)
      : await this.#getProven(signer, path, '', Domains);
    return domains;
  }

  async postRecommendation(statement: string): Promise<void> {
    await this.#post('/v1/recommendations', { statement }, Done);
  }

  async listRecommended(signer: WebSigner, name: string): Promise<string[]> {
    const schema = v.object({ recommendations: v.array(v.string()) });
    return (await this.#getProven(signer, `${pathOf(name)}/recommended`, '', schema)).recommendations;
  }

  /** The newest word of an account for another, whatever it says. */
  async readRecommended(signer: WebSigner, name: string, subject: string): Promise<string | undefined> {
    const schema = v.object({ recommendation: v.optional(v.string()) });
    const path = `${pathOf(name)}/recommended/${encodeURIComponent(subject)}`;
    return (await this.#getProven(signer, path, '', schema)).recommendation;
  }

  /** What an account asked, newest first. */
  async listAsked(signer: WebSigner, name: string, before?: number): Promise<WireAsked[]> {
    const query = before === undefined ? '' : `?before=${before}`;
    return (await this.#getProven(signer, `${pathOf(name)}/asked`, query, Asked)).requests;
  }

  /** What became of the newest that an account asked. */
  countAsked(signer: WebSigner, name: string): Promise<WireAskedCounts> {
    return this.#getProven(signer, `${pathOf(name)}/asked/counts`, '', AskedCounts);
  }

  /** @param digest of a session of mode digest */
  startSession(statement: string, digest?: { digest: string; nonce: string }): Promise<WireSession> {
    return this.#post('/v1/sessions', { statement, digest }, MutualSession);
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

  /** Sessions, newest first. @param before only those before this place @param max 1 to 100 */
  async listSessions(
    signer: WebSigner,
    name: string,
    { before, max = 50 }: { before?: number | undefined; max?: number } = {},
  ): Promise<WireListedSession[]> {
    const query = `?max=${max}${before === undefined ? '' : `&before=${before}`}`;
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

  /** Puts a question that was asked into the history of sessions. @throws `request-unknown` */
  async noteTwoWay(signer: WebSigner, name: string, request: string): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/two-way`, { request }, Done);
  }

  /** Says how it ended, where that is known. @throws `request-unknown` */
  async endTwoWay(signer: WebSigner, name: string, request: string, answer?: string): Promise<void> {
    const said = answer === undefined ? {} : { answer };
    await this.#postProven(
      signer,
      `${pathOf(name)}/two-way/${request}/end`,
      said,
      v.object({ ended: v.boolean() }),
    );
  }

  async postTextSignature(statement: string): Promise<void> {
    await this.#post('/v1/signatures', { statement }, v.object({ hash: Hash }));
  }

  /** @throws `signature-unknown` */
  async readTextSignature(hash: string): Promise<string> {
    return (await this.#get(`/v1/signatures/${hash}`, v.object({ signature: v.string() }))).signature;
  }

  async listTextSignatures(signer: WebSigner, name: string) {
    return (await this.#getProven(signer, `${pathOf(name)}/signatures`, '', TextSignatures)).signatures;
  }

  async postMember(statement: string): Promise<void> {
    await this.#post('/v1/members', { statement }, v.object({ seq: wholeFrom(1) }));
  }

  /** Changes of an organisation's members from a number on. */
  async readMembers(name: string, from: number): Promise<string[]> {
    return (await this.#get(`${pathOf(name)}/members?from=${from}`, MemberChanges)).changes;
  }

  /** Has the broker take a seat, by its proof. */
  async postSeat(name: string, evidence: SeatEvidence): Promise<void> {
    await this.#post(`${pathOf(name)}/seats`, evidence, TakenSeat);
  }

  /** The proof of a seat. @throws `seat-invalid` where the broker has none */
  readSeat(hash: string): Promise<SeatEvidence> {
    return this.#get(`/v1/seats/${hash}`, SeatProof);
  }

  async signOut(signer: WebSigner, name: string): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/sign-out`, {}, Done);
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
    await this.#post('/v1/contacts', { statement }, v.object({ seq: wholeFrom(0) }));
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
    for (const key of ['max', 'before', 'after'] as const) {
      if (options[key] !== undefined) query.set(key, String(options[key]));
    }
    const path = `${pathOf(name)}/${which}`;
    return this.#getProven(signer, path, query.size === 0 ? '' : `?${query}`, Listed);
  }

  async listReached(signer: WebSigner, name: string): Promise<Reached[]> {
    const schema = v.object({ devices: v.array(ReachedDevice) });
    return (await this.#getProven(signer, `${pathOf(name)}/reached`, '', schema)).devices;
  }

  async listAddresses(signer: WebSigner, name: string): Promise<{ address: string; since: number }[]> {
    const row = v.object({ address: v.pipe(v.string(), v.maxLength(254)), since: wholeFrom(0) });
    const schema = v.object({ addresses: v.array(row) });
    return (await this.#getProven(signer, `${pathOf(name)}/addresses`, '', schema)).addresses;
  }

  async changeAddresses(
    signer: WebSigner,
    name: string,
    step: '' | '/confirm' | '/remove',
    body: { address: string; code?: string },
  ): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/addresses${step}`, body, Done);
  }

  /** Has this device told by Web Push. @param subscription as `PushSubscription.toJSON` gives it */
  async subscribePush(signer: WebSigner, name: string, subscription: object): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/push`, { subscription }, Done);
  }

  async unsubscribePush(signer: WebSigner, name: string): Promise<void> {
    await this.#postProven(signer, `${pathOf(name)}/push/remove`, {}, Done);
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
      return { ok: answer.ok, bytes: await readAnswer(answer) };
    } catch (cause) {
      if (cause instanceof CountersignError) throw cause;
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
