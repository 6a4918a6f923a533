/**
 * The routes by which a device says how it is reached, and sees how the others are.
 * @module
 */

import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed } from './schemas.ts';

/** `PushSubscription.toJSON` of a browser; RFC 8291 section 2 has the keys. */
const Subscription = v.object({
  endpoint: v.pipe(v.string(), v.url(), v.startsWith('https://'), v.maxLength(1024)),
  keys: v.object({
    p256dh: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{87}$/, 'expected 65 bytes in base64url')),
    auth: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/, 'expected 16 bytes in base64url')),
  }),
});
const At = v.optional(v.number());
const ReachedView = v.object({
  kid: v.string(),
  reached_at: v.pipe(At, v.description('When the device itself spoke to the broker')),
  push: v.optional(v.pipe(v.literal(true), v.description('It is told by Web Push'))),
  pushed_at: v.pipe(At, v.description('When its push service last took a notice')),
});

export function addPushRoutes(app: ValibotFastify, context: BrokerContext): void {
  const { store, push, reached } = context;

  app.post(
    '/v1/accounts/:name/push',
    {
      schema: {
        summary: 'Be told by Web Push that something waits (a device of the account only)',
        'x-errors': [...PROOF_ERRORS, 'push-refused'],
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        body: v.strictObject({ subscription: Subscription }),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const { account, device } = await provenDevice(context, call, call.params.name);
      const { endpoint, keys } = call.body.subscription;
      const subscription = { endpoint, ...keys };
      await push.check(subscription);
      await store.saveSubscription(account.id, device.kid, subscription);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/push/remove',
    {
      schema: {
        summary: 'Be told by Web Push no longer (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        body: v.strictObject({}),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const { account, device } = await provenDevice(context, call, call.params.name);
      await store.saveSubscription(account.id, device.kid, undefined);
      return { done: true as const };
    },
  );

  app.get(
    '/v1/accounts/:name/reached',
    {
      schema: {
        summary: 'When each device was last reached (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        response: { 200: v.object({ devices: v.array(ReachedView) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const kept = new Map((await store.readReach(account.id)).map((reach) => [reach.kid, reach]));
      const devices = [...account.devices.keys()].flatMap((kid) => {
        const { reachedAt, pushedAt, subscription } = kept.get(kid) ?? {};
        const at = reached.newest(account.id, kid) ?? reachedAt;
        if (at === undefined && subscription === undefined) return [];
        return {
          kid,
          ...(at === undefined ? {} : { reached_at: at }),
          ...(subscription === undefined ? {} : { push: true as const }),
          ...(pushedAt === undefined ? {} : { pushed_at: pushedAt }),
        };
      });
      return { devices };
    },
  );
}
