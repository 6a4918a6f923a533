/**
 * The store on SQLite, by `node:sqlite`: one file, no server. WAL and `synchronous = FULL`, so that what was
 * said yes to survives power loss; one writer, group commits.
 * @module
 */
import { DatabaseSync } from 'node:sqlite';
import { CountersignError, type Device, type Settled } from '@countersign/core';
import { LRUCache } from 'lru-cache';
import {
  afterAnswer,
  afterFraud,
  afterIgnored,
  judgeEnrolment,
  judgePost,
  STRANGER,
  type Standing,
} from '../../limits.ts';
import type {
  AccountEvent,
  AccountRow,
  ContactChange,
  EnrolmentPosted,
  NewAccount,
  NewRequest,
  Notice,
  Page,
  Posted,
  RequestRow,
  RoomEvent,
  RoomItemRow,
  Settlement,
  Store,
} from '../store.ts';
import { GroupCommit } from './group-commit.ts';
import { migrate } from './migrations.ts';
import {
  type AccountRecord,
  accountOf,
  blob,
  type DeviceRecord,
  type EnrolmentRecord,
  enrolmentOf,
  hashText,
  outcomeOf,
  type RequestRecord,
  requestOf,
} from './rows.ts';
import { sqliteSessions } from './sqlite-sessions.ts';
import { SqliteTree } from './sqlite-tree.ts';
import { prepareStatements } from './statements.ts';

const CACHED_ACCOUNTS = 20_000;
const CACHED_REQUESTS = 5000;
const CACHE_KIB = 128 * 1024;

