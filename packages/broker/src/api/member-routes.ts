/**
 * The routes of an organisation's members, and of the seats by which they sign in to its console.
 * @module
 */
import { Hash, Role, SEAT_LIFE } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { findAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import { changeMember } from '../members.ts';
import { cancelAskedBy } from '../requests.ts';
import { readSeat, takeSeat } from '../seats.ts';
import { endSessionsOf } from '../sessions.ts';
import { provenActor } from './proven-device.ts';
import { ACTOR_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed, Statement, wholeNumber } from './schemas.ts';

const Evidence = v.strictObject({ request: Statement, response: Statement });
const SeatView = v.object({
  seat: Hash,
  member: v.string(),
  role: Role,
  expires_at: v.pipe(v.number(), v.description(`${SEAT_LIFE / 3600} hours after the member said yes`)),
});

/** Ends what a member has open at an organisation, and what they asked for it: they lost their role. */
export async function endMember(context: BrokerContext, accountId: number, lost: number): Promise<void> {
  await endSessionsOf(context, accountId, lost);
  await cancelAskedBy(context, accountId, ({ memberId }) => memberId === lost);
}

export function addMemberRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/members',
    {
      schema: {
        summary:
          'Give an account a role in an organisation, or take it; open sessions and questions of whoever loses one end',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'device-not-entitled',
          'log-conflict',
          'member-conflict',
          'last-owner',
          'response-late',
        ],
        tags: ['members'],
        body: v.strictObject({ statement: Statement }),
        response: { 200: v.object({ seq: v.number() }), ...Failed },
      },
    },
    async ({ body }) => {
      const { seq, accountId, lost } = await changeMember(context, body.statement);
      if (lost !== undefined) await endMember(context, accountId, lost);
      return { seq };
    },
  );

  app.get(
    '/v1/accounts/:name/members',
    {
      schema: {
        summary: 'Read the changes of an organisation’s members',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['members'],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(1, 1_000_000_000, 'Changes from this number on'), '1'),
        }),
        response: { 200: v.object({ changes: v.array(v.string()) }), ...Failed },
      },
    },
    async ({ params, query }) => {
      const { id } = await findAccount(context, params.name);
      return { changes: await context.store.readMemberChanges(id, query.from) };
    },
  );

  app.post(
    '/v1/accounts/:name/seats',
    {
      schema: {
        summary: 'Sign in: a member’s signed yes makes the key of a browser a seat',
        'x-caller': 'whoever has the proof',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'account-mismatch',
          'device-not-entitled',
          'log-rollback',
          'log-fork',
          'request-mismatch',
          'request-lifetime',
          'response-early',
          'response-late',
          'passcode-missing',
          'passcode-wrong',
          'seat-invalid',
          'seat-over',
        ],
        tags: ['members'],
        params: ByName,
        body: Evidence,
        response: { 201: SeatView, ...Failed },
      },
    },
    async ({ params, body }, reply) => {
      const { hash, member, role, exp } = await takeSeat(context, params.name, body);
      return reply.code(201).send({ seat: hash, member: member.name, role, expires_at: exp });
    },
  );

  app.get(
    '/v1/seats/:hash',
    {
      schema: {
        summary: 'Read the proof of a seat, by the hash of its request',
        'x-caller': 'anybody',
        'x-errors': ['seat-invalid'],
        tags: ['members'],
        params: v.strictObject({ hash: Hash }),
        response: { 200: Evidence, ...Failed },
      },
    },
    async ({ params }) => (await readSeat(context, params.hash)).evidence,
  );

  app.post(
    '/v1/accounts/:name/sign-out',
    {
      schema: {
        summary: 'End the seats of the calling browser’s key (its devices and members only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['members'],
        security: [{ dpop: [] }],
        params: ByName,
        body: v.strictObject({}),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const { name } = call.params;
      const { account, kid } = await provenActor(context, call, name, 'sessions', 'history');
      await context.store.endSeats(account.id, kid, context.now());
      await cancelAskedBy(context, account.id, (seat) => seat.kid === kid);
      return { done: true as const };
    },
  );
}
