/**
 * The rows of the history: of the chain, checked and held to what this browser saw of it before; of a member who may
 * not read that, their own sessions.
 * @module
 */
import {
  type Device,
  type ReadHistory,
  readHistory,
  readSeat,
  type WireListedSession,
  type WireSession,
} from '@countersign/client';
import { type Seat, type SessionPayload, type SessionRecordRow, sessionRecords } from '@countersign/core';
import { kidOf, payloadOf } from '../session/server.ts';
import { endTwoWaysBefore } from './two-way.tsx';
import { say, time, type Word } from './words.ts';

/** So many rows more are shown at once. */
export const STEP = 50;
/** As many sessions as a server lists at once. */
const MOST_LISTED = 100;

export interface Row {
  readonly sid: string;
  readonly outcome: string;
  readonly cells: readonly string[];
  /** Whether it could be ended here. */
  readonly stands: boolean;
}

export interface LoadedHistory {
  /** The chain, for who reads that. */
  readonly history: ReadHistory | undefined;
  /** The newest first. */
  readonly records: readonly SessionRecordRow[];
  readonly rows: readonly Row[];
  /** Whether the server has older ones. */
  readonly more: boolean;
}

/** @param count how many sessions are read at least, where a member's own are; the history is read as a whole */
export async function loadHistory(
  device: Device,
  seat: Seat | undefined,
  count: number,
): Promise<LoadedHistory> {
  const own = seat?.role === 'agent';
  let history = own ? undefined : await readHistory(device.session);
  const standing = sessionRecords(history?.entries ?? []).filter(
    ({ created, ended }) =>
      created.mode === 'two-way' && ended === undefined && created.member?.seat === seat?.hash,
  );
  if (standing.length > 0) {
    const hashes = standing.map(({ created }) => created.sid);
    // What can't be judged now stands on.
    await endTwoWaysBefore(device, seat, hashes).catch(() => {});
    history = await readHistory(device.session);
  }
  const { sessions, more } = await newestSessions(device, own ? count : STEP);
  const states = new Map(sessions.map((session) => [session.sid, session]));
  const records = history === undefined ? sessions.map(recordOf) : sessionRecords(history.entries).reverse();
  const makers = await makersOf(device, seat, records);
  const rows = records.map((record) => {
    const { sid } = record.created;
    return rowOf(record, states.get(sid), makers.get(sid)!);
  });
  return { history, records, rows, more: own && more };
}

async function newestSessions(
  { session: { api, keys } }: Device,
  count: number,
): Promise<{ sessions: WireListedSession[]; more: boolean }> {
  const sessions: WireListedSession[] = [];
  for (;;) {
    const max = Math.min(MOST_LISTED, count - sessions.length);
    const before = sessions.at(-1)?.cursor;
    const page = await api.listSessions(keys.signer, keys.name, { before, max });
    sessions.push(...page);
    if (page.length < max) return { sessions, more: false };
    if (sessions.length >= count) return { sessions, more: true };
  }
}

/** Who made each session: a device by its name, and a member where their seat proves it. */
async function makersOf(
  { session }: Device,
  own: Seat | undefined,
  records: readonly SessionRecordRow[],
): Promise<Map<string, string>> {
  const log = await session.ownLog();
  const seats = new Map<string, Promise<Seat | undefined>>();
  const seatOf = (hash: string) => {
    const seat = seats.get(hash) ?? readSeat(session, hash).catch(() => undefined);
    seats.set(hash, seat);
    return seat;
  };
  const nameOf = async ({ created: { by, member } }: SessionRecordRow) => {
    if (member === undefined) return log.devices.get(by)?.name ?? own?.member.name ?? by;
    const seat = await seatOf(member.seat);
    const proven = seat?.kid === by && seat.member.identity === member.identity;
    return proven
      ? say('seat.by', { name: seat.member.name, role: say(`members.role.${seat.role}`) })
      : say('seat.unproven', { name: member.name });
  };
  return new Map(
    await Promise.all(
      records.map(async (record) => [record.created.sid, await nameOf(record)] as [string, string]),
    ),
  );
}

/** A session of one's own as the history would tell of it, for who does not read that. */
function recordOf(live: WireSession): SessionRecordRow {
  const { sid, session, created_at: at, ended_at, outcome, tries } = live;
  const { fields, subject, template, iat, exp, prefilled, commitment } = payloadOf<SessionPayload>(session);
  const created = {
    event: 'created' as const,
    seq: 1,
    prev: null,
    sid,
    at,
    by: kidOf(session),
    fields: fields.map(({ name }) => name),
    subject: subject ?? null,
    template: template ?? null,
    duration: exp - iat,
    prefilled,
    mode: commitment === undefined ? ('cpace' as const) : ('digest' as const),
  };
  if (ended_at === undefined) return { created };
  const ended = {
    event: 'ended' as const,
    seq: 2,
    prev: null,
    sid,
    at: ended_at,
    outcome: outcome ?? 'expired',
    opened_at: live.opened_at ?? null,
    filled_at: live.filled_at ?? null,
    seen_at: live.seen_at ?? null,
    revealed_at: live.revealed_at ?? null,
    away_at: live.away_at ?? null,
    tries,
  };
  return { created, ended };
}

function rowOf({ created, ended }: SessionRecordRow, live: WireSession | undefined, maker: string): Row {
  const { sid, at, template, subject, duration, prefilled, mode } = created;
  const outcome = ended?.outcome ?? live?.outcome ?? 'open';
  const opened = ended?.opened_at ?? live?.opened_at;
  const said = say(`console.outcome.${outcome}` as Word);
  return {
    sid,
    outcome,
    // A signed confirmation is ended by whoever asked it.
    stands: outcome === 'open' && mode !== 'two-way',
    cells: [
      time(at),
      maker,
      template === null ? '' : `${template.name} ${template.version}`,
      subject ?? '',
      say('console.seconds', { n: duration }),
      say(prefilled ? 'console.yes' : 'console.no'),
      say(`console.mode.${mode}` satisfies Word),
      opened === undefined || opened === null ? '' : time(opened),
      typeof ended?.away_at === 'number' ? `${said} (${say('console.history.away')})` : said,
      ended === undefined ? '' : time(ended.at),
    ],
  };
}