/** Opens or makes the database file. */
export function openSqliteStore(path: string): Store {
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB};`);
  migrate(database);
  return sqliteStore(database);
}

function sqliteStore(database: DatabaseSync): Store {
  const sql = prepareStatements(database);
  const tree = new SqliteTree(database);
  const writes = new GroupCommit(database);
  const accounts = new LRUCache<string, AccountRow>({ max: CACHED_ACCOUNTS });
  /** Requests that were just posted, by hash: the next calls are about them. None is here once it has changed. */
  const fresh = new LRUCache<string, RequestRow>({ max: CACHED_REQUESTS });

  function record(event: Omit<AccountEvent, 'id'>, accountId: number): AccountEvent {
    const { lastInsertRowid } = sql.insertEvent.run(accountId, event.kind, event.requestId ?? null);
    return { id: Number(lastInsertRowid), ...event };
  }

  function getRequest(id: number): RequestRow | undefined {
    const row = sql.requestById.get(id) as RequestRecord | undefined;
    return row && requestOf(row);
  }

  function incompleteKids(accountId: number): ReadonlySet<string> {
    return new Set(sql.incompleteKids.all(accountId).map(({ kid }) => kid as string));
  }

  function tellMembers(roomId: number): readonly RoomEvent[] {
    return sql.members.all(roomId).map(({ account_id }) => {
      const accountId = account_id as number;
      return { accountId, event: record({ kind: 'room' }, accountId) };
    });
  }

  function standingOf(accountId: number, enquirerId: number): Standing {
    const row = sql.standing.get(accountId, enquirerId) as
      | { policy: Standing['policy']; recent: string; ignored: number; paused_until: number }
      | undefined;
    if (row === undefined) return STRANGER;
    return {
      policy: row.policy,
      recent: JSON.parse(row.recent),
      ignored: row.ignored,
      pausedUntil: row.paused_until,
    };
  }

  function saveStanding(accountId: number, enquirerId: number, standing: Standing): void {
    const { policy, recent, ignored, pausedUntil } = standing;
    sql.saveStanding.run(accountId, enquirerId, policy, JSON.stringify(recent), ignored, pausedUntil);
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
    tree,

    createAccount: (account: NewAccount, now) =>
      writes.submit(() => {
        if (sql.accountByName.get(account.name) !== undefined) {
          throw new CountersignError('account-exists', `the name ${account.name} is taken`, {
            hint: 'choose another name; an account of your own is joined from one of its devices',
          });
        }
        const { name, identity, head, epoch, devices, entries } = account;
        const { lastInsertRowid } = sql.insertAccount.run(
          name,
          identity,
          head.seq,
          head.hash,
          epoch,
          devicesText(devices),
          now,
        );
        const id = Number(lastInsertRowid);
        for (const [seq, jws] of entries.entries()) sql.insertEntry.run(id, seq, jws);
        tree.append(id, { name, identity, head });
        return { id, name, identity, head, epoch, devices };
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

    async readLog(accountId, from) {
      return sql.entries.all(accountId, from).map((row) => row.jws as string);
    },

    appendLog: (accountId, expected, next, accepted) =>
      writes.submit(() => {
        if (accepted !== undefined) {
          const { enrolment, statement, share } = accepted;
          const { changes } = sql.settleEnrolment.run('accepted', statement, enrolment.hash, 'waiting', 0);
          if (changes === 0)
            throw new CountersignError('enrolment-settled', 'this device was decided on already');
          if (share !== undefined) sql.shareWith.run(share, enrolment.hash);
        }
        const { changes } = sql.advanceHead.run(
          next.head.seq,
          next.head.hash,
          next.epoch,
          devicesText(next.devices, incompleteKids(accountId)),
          accountId,
          expected.seq,
          expected.hash,
        );
        if (changes === 0) {
          throw new CountersignError('log-conflict', 'the log has grown since you read it', {
            hint: 'read it again, and repeat on the new head',
          });
        }
        for (const [i, jws] of next.entries.entries()) {
          sql.insertEntry.run(accountId, expected.seq + 1 + i, jws);
        }
        const { name, identity } = sql.accountById.get(accountId) as { name: string; identity: string };
        tree.append(accountId, { name, identity, head: next.head });
        accounts.delete(name);
        return record({ kind: 'log' }, accountId);
      }),

    createInvitation: ({ accountId, ticket, uses, exp, jws }) =>
      writes.submit(() => {
        sql.insertInvitation.run(accountId, ticket, uses, exp, jws);
      }),

    async findInvitation(accountId, ticket) {
      return (sql.invitationText.get(accountId, ticket) as { jws: string } | undefined)?.jws;
    },

    postEnrolment: (enrolment, ticket, now) =>
      writes.submit((): EnrolmentPosted => {
        const { accountId, hash, kid, jws, exp } = enrolment;
        const before = sql.enrolment.get(accountId, hash) as EnrolmentRecord | undefined;
        if (before !== undefined) return { outcome: 'same', enrolment: enrolmentOf(before) };
        const invitation = sql.invitation.get(accountId, ticket) as
          | { id: number; uses: 'one' | 'many'; exp: number; used_at: number | null }
          | undefined;
        if (invitation === undefined) return { outcome: 'pin-wrong' };
        const keep = (kind: Notice['kind']) => {
          sql.insertNotice.run(accountId, kind, now);
          return { outcome: kind, event: record({ kind: 'notice' }, accountId) };
        };
        if (invitation.uses === 'one' && invitation.used_at !== null) return keep('pin-used');
        if (invitation.exp <= now) return { outcome: 'pin-expired' };
        const counts = sql.enrolmentCounts.get(now, accountId, now - 3600) as {
          waiting: number;
          recent: number;
        };
        if (!judgeEnrolment(counts)) return keep('too-many-enrolments');
        if (invitation.uses === 'one') sql.useInvitation.run(now, invitation.id);
        sql.insertEnrolment.run(accountId, hash, kid, invitation.id, jws, now, exp);
        const posted = sql.enrolment.get(accountId, hash) as unknown as EnrolmentRecord;
        return {
          outcome: 'posted',
          enrolment: enrolmentOf(posted),
          event: record({ kind: 'enrolment' }, accountId),
        };
      }),

    async findEnrolment(accountId, hash) {
      const row = sql.enrolment.get(accountId, hash) as EnrolmentRecord | undefined;
      return row && enrolmentOf(row);
    },

    async listEnrolments(accountId, now) {
      return (sql.enrolmentsWaiting.all(accountId, now) as unknown as EnrolmentRecord[]).map(enrolmentOf);
    },

    settleEnrolment: ({ accountId, hash, kid }, state, statement, now) =>
      writes.submit(() => {
        // A device that was let in in time may take its time to say so.
        const [from, after] = state === 'complete' ? ['accepted', 0] : ['waiting', now];
        if (sql.settleEnrolment.run(state, statement, hash, from, after).changes === 0) return undefined;
        if (state === 'complete') {
          const { name, devices } = sql.devicesById.get(accountId) as { name: string; devices: string };
          const all = (JSON.parse(devices) as DeviceRecord[]).map(({ incomplete, ...device }) =>
            incomplete && device.kid !== kid ? { ...device, incomplete } : device,
          );
          sql.saveDevices.run(JSON.stringify(all), accountId);
          accounts.delete(name);
        }
        return record({ kind: 'enrolment' }, accountId);
      }),

    createRoom: ({ room, members, hash, jws }) =>
      writes.submit(() => {
        if (sql.room.get(room) !== undefined)
          throw new CountersignError('room-exists', 'there is such a room');
        const id = Number(sql.insertRoom.run(room).lastInsertRowid);
        for (const member of members) sql.insertMember.run(id, member);
        sql.insertRoomItem.run(id, hash, jws);
        return tellMembers(id);
      }),

    async findMembers(room) {
      const row = sql.room.get(room) as { id: number } | undefined;
      return row && sql.members.all(row.id).map(({ account_id }) => account_id as number);
    },

    addRoomItem: ({ room, hash, jws, key, sealedTo }) =>
      writes.submit(() => {
        const row = sql.room.get(room) as { id: number; key_n: number; key_epochs: string } | undefined;
        if (row === undefined) throw new CountersignError('room-unknown', 'there is no such room');
        if (sql.roomItem.get(hash) !== undefined) return [];
        const epochs = Object.fromEntries(
          sql.members.all(row.id).map(({ account_id, epoch }) => [account_id as number, epoch as number]),
        );
        const sealed = key?.epochs ?? (JSON.parse(row.key_epochs) as Record<number, number>);
        const follows = key === undefined ? sealedTo === row.key_n : key.n === row.key_n + 1;
        const current = Object.entries(epochs).every(([member, epoch]) => sealed[Number(member)] === epoch);
        if (!follows || !current) {
          throw new CountersignError('room-key-stale', 'the room’s key has changed, or must change', {
            hint: 'read the room again; where a member’s epoch has changed, make a new key',
          });
        }
        if (key !== undefined) sql.setRoomKey.run(key.n, JSON.stringify(key.epochs), row.id);
        sql.insertRoomItem.run(row.id, hash, jws);
        return tellMembers(row.id);
      }),

    async listRoomItems(accountId, after, max) {
      return (sql.roomItems.all(accountId, after, max) as unknown as RoomItemRow[]).map((row) => ({
        ...row,
      }));
    },

    async readNotices(accountId, since) {
      return (sql.notices.all(accountId, since) as unknown as Notice[]).map((row) => ({ ...row }));
    },

    postRequest(posted: NewRequest, now) {
      const written = writes.submit((): Posted => {
        const { enquirerId, accountId } = posted;
        const before = sql.requestByJti.get(blob(posted.jti), enquirerId) as RequestRecord | undefined;
        if (before !== undefined) {
          const request = requestOf(before);
          return request.hash === posted.hash ? { outcome: 'same', request } : { outcome: 'conflict' };
        }
        const waiting = sql.waiting.get(enquirerId, accountId) as { own: number; strangers: number };
        const { held, next } = judgePost(standingOf(accountId, enquirerId), waiting, now);
        const { lastInsertRowid } = sql.insertRequest.run(
          blob(posted.hash),
          blob(posted.jti),
          enquirerId,
          accountId,
          held ? 1 : 0,
          now,
          posted.exp,
        );
        const id = Number(lastInsertRowid);
        sql.insertStatement.run(id, posted.jws);
        saveStanding(accountId, enquirerId, next);
        const event = record({ kind: 'request', requestId: id }, accountId);
        const request = { ...posted, id, held, postedAt: now, state: { state: 'pending' } } as const;
        // Here and not after the commit: another piece of this very batch may change it.
        fresh.set(posted.hash, request);
        return { outcome: 'posted', request, event };
      });
      return written.catch((error: unknown) => {
        fresh.delete(posted.hash);
        throw error;
      });
    },

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
          const { accountId, enquirerId } = request;
          const standing = standingOf(accountId, enquirerId);
          const next = afterAnswer(standing);
          if (next !== standing) saveStanding(accountId, enquirerId, next);
        }
        return settlement;
      }),

    expireRequests: (now, max) =>
      writes.submit(() => {
        const rows = sql.expired.all(now, max) as unknown as RequestRecord[];
        return rows.map(requestOf).flatMap((request) => {
          const { accountId, enquirerId } = request;
          const settlement = settle(request, { state: 'expired', at: now });
          if (settlement === undefined) return [];
          saveStanding(accountId, enquirerId, afterIgnored(standingOf(accountId, enquirerId), now));
          return [settlement];
        });
      }),

    async listPending(accountId, page) {
      return list(sql.pending, accountId, page);
    },

    async listSettled(accountId, page) {
      return list(sql.settled, accountId, page);
    },

    pruneSettled: (before, max) => writes.submit(() => Number(sql.pruneSettled.run(before, max).changes)),

    reportFraud: ({ accountId, enquirerId }, now) =>
      writes.submit(() => {
        saveStanding(accountId, enquirerId, afterFraud(standingOf(accountId, enquirerId), now));
      }),

    changeContact: ({ accountId, contactId, seq, policy, jws }: ContactChange, now) =>
      writes.submit(() => {
        if (sql.advanceContacts.run(seq, accountId, seq - 1).changes === 0) {
          throw new CountersignError('contact-conflict', 'the contacts have changed since you read them', {
            hint: 'read them again, and repeat',
          });
        }
        sql.insertContactChange.run(accountId, seq, jws);
        const standing = standingOf(accountId, contactId);
        const next = policy === 'forget' ? 'stranger' : policy;
        saveStanding(accountId, contactId, { ...standing, policy: next });
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

    pruneEvents: (keepFrom) =>
      writes.submit(() => {
        sql.pruneEvents.run(keepFrom);
      }),

    async pendingHashes(max) {
      return sql.pendingHashes.all(max).map(({ hash }) => hashText(hash as Uint8Array));
    },

    async countPending() {
      return (sql.countPending.get() as { n: number }).n;
    },

    async close() {
      writes.flush();
      database.exec('PRAGMA optimize');
      database.close();
    },
  };
}

function list(statement: ReturnType<DatabaseSync['prepare']>, accountId: number, page: Page): RequestRow[] {
  const { max, after = 0, before = Number.MAX_SAFE_INTEGER } = page;
  return (statement.all(accountId, after, before, max) as unknown as RequestRecord[]).map(requestOf);
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
