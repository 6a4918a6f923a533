/**
 * The routes of requests: asking, answering, waiting.
 * @module
 */
import { CountersignError, Hash, memberWhoAsks, parseRequest, type RequestPayload } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { checkpointOf, findIdentified } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import {
  answerRequest,
  awaitState,
  cancelRequest,
  findRequest,
  postRequest,
  reportRequest,
} from '../requests.ts';
import { readSeat } from '../seats.ts';
import { STATEMENT_ERRORS } from './route-errors.ts';
import { Failed, MAX_WAIT, Statement, wholeNumber } from './schemas.ts';
import { ReceiptView, StateView, stateView } from './views.ts';

const ByHash = v.strictObject({ hash: Hash });
export function addRequestRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/requests',
    {
      schema: {
        summary: 'Post a request; the same one again is a safe retry',
        'x-caller': 'whoever has the signed request',
        'x-errors': [
          'epoch-stale',
          ...STATEMENT_ERRORS,
          'enquirer-unknown',
          'account-unknown',
          'account-changed',
          'account-mismatch',
          'device-not-entitled',
          'seat-invalid',
          'seat-over',
          'role-missing',
          'request-audience',
          'request-lifetime',
          'request-early',
          'request-expired',
          'request-conflict',
          'not-permitted',
          'contact-held',
          'too-many-pending',
          'too-often',
        ],
        tags: ['requests'],
        body: v.strictObject({ request: Statement }),
        response: { 200: StateView, 201: StateView, ...Failed },
      },
    },
    async ({ body, ip }, reply) => {
      const { request, created } = await postRequest(context, body.request, ip);
      return reply.code(created ? 201 : 200).send(stateView(request));
    },
  );

  app.get(
    '/v1/requests/:hash',
    {
      schema: {
        summary: 'Read a request’s state, waiting until it is settled if asked to',
        'x-caller': 'whoever knows the hash',
        'x-errors': ['request-unknown'],
        tags: ['requests'],
        params: ByHash,
        querystring: v.strictObject({
          wait: v.optional(wholeNumber(1, MAX_WAIT, `Seconds to wait, 1 to ${MAX_WAIT}`)),
        }),
        response: { 200: StateView, ...Failed },
      },
    },
    async ({ params, query }, reply) => {
      const onGone = (leave: () => void) => reply.raw.once('close', leave);
      return stateView(await awaitState(context, params.hash, (query.wait ?? 0) * 1000, onGone));
    },
  );

  app.post(
    '/v1/requests/:hash/response',
    {
      schema: {
        summary: 'Answer a request, by a device’s signed response',
        'x-caller': 'whoever has the signed response',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'request-unknown',
          'request-mismatch',
          'account-unknown',
          'account-changed',
          'account-mismatch',
          'device-not-entitled',
          'contact-unknown',
          'epoch-stale',
          'seal-broken',
          'seat-invalid',
          'seat-over',
          'request-expired',
          'request-not-pending',
        ],
        tags: ['requests'],
        params: ByHash,
        body: v.strictObject({ response: Statement }),
        response: { 200: StateView, ...Failed },
      },
    },
    async ({ params, body }) => stateView(await answerRequest(context, params.hash, body.response)),
  );

  app.post(
    '/v1/requests/:hash/cancel',
    {
      schema: {
        summary: 'Cancel a request of one’s own',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'request-unknown',
          'request-mismatch',
          'response-late',
          'request-expired',
          'request-not-pending',
        ],
        tags: ['requests'],
        params: ByHash,
        body: v.strictObject({ statement: Statement }),
        response: { 200: StateView, ...Failed },
      },
    },
    async ({ params, body }) => stateView(await cancelRequest(context, params.hash, body.statement)),
  );

  app.post(
    '/v1/requests/:hash/report',
    {
      schema: {
        summary: 'Report a request as fraud; its enquirer is paused',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [...STATEMENT_ERRORS, 'request-unknown', 'request-mismatch', 'response-late'],
        tags: ['requests'],
        params: ByHash,
        body: v.strictObject({ statement: Statement }),
        response: { 200: v.object({ reported: v.literal(true) }), ...Failed },
      },
    },
    async ({ params, body }) => {
      await reportRequest(context, params.hash, body.statement);
      return { reported: true as const };
    },
  );

  app.get(
    '/v1/requests/:hash/receipt',
    {
      schema: {
        summary: 'All that proves an answer, but for the plaintexts, which the broker never had',
        'x-caller': 'whoever knows the hash',
        'x-errors': ['request-unknown', 'request-not-pending'],
        tags: ['requests'],
        params: ByHash,
        response: { 200: ReceiptView, ...Failed },
      },
    },
    async ({ params }) => {
      const request = await findRequest(context, params.hash);
      if (request.state.state !== 'answered') {
        throw new CountersignError(
          'request-not-pending',
          `no receipt: the request is ${request.state.state}`,
        );
      }
      const { payload } = await parseRequest(context.crypto, request.jws);
      const account = await findIdentified(context, payload.sub, payload.sub_id);
      const seat = await proofOfSeat(context, request.enquirerId, payload);
      return {
        request: request.jws,
        response: request.state.response,
        enquirer_log: await context.store.readLog(request.enquirerId, 0),
        account_log: await context.store.readLog(account.id, 0),
        ...(seat === undefined ? {} : { seat }),
        checkpoint: {
          statement: await checkpointOf(context, account, request.state.at),
          key: context.publicKey,
        },
      };
    },
  );
}

/** What proves the seat by which a member asked. */
async function proofOfSeat(context: BrokerContext, enquirerId: number, payload: RequestPayload) {
  const member = memberWhoAsks(payload);
  if (member === undefined) return undefined;
  const { evidence, memberId } = await readSeat(context, member.seat);
  return {
    ...evidence,
    member_log: await context.store.readLog(memberId, 0),
    members: await context.store.readMemberChanges(enquirerId, 1),
  };
}
