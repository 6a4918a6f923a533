/**
 * Profiles of organisations on SQLite: a part of the store.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError, DOMAIN_PROOFS, type DomainOutcome, type DomainProofKind } from '@countersign/core';
import type { AskedCounts, Claim, DomainRow, ProfileStore } from '../profile-store.ts';
import type { GroupCommit } from './group-commit.ts';
import { type RequestRecord, requestOf } from './rows.ts';
import { REQUEST } from './statements.ts';

const HOUR = 3600;

interface DomainRecord {
  domain: string;
  kind: DomainProofKind;
  claimed_at: number;
  checked_at: number | null;
  outcome: DomainOutcome | null;
  proven_at: number | null;
}

interface SessionCounts {
  sessions: number;
  authenticated: number;
  since: number | null;
}

const NEWEST_ASKED =
  'SELECT id, state, posted_at, settled_at FROM requests WHERE enquirer_id = ? ORDER BY id DESC LIMIT ?';

export function sqliteProfile(database: DatabaseSync, writes: GroupCommit): ProfileStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    card: prepare('SELECT seq, jws, picture_hash FROM cards WHERE account_id = ?'),
    picture: prepare('SELECT picture FROM cards WHERE account_id = ?'),
    saveCard: prepare(
      `INSERT INTO cards (account_id, seq, jws, picture_hash, picture) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, jws = excluded.jws,
         picture_hash = excluded.picture_hash,
         picture = CASE WHEN excluded.picture_hash IS NULL THEN NULL ELSE COALESCE(excluded.picture, picture) END`,
    ),
    domains: prepare(
      `SELECT domain, kind, claimed_at, checked_at, outcome, proven_at FROM domain_claims
       WHERE account_id = ? ORDER BY domain, kind`,
    ),
    claim: prepare(
      `INSERT INTO domain_claims (account_id, domain, kind, claimed_at, next_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    ),
    unclaim: prepare('DELETE FROM domain_claims WHERE account_id = ? AND domain = ?'),
    due: prepare(
      `SELECT c.account_id AS accountId, a.name, a.identity, c.domain, c.kind AS "by",
         c.claimed_at AS claimedAt FROM domain_claims c
       JOIN accounts a ON a.id = c.account_id WHERE c.next_at <= ? ORDER BY c.next_at LIMIT ?`,
    ),
    // What could not be looked at is not gone: it counts until its day is over.
    look: prepare(
      `UPDATE domain_claims SET checked_at = ?1, outcome = ?2, next_at = ?3,
         proven_at = CASE ?2 WHEN 'proven' THEN ?1 WHEN 'absent' THEN NULL ELSE proven_at END
       WHERE account_id = ?4 AND domain = ?5 AND kind = ?6`,
    ),
    word: prepare(
      'SELECT seq, hash, jws FROM recommendations WHERE issuer_id = ? AND subject_id = ? ORDER BY seq DESC LIMIT 1',
    ),
    saidSince: prepare('SELECT COUNT(*) AS n FROM recommendations WHERE issuer_id = ? AND said_at > ?'),
    say: prepare(
      `INSERT INTO recommendations (issuer_id, subject_id, seq, hash, recommends, iat, said_at, jws)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    forSubject: prepare(standing('subject_id')),
    byIssuer: prepare(standing('issuer_id')),
    sessions: prepare(
      `SELECT COUNT(*) AS sessions, COALESCE(SUM(outcome = 'authenticated'), 0) AS authenticated,
         MIN(created_at) AS since FROM sessions WHERE account_id = ?`,
    ),
    answers: prepare(
      `SELECT COUNT(*) AS n, MIN(posted_at) AS since FROM requests WHERE enquirer_id = ? AND state = 'answered'`,
    ),
    signatures: prepare('SELECT COUNT(*) AS n FROM text_signatures WHERE account_id = ?'),
    asked: prepare(`${REQUEST} WHERE r.enquirer_id = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?`),
    outcomes: prepare(
      `SELECT CASE WHEN f.request_id IS NULL THEN r.state ELSE 'reported' END AS outcome, COUNT(*) AS count
       FROM (${NEWEST_ASKED}) r LEFT JOIN fraud_reports f ON f.request_id = r.id GROUP BY 1 ORDER BY 1`,
    ),
    times: prepare(
      `SELECT MIN(r.settled_at - r.posted_at, ?) AS seconds, COUNT(*) AS count
       FROM (${NEWEST_ASKED}) r WHERE r.state = 'answered' GROUP BY 1 ORDER BY 1`,
    ),
    report: prepare('SELECT jws, at FROM fraud_reports WHERE request_id = ?'),
  };
  const domainsOf = (accountId: number) => sql.domains.all(accountId) as unknown as DomainRecord[];

  return {
    saveCard: ({ accountId, seq, jws, picture, domains }, now) =>
      writes.submit(() => {
        const newest = sql.card.get(accountId) as
          | { seq: number; jws: string; picture_hash: string | null }
          | undefined;
        if (newest?.jws === jws) return;
        if (seq !== (newest?.seq ?? 0) + 1) {
          throw new CountersignError('card-conflict', 'the card was changed elsewhere', {
            hint: 'read it again, and repeat',
          });
        }
        if (picture !== undefined && picture.bytes === undefined && newest?.picture_hash !== picture.hash) {
          throw new CountersignError('picture-invalid', 'the card names a picture that did not come with it');
        }
        sql.saveCard.run(accountId, seq, jws, picture?.hash ?? null, picture?.bytes ?? null);
        for (const { domain } of domainsOf(accountId)) {
          if (!domains.includes(domain)) sql.unclaim.run(accountId, domain);
        }
        for (const domain of domains) {
          for (const kind of DOMAIN_PROOFS) sql.claim.run(accountId, domain, kind, now, now);
        }
      }),

    async readCard(accountId) {
      return (sql.card.get(accountId) as { jws: string } | undefined)?.jws;
    },

    async readPicture(accountId) {
      return (sql.picture.get(accountId) as { picture: Uint8Array | null } | undefined)?.picture ?? undefined;
    },

    async listDomains(accountId) {
      return domainsOf(accountId).map(domainOf);
    },

    async dueDomains(now, max) {
      return (sql.due.all(now, max) as unknown as Claim[]).map((row) => ({ ...row }));
    },

    saveLook: ({ accountId, domain, by }, outcome, now, next) =>
      writes.submit(() => {
        sql.look.run(now, outcome, next, accountId, domain, by);
      }),

    saveRecommendation: ({ hash, issuerId, subjectId, seq, recommends, iat, jws }, now, most) =>
      writes.submit(() => {
        const newest = sql.word.get(issuerId, subjectId) as { seq: number; hash: string } | undefined;
        if (newest?.hash === hash) return;
        if (seq !== (newest?.seq ?? 0) + 1) {
          throw new CountersignError('recommendation-conflict', 'another word was said meanwhile', {
            hint: 'read it again, and repeat',
          });
        }
        const { n } = sql.saidSince.get(issuerId, now - HOUR) as { n: number };
        if (n >= most) {
          throw new CountersignError('too-often', `more than ${most} recommendations in an hour`, {
            retryAfter: HOUR,
          });
        }
        sql.say.run(issuerId, subjectId, seq, hash, recommends ? 1 : 0, iat, now, jws);
      }),

    async listRecommendations(of, since, max) {
      const rows =
        'subjectId' in of
          ? sql.forSubject.all(of.subjectId, since, max)
          : sql.byIssuer.all(of.issuerId, since, max);
      return (rows as unknown as { jws: string }[]).map(({ jws }) => jws);
    },

    async findRecommendation(issuerId, subjectId) {
      return (sql.word.get(issuerId, subjectId) as { jws: string } | undefined)?.jws;
    },

    async readCounts(accountId) {
      const { sessions, authenticated, since } = sql.sessions.get(accountId) as unknown as SessionCounts;
      const answers = sql.answers.get(accountId) as { n: number; since: number | null };
      const signatures = sql.signatures.get(accountId) as { n: number };
      return {
        sessions,
        authenticated,
        ...(since === null ? {} : { sessionsSince: since }),
        answers: answers.n,
        ...(answers.since === null ? {} : { answersSince: answers.since }),
        signatures: signatures.n,
      };
    },

    async listAsked(enquirerId, before, max) {
      return (sql.asked.all(enquirerId, before, max) as unknown as RequestRecord[]).map((row) => {
        const report = sql.report.get(row.id) as { jws: string; at: number } | undefined;
        return { request: requestOf(row), ...(report === undefined ? {} : { report: { ...report } }) };
      });
    },

    async countAsked(enquirerId, newest, longest) {
      const outcomes = sql.outcomes.all(enquirerId, newest) as unknown as AskedCounts['outcomes'];
      const times = sql.times.all(longest, enquirerId, newest) as unknown as AskedCounts['times'];
      return { outcomes: outcomes.map((one) => ({ ...one })), times: times.map((one) => ({ ...one })) };
    },
  };
}

/** The newest word of each pair, where it recommends. */
function standing(column: 'subject_id' | 'issuer_id'): string {
  return `SELECT jws FROM recommendations w WHERE ${column} = ? AND recommends = 1 AND iat > ?
    AND NOT EXISTS (SELECT 1 FROM recommendations n
      WHERE n.issuer_id = w.issuer_id AND n.subject_id = w.subject_id AND n.seq > w.seq)
    ORDER BY said_at DESC, id DESC LIMIT ?`;
}

function domainOf(row: DomainRecord): DomainRow {
  const { domain, kind: by, claimed_at: claimedAt, checked_at, outcome, proven_at } = row;
  return {
    domain,
    by,
    claimedAt,
    ...(checked_at === null ? {} : { checkedAt: checked_at }),
    ...(outcome === null ? {} : { outcome }),
    ...(proven_at === null ? {} : { provenAt: proven_at }),
  };
}
