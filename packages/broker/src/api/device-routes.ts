/**
 * What a device reads: what is pending, what was settled, and the stream.
 * @module
 */

import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS } from './route-errors.ts';
import { ByName, Failed, MAX_PAGE, wholeNumber } from './schemas.ts';
import { ErrorView, RequestView, requestView } from './views.ts';

const cursor = (what: string) => v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER, what));
const PageQuery = v.strictObject({
  max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
  after: cursor('Only those after this place'),
  before: cursor('Only those before this place'),
});

const Listed = v.object({
  requests: v.array(RequestView),
  cursor: v.pipe(v.number(), v.description('Where the stream goes on from this list')),
});

export function addDeviceRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.get(
    '/v1/accounts/:name/pending',
    {
      schema: {
        summary: 'List pending requests, oldest first (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: PageQuery,
        response: { 200: Listed, ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const { newest } = await context.store.eventBounds(account.id);
      const rows = await context.store.listPending(account.id, call.query, context.now());
      return { requests: rows.map(requestView), cursor: newest };
    },
  );

  app.get(
    '/v1/accounts/:name/history',
    {
      schema: {
        summary: 'List settled requests, newest first (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: PageQuery,
        response: { 200: Listed, ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const { newest } = await context.store.eventBounds(account.id);
      const rows = await context.store.listSettled(account.id, call.query);
      return { requests: rows.map(requestView), cursor: newest };
    },
  );

  app.get(
    '/v1/accounts/:name/stream',
    {
      schema: {
        summary: 'WebSocket of events (a device of the account only)',
        'x-errors': [...PROOF_ERRORS, 'cursor-invalid'],
        description:
          'Offer the subprotocols `countersign.v1` and `dpop.<proof>`. Each message is an event; `cursor` in the query resumes after the event of that number. Close codes: 4403 revoked, 4408 read too slowly, 4410 the cursor is no longer kept (read the pending list again).',
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        response: { 426: ErrorView },
      },
    },
    async (_call, reply) =>
      reply.code(426).header('upgrade', 'websocket').send({
        code: 'input-invalid',
        message: 'this is a WebSocket: ask for an upgrade',
      }),
  );
}
