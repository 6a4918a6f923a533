/**
 * The routes by which an organisation's device or a member puts a signed confirmation into the history of its sessions.
 * @module
 */
import { Hash } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { endTwoWay, noteTwoWay, TWO_WAY_ANSWERS } from '../two-way.ts';
import { provenActor } from './proven-device.ts';
import { ACTOR_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed } from './schemas.ts';

export function addTwoWayRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/accounts/:name/two-way',
    {
      schema: {
        summary: 'Put a question that the organisation asked a customer into the history of its sessions',
        'x-errors': [...ACTOR_ERRORS, 'request-unknown'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: ByName,
        body: v.strictObject({ request: Hash }),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const actor = await provenActor(context, call, call.params.name, 'sessions');
      await noteTwoWay(context, actor, call.body.request);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/two-way/:hash/end',
    {
      schema: {
        summary: 'Say how it ended: what was answered is sealed, and the broker can’t read it',
        'x-errors': [...ACTOR_ERRORS, 'request-unknown'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: v.strictObject({ ...ByName.entries, hash: Hash }),
        body: v.strictObject({ answer: v.optional(v.picklist(TWO_WAY_ANSWERS)) }),
        response: { 200: v.object({ ended: v.boolean() }), ...Failed },
      },
    },
    async (call) => {
      const actor = await provenActor(context, call, call.params.name, 'sessions');
      return { ended: await endTwoWay(context, actor, call.params.hash, call.body.answer) };
    },
  );
}
