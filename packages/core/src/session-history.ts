/**
 * The history of an organisation's sessions: a chain, in which each entry holds the hash of the one before. Whoever
 * kept the newest hash notices that an entry before it was altered, left out or put in.
 * @module
 */
import * as v from 'valibot';
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import type { Head } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { describeIssue } from './statement.ts';
import { parseStrictJson } from './strict-json.ts';

const Time = v.nullable(Seconds);
const Place = { seq: v.pipe(v.number(), v.integer(), v.minValue(1)), prev: v.nullable(Hash) };
const Entry = v.variant('event', [
  v.object({
    ...Place,
    event: v.literal('created'),
    sid: v.string(),
    at: Seconds,
    /** Fingerprint of the device that opened it. */
    by: v.string(),
    /** The member whose seat that was, where it was no device of the organisation. */
    member: v.optional(v.object({ name: v.string(), identity: Hash, seat: Hash })),
    fields: v.array(v.string()),
    subject: v.nullable(v.string()),
    template: v.nullable(v.object({ name: v.string(), version: v.number() })),
    duration: v.number(),
    prefilled: v.boolean(),
    /** `two-way` is a signed confirmation by the customer's account: `sid` is the hash of its request. */
    mode: v.picklist(['cpace', 'digest', 'two-way']),
  }),
  v.object({
    ...Place,
    event: v.literal('ended'),
    sid: v.string(),
    at: Seconds,
    outcome: v.string(),
    opened_at: Time,
    filled_at: Time,
    seen_at: Time,
    revealed_at: Time,
    /** When the customer first waited for an organisation that was away. */
    away_at: v.optional(Time),
    tries: v.number(),
  }),
]);
export type SessionHistoryEntry = v.InferOutput<typeof Entry>;
type Created = Extract<SessionHistoryEntry, { event: 'created' }>;
type Ended = Extract<SessionHistoryEntry, { event: 'ended' }>;

/** A session as its entries tell of it; without `ended`, it stands. */
export interface SessionRecordRow {
  readonly created: Created;
  readonly ended?: Ended;
}

export interface CheckedHistory {
  readonly entries: readonly SessionHistoryEntry[];
  /** The newest entry; nothing of an empty history. */
  readonly head?: Head;
}

/**
 * Checks a history from its first entry on.
 * @param texts of the entries, exactly as they were written: they are what was hashed
 * @param known a place that it must go through, as it was seen before
 * @throws `history-invalid` naming the first entry that does not follow
 */
export async function checkHistory(
  crypto: Pick<CryptoProvider, 'sha256'>,
  texts: readonly string[],
  known?: Head,
): Promise<CheckedHistory> {
  const entries: SessionHistoryEntry[] = [];
  let head: Head | undefined;
  for (const [index, text] of texts.entries()) {
    const number = index + 1;
    const entry = parseEntry(text, number);
    if (entry.seq !== number) throw invalid(`entry ${number} has the number ${entry.seq}`);
    if (entry.prev !== (head?.hash ?? null)) {
      throw invalid(`entry ${number} does not follow the one before: one of the two was altered`);
    }
    head = { seq: number, hash: encodeBase64url(await crypto.sha256(new TextEncoder().encode(text))) };
    if (known?.seq === number && known.hash !== head.hash) {
      throw invalid(`entry ${number} is another one than was seen before`);
    }
    entries.push(entry);
  }
  if (known !== undefined && known.seq > entries.length) {
    throw invalid(`${entries.length} entries, where ${known.seq} were seen before`);
  }
  return head === undefined ? { entries } : { entries, head };
}

/** What a row of the history tells of a session, in the order in which people see it. */
export const SESSION_COLUMNS = [
  'created',
  'by',
  'template',
  'subject',
  'duration',
  'prefilled',
  'mode',
  'opened',
  'outcome',
  'ended',
] as const;

/** Sessions, oldest first. */
export function sessionRecords(entries: readonly SessionHistoryEntry[]): SessionRecordRow[] {
  const records = new Map<string, SessionRecordRow>();
  for (const entry of entries) {
    if (entry.event === 'created') records.set(entry.sid, { created: entry });
    else {
      const record = records.get(entry.sid);
      if (record !== undefined) records.set(entry.sid, { ...record, ended: entry });
    }
  }
  return [...records.values()];
}

function parseEntry(text: string, number: number): SessionHistoryEntry {
  let json: unknown;
  try {
    json = parseStrictJson(text);
  } catch (cause) {
    throw invalid(`entry ${number} is not JSON`, cause);
  }
  const read = v.safeParse(Entry, json);
  if (read.success) return read.output;
  throw invalid(`entry ${number}: ${describeIssue(read.issues)}`);
}

function invalid(what: string, cause?: unknown): CountersignError {
  return new CountersignError('history-invalid', `the history is not good: ${what}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'somebody may have changed it: keep it, and compare it with an earlier copy',
  });
}
