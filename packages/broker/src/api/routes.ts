/**
 * The HTTP interface, a table of routes: one schema each for what comes in and goes out, which validates, types
 * and describes it.
 * @module
 */
import {
  AccountName,
  CountersignError,
  Hash,
  LONGEST_LIFETIME,
  MAX_FIELDS_BYTES,
  MAX_TEXT_BYTES,
  PublicSigningKey,
  parseRequest,
  treeOrigin,
  treeVerifierKey,
} from '@countersign/core';
import * as v from 'valibot';
import { appendToLog, checkpointOf, findIdentified, readLog, registerAccount } from '../accounts.ts';
import { changeContact } from '../contacts.ts';
import type { BrokerContext } from '../context.ts';
import { MAX_PENDING, MAX_PER_HOUR, MAX_PER_MINUTE } from '../limits.ts';
import {
  answerRequest,
  awaitState,
  cancelRequest,
  findRequest,
  postRequest,
  reportRequest,
} from '../requests.ts';
import { addEnrolmentRoutes } from './enrolment-routes.ts';
import { provenDevice } from './proven-device.ts';
import { addRoomRoutes } from './room-routes.ts';
import { LOG_ERRORS, PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Entries, Failed, MAX_PAGE, MAX_WAIT, Statement, treeSize, wholeNumber } from './schemas.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addTreeRoutes } from './tree-routes.ts';
import type { ValibotFastify } from './valibot-fastify.ts';
import { ErrorView, LogView, ReceiptView, RequestView, requestView, StateView, stateView } from './views.ts';

const ByHash = v.strictObject({ hash: Hash });
const cursor = (what: string) => v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER, what));
const PageQuery = v.strictObject({
  max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
  after: cursor('Only those after this place'),
  before: cursor('Only those before this place'),
});

const WellKnown = v.object({
  versions: v.array(v.string()),
  origin: v.string(),
  key: v.pipe(PublicSigningKey, v.description('Signs checkpoints and tree heads')),
  tree: v.object({
    url: v.pipe(v.string(), v.description('Prefix of the tree of all heads: C2SP tlog-tiles')),
    key: v.pipe(v.string(), v.description('The same key, as tools for signed notes take it')),
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
        'transparency',
      ],
      limits: {
        pending: MAX_PENDING,
        per_minute: MAX_PER_MINUTE,
        per_hour: MAX_PER_HOUR,
        registrations_per_hour: context.registrations.perHour,
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

  app.post(
    '/v1/accounts',
    {
      schema: {
        summary: 'Register an account by the first entries of its device log',
        'x-caller': 'whoever has the signed entries',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'name-invalid',
          'log-invalid',
          'device-not-entitled',
          'account-exists',
        ],
        tags: ['accounts'],
        body: v.strictObject({ entries: Entries }),
        response: { 201: v.object({ name: AccountName, identity: Hash }), ...Failed },
      },
    },
    async ({ body, ip }, reply) => {
      const { name, identity } = await registerAccount(context, body.entries, ip);
      return reply.code(201).send({ name, identity });
    },
  );

  app.get(
    '/v1/accounts/:name/log',
    {
      schema: {
        summary: 'Read an account’s device log, with a checkpoint for its head and its place in the tree',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['accounts'],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(0, 1_000_000, 'Entries from this number on'), '0'),
          tree: v.optional(treeSize('Size of the tree that you saw last, for a consistency proof'), '0'),
        }),
        response: { 200: LogView, ...Failed },
      },
    },
    async ({ params, query }) => readLog(context, params.name, query.from, query.tree),
  );

  app.post(
    '/v1/accounts/:name/log',
    {
      schema: {
        summary: 'Append entries to an account’s device log, all or none',
        'x-caller': 'whoever has the signed entries',
        'x-errors': [...LOG_ERRORS, 'recovery-invalid', 'recovery-early'],
        tags: ['accounts'],
        params: ByName,
        body: v.strictObject({ entries: Entries }),
        response: { 200: v.object({ seq: v.number(), hash: Hash }), ...Failed },
      },
    },
    async ({ params, body }) => (await appendToLog(context, params.name, body.entries)).head,
  );

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
    async ({ body }, reply) => {
      const { request, created } = await postRequest(context, body.request);
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
      return {
        request: request.jws,
        response: request.state.response,
        enquirer_log: await context.store.readLog(request.enquirerId, 0),
        account_log: await context.store.readLog(account.id, 0),
        checkpoint: {
          statement: await checkpointOf(context, account, request.state.at),
          key: context.publicKey,
        },
      };
    },
  );

  app.post(
    '/v1/contacts',
    {
      schema: {
        summary: 'Allow, block or forget an enquirer',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'device-not-entitled',
          'log-conflict',
          'contact-conflict',
        ],
        tags: ['contacts'],
        body: v.strictObject({ statement: Statement }),
        response: { 200: v.object({ seq: v.number() }), ...Failed },
      },
    },
    async ({ body }) => ({ seq: await changeContact(context, body.statement) }),
  );

  app.get(
    '/v1/accounts/:name/contacts',
    {
      schema: {
        summary: 'Read the changes of an account’s contacts (a device of it only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(1, 1_000_000_000, 'Changes from this number on'), '1'),
        }),
        response: { 200: v.object({ changes: v.array(v.string()) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      return { changes: await context.store.readContacts(account.id, call.query.from) };
    },
  );

  const Listed = v.object({
    requests: v.array(RequestView),
    cursor: v.pipe(v.number(), v.description('Where the stream goes on from this list')),
  });

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
      const rows = await context.store.listPending(account.id, call.query);
      const now = context.now();
      return { requests: rows.filter(({ exp }) => exp > now).map(requestView), cursor: newest };
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

  addEnrolmentRoutes(app, context);
  addTreeRoutes(app, context);
  addRoomRoutes(app, context);
  addSessionRoutes(app, context);
}
