/**
 * The HTTP interface, a table of routes: one schema each for what comes in and goes out, which validates, types
 * and describes it.
 * @module
 */
import {
  LONGEST_LIFETIME,
  MAX_FIELDS_BYTES,
  MAX_TEXT_BYTES,
  PublicSigningKey,
  treeOrigin,
  treeVerifierKey,
} from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { MAX_PENDING, MAX_PER_HOUR, MAX_PER_MINUTE } from '../limits.ts';
import { addAccountRoutes } from './account-routes.ts';
import { addAddressRoutes } from './address-routes.ts';
import { addContactRoutes } from './contact-routes.ts';
import { addDeviceRoutes } from './device-routes.ts';
import { addEnrolmentRoutes } from './enrolment-routes.ts';
import { addMemberRoutes } from './member-routes.ts';
import { addProfileRoutes } from './profile-routes.ts';
import { addPushRoutes } from './push-routes.ts';
import { addRequestRoutes } from './request-routes.ts';
import { addRoomRoutes } from './room-routes.ts';
import { Failed, MAX_WAIT } from './schemas.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addSignatureRoutes } from './signature-routes.ts';
import { addTreeRoutes } from './tree-routes.ts';
import { addTwoWayRoutes } from './two-way-routes.ts';

const WellKnown = v.object({
  versions: v.array(v.string()),
  origin: v.string(),
  key: v.pipe(PublicSigningKey, v.description('Signs checkpoints and tree heads')),
  tree: v.object({
    url: v.pipe(v.string(), v.description('Prefix of the tree of all heads: C2SP tlog-tiles')),
    key: v.pipe(v.string(), v.description('The same key, as tools for signed notes take it')),
  }),
  push: v.object({
    key: v.pipe(v.string(), v.description('By which push services know its notices: RFC 8292')),
  }),
  domains: v.pipe(v.array(v.string()), v.description('Where accounts may be made; empty for anywhere')),
  features: v.array(v.string()),
  limits: v.record(v.string(), v.number()),
});

export function addRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.get(
    '/.well-known/countersign',
    {
      schema: {
        summary: 'What this broker is and can do',
        'x-caller': 'anybody',
        tags: ['broker'],
        response: { 200: WellKnown },
      },
    },
    async () => ({
      versions: ['1'],
      origin: context.origins[0],
      key: context.publicKey,
      tree: {
        url: `${context.origins[0]}/tlog/`,
        key: await treeVerifierKey(context.crypto, treeOrigin(context.origins[0]), context.publicKey),
      },
      domains: [...context.domains],
      features: [
        'confirm',
        'sealed',
        'passcode',
        'contacts',
        'stream',
        'devices',
        'rooms',
        'sessions',
        'signatures',
        'members',
        'profiles',
        'transparency',
        'push',
        ...(context.mail === undefined ? [] : ['mail']),
        ...(context.relay === undefined ? [] : ['relay']),
      ],
      push: { key: context.push.publicKey },
      limits: {
        pending: MAX_PENDING,
        per_minute: MAX_PER_MINUTE,
        per_hour: MAX_PER_HOUR,
        registrations_per_hour: context.registrations.most,
        wait_seconds: MAX_WAIT,
        lifetime_seconds: LONGEST_LIFETIME,
        text_bytes: MAX_TEXT_BYTES,
        fields_bytes: MAX_FIELDS_BYTES,
      },
    }),
  );

  app.get(
    '/health',
    {
      schema: {
        summary: 'Whether the broker can read its store',
        'x-caller': 'anybody',
        tags: ['broker'],
        response: { 200: v.object({ status: v.literal('ok') }), ...Failed },
      },
    },
    async () => {
      await context.store.countPending();
      return { status: 'ok' as const };
    },
  );

  addAccountRoutes(app, context);
  addRequestRoutes(app, context);
  addContactRoutes(app, context);
  addDeviceRoutes(app, context);
  addEnrolmentRoutes(app, context);
  addTreeRoutes(app, context);
  addRoomRoutes(app, context);
  addPushRoutes(app, context);
  addAddressRoutes(app, context);
  addSessionRoutes(app, context);
  addSignatureRoutes(app, context);
  addMemberRoutes(app, context);
  addProfileRoutes(app, context);
  addTwoWayRoutes(app, context);
}
