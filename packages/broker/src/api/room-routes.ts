/**
 * The routes of rooms.
 * @module
 */

import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { addRoomItem, createRoom } from '../rooms.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed, MAX_PAGE, Statement, wholeNumber } from './schemas.ts';

const ByRoom = v.strictObject({ room: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)) });
const Item = v.object({
  cursor: v.pipe(v.number(), v.description('Place in the order, for `after`')),
  room: v.string(),
  statement: Statement,
});

export function addRoomRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/rooms',
    {
      schema: {
        summary: 'Make a room among accounts',
        'x-caller': 'whoever has the signed room',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'not-permitted',
          'room-exists',
          'too-often',
          'response-late',
        ],
        tags: ['rooms'],
        body: v.strictObject({ statement: Statement }),
        response: { 201: Done, ...Failed },
      },
    },
    async ({ body }, reply) => {
      await createRoom(context, body.statement);
      return reply.code(201).send({ done: true });
    },
  );

  app.post(
    '/v1/rooms/:room/items',
    {
      schema: {
        summary: 'Add a key or a message to a room; the same again is a safe retry',
        'x-caller': 'whoever has an item signed by a member',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'room-unknown',
          'room-key-stale',
          'too-often',
          'response-late',
        ],
        tags: ['rooms'],
        params: ByRoom,
        body: v.strictObject({ statement: Statement }),
        response: { 201: Done, ...Failed },
      },
    },
    async ({ params, body }, reply) => {
      await addRoomItem(context, params.room, body.statement);
      return reply.code(201).send({ done: true });
    },
  );

  app.get(
    '/v1/accounts/:name/room-items',
    {
      schema: {
        summary: 'Read the items of an account’s rooms, in their order (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['rooms'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER, 'Only those after this place'), '0'),
          max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '100'),
        }),
        response: { 200: v.object({ items: v.array(Item) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const { after, max } = call.query;
      const rows = await context.store.listRoomItems(account.id, after, max);
      return { items: rows.map(({ id, room, jws }) => ({ cursor: id, room, statement: jws })) };
    },
  );
}
