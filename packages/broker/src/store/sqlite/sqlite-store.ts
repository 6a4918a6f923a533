/**
 * The store on SQLite, by `node:sqlite`: one file, no server. WAL and `synchronous = FULL`, so that what was
 * said yes to survives power loss; one writer, group commits.
 * @module
 */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CountersignError, type Device, type Settled } from '@countersign/core';
import { afterAnswer, afterFraud, afterIgnored, judgePost } from '../../limits.ts';
import type {
  AccountEvent,
  AccountRow,
  ContactChange,
  NewAccount,
  NewRequest,
  Posted,
  RequestRow,
  Settlement,
  Store,
} from '../store.ts';
import { BoundedMap } from './bounded-map.ts';
import { Checkpoints } from './checkpoints.ts';
import { GroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import {
  type AccountRecord,
  accountOf,
  blob,
  type EnrolmentRecord,
  hashText,
  outcomeOf,
  type RequestRecord,
  requestOf,
} from './rows.ts';
import { sqliteAddresses } from './sqlite-addresses.ts';
import { sqliteEnrolments } from './sqlite-enrolments.ts';
import { sqliteMembers } from './sqlite-members.ts';
import { sqliteProfile } from './sqlite-profile.ts';
import { sqlitePush } from './sqlite-push.ts';
import { sqliteRooms } from './sqlite-rooms.ts';
import { sqliteSessions } from './sqlite-sessions.ts';
import { sqliteSignatures } from './sqlite-signatures.ts';
import { SqliteTree } from './sqlite-tree.ts';
import { Standings } from './standings.ts';
import { prepareStatements } from './statements.ts';

const CACHED_ACCOUNTS = 20_000;
const CACHED_REQUESTS = 5000;
/**
 * Small: where a page of an index was split, SQLite walks through its whole cache at the commit (it numbers pages
 * anew by way of a high number, and then forgets what is above the end). What is not here, the kernel has.
 */
const CACHE_KIB = 8 * 1024;
/** How often the newest event is marked with the time. */
const MARK_SECONDS = 3600;

/** Opens or makes the database file. */
export function openSqliteStore(path: string): Store {
  makePrivate(path);
  const database = openDatabase(path);
  return sqliteStore(database, new Checkpoints(database, path));
}

/** @throws Error that names the file, where it is damaged, of a newer broker, or can't be opened */
function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB};`);
    migrate(database);
    return database;
  } catch (cause) {
    database?.close();
    throw new Error(`the database ${path} can’t be used: ${(cause as Error).message}`, { cause });
  }
}

/** The files are for their owner only, whatever the folder allows; SQLite gives its further files the same mode. */
function makePrivate(path: string): void {
  if (path === ':memory:') return;
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

function sqliteStore(database: DatabaseSync, checkpoints: Checkpoints): Store {
  const sql = prepareStatements(database);
  const tree = new SqliteTree(database);
  const accounts = new BoundedMap<string, AccountRow>(CACHED_ACCOUNTS);
  /** Requests that were just posted, by hash: the next calls are about them. None is here once it has changed. */
  const fresh = new BoundedMap<string, RequestRow>(CACHED_REQUESTS);
  const standings = new Standings(sql);
  const writes = new GroupCommit(database, {
    committed: (pieces) => checkpoints.committed(pieces),
    rolledBack() {
      fresh.clear();
      standings.clear();
    },
  });

  function record(event: Omit<AccountEvent, 'id'>, accountId: number): AccountEvent {
    const { lastInsertRowid } = sql.insertEvent.run(accountId, event.kind, event.requestId ?? null);
    return { id: Number(lastInsertRowid), ...event };
  }

  function getRequest(id: number): RequestRow | undefined {
    const row = sql.requestById.get(id) as RequestRecord | undefined;
    return row && requestOf(row);
  }

  function incompleteKids(accountId: number): Set<string> {
    return new Set(sql.incompleteKids.all(accountId).map(({ kid }) => kid as string));
  }

  function settle(request: RequestRow, outcome: Settled): Settlement | undefined {
    const { changes } = sql.settle.run(outcome.state, outcome.at, request.id);
    if (changes === 0) return undefined;
    const text = outcomeOf(outcome);
    if (text !== null) sql.insertOutcome.run(request.id, text);
    fresh.delete(request.hash);
    const event = record({ kind: 'settled', requestId: request.id }, request.accountId);
    return { request: { ...request, state: outcome }, event };
  }

  return {
    ...sqliteSessions(database, writes),
    ...sqliteSignatures(database, writes),
    ...sqliteMembers(database, writes),
    ...sqliteProfile(database, writes),
    ...sqliteEnrolments({ sql, writes, record, forget: (name) => accounts.delete(name) }),
    ...sqliteRooms({ sql, writes, record }),
    ...sqlitePush(database, writes),
    ...sqliteAddresses(database, writes),
    tree,

    createAccount: (account: NewAccount, now) =>
      writes.submit(() => {
        if (sql.accountByName.get(account.name) !== undefined) {
          throw new CountersignError('account-exists', `the name ${account.name} is taken`, {
            hint: 'choose another name; an account of your own is joined from one of its devices',
          });
        }
        const { name, identity, head, epoch, devices, recoveryKey, entries } = account;
        const { lastInsertRowid } = sql.insertAccount.run(
          name,
          identity,
          head.seq,
          head.hash,
          epoch,
          devicesText(devices),
          recoveryText(recoveryKey),
          now,
        );
        const id = Number(lastInsertRowid);
        for (const [seq, jws] of entries.entries()) sql.insertEntry.run(id, seq, jws);
        tree.append(id, { name, identity, head });
        const more = recoveryKey === undefined ? {} : { recoveryKey };
        return { id, name, identity, head, epoch, devices, incomplete: new Set<string>(), ...more };
      }),

    async findAccount(name) {
      const cached = accounts.get(name);
      if (cached !== undefined) return cached;
      const row = sql.accountByName.get(name) as AccountRecord | undefined;
      if (row === undefined) return undefined;
      const account = accountOf(row);
      accounts.set(name, account);
      return account;
    },

    async accountOfIdentity(identity) {
      return (sql.accountByIdentity.get(identity) as { id: number } | undefined)?.id;
    },

    async readLog(accountId, from, max = -1) {
      return sql.entries.all(accountId, from, max).map((row) => row.jws as string);
    },

    appendLog: (accountId, expected, next, accepted) =>
      writes.submit(() => {
        // Every refusal comes before the first write: what a piece has written stays.
        const incomplete = incompleteKids(accountId);
        if (accepted !== undefined) {
          const { hash, kid } = accepted.enrolment;
          const { state } = sql.enrolment.get(accountId, hash) as unknown as EnrolmentRecord;
          if (state !== 'waiting') {
            throw new CountersignError('enrolment-settled', 'this device was decided on already');
          }
          incomplete.add(kid);
        }
        const { changes } = sql.advanceHead.run(
          next.head.seq,
          next.head.hash,
          next.epoch,
          devicesText(next.devices, incomplete),
          recoveryText(next.recoveryKey),
          accountId,
          expected.seq,
          expected.hash,
        );
        if (changes === 0) {
          throw new CountersignError('log-conflict', 'the log has grown since you read it', {
            hint: 'read it again, and repeat on the new head',
          });
        }
        if (accepted !== undefined) {
          const { enrolment, statement, share } = accepted;
          sql.settleEnrolment.run('accepted', statement, enrolment.hash, 'waiting', 0);
          if (share !== undefined) sql.shareWith.run(share, enrolment.hash);
        }
        for (const [i, jws] of next.entries.entries()) {
          sql.insertEntry.run(accountId, expected.seq + 1 + i, jws);
        }
        const { name, identity } = sql.accountById.get(accountId) as { name: string; identity: string };
        tree.append(accountId, { name, identity, head: next.head });
        accounts.delete(name);
        return record({ kind: 'log' }, accountId);
      }),

    postRequest: (posted: NewRequest, now) =>
      writes.submit((): Posted => {
        const { enquirerId, accountId, asker } = posted;
        const jti = blob(posted.jti);
        const before = sql.idByJti.get(jti, enquirerId) as { id: number } | undefined;
        if (before !== undefined) {
          const request = getRequest(before.id)!;
          return request.hash === posted.hash ? { outcome: 'same', request } : { outcome: 'conflict' };
        }
        const waiting = sql.waiting.get(enquirerId, asker, accountId) as { own: number; strangers: number };
        const { held, next } = judgePost(standings.find(posted, now), waiting, now);
        const { lastInsertRowid } = sql.insertRequest.run(
          blob(posted.hash),
          jti,
          enquirerId,
          accountId,
          asker,
          held ? 1 : 0,
          now,
          posted.exp,
        );
        const id = Number(lastInsertRowid);
        sql.insertStatement.run(id, posted.jws);
        standings.posted(posted, next);
        const event = record({ kind: 'request', requestId: id }, accountId);
        const request = { ...posted, id, held, postedAt: now, state: { state: 'pending' } } as const;
        // Here and not after the commit: another piece of this very batch may change it.
        fresh.set(request.hash, request);
        return { outcome: 'posted', request, event };
      }),

    async findRequest(hash) {
      const known = fresh.get(hash);
      if (known !== undefined) return known;
      const row = sql.requestByHash.get(blob(hash)) as RequestRecord | undefined;
      return row && requestOf(row);
    },

    async getRequest(id) {
      return getRequest(id);
    },

    settleRequest: (request, outcome) =>
      writes.submit(() => {
        if (outcome.state === 'answered' && request.exp <= outcome.at) return undefined;
        const settlement = settle(request, outcome);
        if (settlement !== undefined && outcome.state === 'answered') {
          const standing = standings.find(request, outcome.at);
          const next = afterAnswer(standing);
          if (next !== standing) standings.save(request, next);
        }
        return settlement;
      }),

    expireRequests: (now, max) =>
      writes.submit(() => {
        const rows = sql.expired.all(now, max) as unknown as RequestRecord[];
        return rows.map(requestOf).flatMap((request) => {
          const settlement = settle(request, { state: 'expired', at: now });
          if (settlement === undefined) return [];
          // Anybody may have a member asked to sign in: were that one paused for it, they could keep the member out.
          if (request.asker !== 'sign-in') {
            standings.save(request, afterIgnored(standings.find(request, now), now));
          }
          return [settlement];
        });
      }),

    async listPending(accountId, { max, after = 0, before = Number.MAX_SAFE_INTEGER }, now) {
      return (sql.pending.all(accountId, after, before, now, max) as unknown as RequestRecord[]).map(
        requestOf,
      );
    },

    async listSettled(accountId, page) {
      const { max, after = 0, before = Number.MAX_SAFE_INTEGER } = page;
      return (sql.settled.all(accountId, after, before, max) as unknown as RequestRecord[]).map(requestOf);
    },

    pruneSettled: (settledBefore, expiredBefore, max) =>
      writes.submit(() => Number(sql.pruneSettled.run(settledBefore, expiredBefore, max).changes)),

    reportFraud: (request, report, now) =>
      writes.submit(() => {
        sql.insertReport.run(request.id, report, now);
        standings.save(request, afterFraud(standings.find(request, now), now));
      }),

    changeContact: ({ accountId, contactId, seq, head, policy, jws }: ContactChange, now) =>
      writes.submit(() => {
        if (sql.advanceContacts.run(seq, accountId, seq - 1, head.seq, head.hash).changes === 0) {
          throw new CountersignError('contact-conflict', 'the contacts have changed since you read them', {
            hint: 'read them again, and repeat',
          });
        }
        sql.insertContactChange.run(accountId, seq, jws);
        const of = { accountId, enquirerId: contactId, asker: 'device' } as const;
        const next = policy === 'forget' ? 'stranger' : policy;
        standings.save(of, { ...standings.find(of, now), policy: next });
        const event = record({ kind: 'contacts' }, accountId);
        const between = (sql.pendingBetween.all(accountId, contactId) as unknown as RequestRecord[]).map(
          requestOf,
        );
        if (policy === 'allow') {
          sql.showHeld.run(accountId, contactId);
          for (const { hash } of between) fresh.delete(hash);
          const shown = between
            .filter(({ held }) => held)
            .map((request) => ({
              request: { ...request, held: false },
              event: record({ kind: 'request', requestId: request.id }, accountId),
            }));
          return { event, shown, refused: [] };
        }
        const refused = between.flatMap(
          (request) => settle(request, { state: 'refused', at: now, statement: jws }) ?? [],
        );
        return { event, shown: [], refused };
      }),

    async readContacts(accountId, from) {
      return sql.contactChanges.all(accountId, from).map((row) => row.jws as string);
    },

    async readEvents(accountId, after, max) {
      return sql.events.all(accountId, after, max).map((row) => ({
        id: row.id as number,
        kind: row.kind as AccountEvent['kind'],
        ...(row.request_id === null ? {} : { requestId: row.request_id as number }),
      }));
    },

    async eventBounds(accountId) {
      const { newest, oldest } = sql.eventBounds.get(accountId) as { newest: number; oldest: number };
      return { newest, oldest };
    },

    pruneEvents: (before, now, max) =>
      writes.submit(() => {
        const newest = sql.newestMark.get() as { at: number } | undefined;
        if (newest === undefined || newest.at <= now - MARK_SECONDS) sql.mark.run(now);
        const mark = sql.markBefore.get(before) as { at: number; event_id: number } | undefined;
        if (mark === undefined) return 0;
        sql.dropMarks.run(mark.at);
        // The marked one stays: SQLite gives the greatest id again once its row is gone.
        return Number(sql.pruneEvents.run(mark.event_id, max).changes);
      }),

    async pendingHashes(max) {
      return sql.pendingHashes.all(max).map(({ hash }) => hashText(hash as Uint8Array));
    },

    async countPending() {
      return (sql.countPending.get() as { n: number }).n;
    },

    async close() {
      writes.flush();
      await checkpoints.close();
      database.exec('PRAGMA optimize');
      database.close();
    },
  };
}

function recoveryText(key: NewAccount['recoveryKey']): string | null {
  return key === undefined ? null : JSON.stringify(key);
}

function devicesText(
  devices: ReadonlyMap<string, Device>,
  incomplete: ReadonlySet<string> = new Set(),
): string {
  return JSON.stringify(
    [...devices.values()].map((device) =>
      incomplete.has(device.kid) ? { ...device, incomplete: true } : device,
    ),
  );
}
