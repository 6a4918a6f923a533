/**
 * Invitations, and devices that wait before the door, on SQLite: a part of the store.
 * @module
 */
import { judgeEnrolment } from '../../limits.ts';
import type { EnrolmentPosted, EnrolmentStore, Notice } from '../store.ts';
import { type DeviceRecord, type EnrolmentRecord, enrolmentOf, type InvitationRecord } from './rows.ts';
import type { Part } from './sqlite-part.ts';

export function sqliteEnrolments({
  sql,
  writes,
  record,
  forget,
}: Part & {
  /** Is told whose row has changed. */
  forget(name: string): void;
}): EnrolmentStore {
  return {
    createInvitation: ({ accountId, ticket, uses, exp, jws }) =>
      writes.submit(() => {
        sql.insertInvitation.run(accountId, ticket, uses, exp, jws);
      }),

    cancelInvitation: (accountId, ticket, statement, now) =>
      writes.submit(() => {
        const invitation = sql.invitation.get(accountId, ticket) as InvitationRecord | undefined;
        if (invitation === undefined) return 'pin-wrong';
        if (invitation.uses === 'one' && invitation.used_at !== null) return 'pin-used';
        if (invitation.exp <= now) return 'pin-expired';
        sql.cancelInvitation.run(statement, invitation.id);
        return 'cancelled';
      }),

    async listInvitations(accountId, now) {
      return sql.standingInvitations.all(accountId, now).map((row) => row.jws as string);
    },

    async findInvitation(accountId, ticket) {
      return (sql.invitationText.get(accountId, ticket) as { jws: string } | undefined)?.jws;
    },

    postEnrolment: (enrolment, ticket, now) =>
      writes.submit((): EnrolmentPosted => {
        const { accountId, hash, kid, jws, exp } = enrolment;
        const before = sql.enrolment.get(accountId, hash) as EnrolmentRecord | undefined;
        if (before !== undefined) return { outcome: 'same', enrolment: enrolmentOf(before) };
        const invitation = sql.invitation.get(accountId, ticket) as InvitationRecord | undefined;
        if (invitation === undefined) return { outcome: 'pin-wrong' };
        const keep = (kind: Notice['kind']) => {
          const hour = Math.floor(now / 3600);
          const { count } = sql.countNotice.get(accountId, kind, hour, now, now) as { count: number };
          return count > 1
            ? { outcome: kind }
            : { outcome: kind, event: record({ kind: 'notice' }, accountId) };
        };
        if (invitation.uses === 'one' && invitation.used_at !== null) return keep('pin-used');
        if (invitation.cancelled !== null) return keep('pin-cancelled');
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
          forget(name);
        }
        return record({ kind: 'enrolment' }, accountId);
      }),

    async readNotices(accountId, since) {
      return (sql.notices.all(accountId, since) as unknown as Notice[]).map((row) => ({ ...row }));
    },

    pruneNotices: (before) => writes.submit(() => Number(sql.pruneNotices.run(before).changes)),
  };
}
