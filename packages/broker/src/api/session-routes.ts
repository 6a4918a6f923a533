/**
 * The routes of mutual sessions.
 * @module
 */
import { BASE64URL_32_BYTES, Hash, MAX_SESSION_MESSAGE_BYTES } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import type { FastifyReply } from 'fastify';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import {
  agentSays,
  agentView,
  compareDigest,
  customerSays,
  customerView,
  deleteSession,
  openLink,
  reveal,
  startSession,
  versionOf,
} from '../sessions.ts';
import type { SessionRow } from '../store/session-store.ts';
import { provenActor } from './proven-device.ts';
import { ACTOR_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed, MAX_PAGE, MAX_WAIT, Statement, wholeNumber } from './schemas.ts';
import { steady } from './steady.ts';

const Sid = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));
/** Of a link, and of the page that opened it: what is no such thing is refused as any other that is not valid. */
const Unchecked = v.pipe(v.string(), v.maxLength(4096));
const BySid = v.strictObject({ sid: Unchecked });
const OfAccount = v.strictObject({ ...ByName.entries, sid: Sid });
const Body = v.pipe(v.string(), v.maxLength(MAX_SESSION_MESSAGE_BYTES));
const Key = v.pipe(Unchecked, v.description('Drawn by the page that opens the link: 32 bytes in base64url'));
const Bytes32 = v.pipe(v.string(), v.regex(BASE64URL_32_BYTES));
const Digest = v.pipe(
  v.strictObject({ digest: Bytes32, nonce: Bytes32 }),
  v.description('Of a session of mode digest, where nobody is live on the organisation’s side: weaker'),
);
const At = v.optional(v.number());

const SessionView = v.object({
  sid: Sid,
  session: Statement,
  created_at: v.number(),
  expires_at: v.number(),
  tries: v.number(),
  version: v.pipe(v.number(), v.description('Changes with everything that happens to the session')),
  opened_at: At,
  filled_at: At,
  matched_at: At,
  seen_at: At,
  away_at: At,
  revealed_at: At,
  ended_at: At,
  outcome: v.optional(v.picklist(['authenticated', 'expired', 'deleted', 'too-many-tries'])),
});
const ListedView = v.object({
  ...SessionView.entries,
  cursor: v.pipe(v.number(), v.description('Place in the list, for `before`')),
});
const Messages = v.array(v.object({ cursor: v.number(), body: Body }));
const wait = { wait: v.optional(wholeNumber(1, MAX_WAIT, `Seconds to wait, 1 to ${MAX_WAIT}`)) };
const after = {
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER, 'Only those after this place'), '0'),
};

export function addSessionRoutes(app: ValibotFastify, context: BrokerContext): void {
  const gone = (reply: FastifyReply) => (leave: () => void) => void reply.raw.once('close', leave);

  app.post(
    '/v1/sessions',
    {
      schema: {
        summary: 'Open a mutual session for whoever gets its link',
        'x-caller': 'whoever has the signed session',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'device-not-entitled',
          'role-missing',
          'seat-over',
          'session-lifetime',
          'response-late',
        ],
        tags: ['sessions'],
        body: v.strictObject({ statement: Statement, digest: v.optional(Digest) }),
        response: { 201: SessionView, ...Failed },
      },
    },
    async ({ body }, reply) => {
      const session = await startSession(context, body.statement, body.digest);
      return reply.code(201).send(sessionView(session));
    },
  );

  app.post(
    '/v1/sessions/open',
    {
      schema: {
        summary:
          'Open a link, once: by the act of a person, never by looking at it; the same key again is a safe retry',
        'x-caller': 'whoever has the link',
        'x-errors': ['session-invalid'],
        tags: ['sessions'],
        body: v.strictObject({ token: Unchecked, key: Key }),
        response: {
          200: v.object({
            sid: Sid,
            session: Statement,
            expires_at: v.number(),
          }),
          ...Failed,
        },
      },
    },
    async ({ body }) => {
      const { sid, jws, exp } = await steady(() => openLink(context, body.token, body.key));
      return { sid, session: jws, expires_at: exp };
    },
  );

  app.post(
    '/v1/sessions/:sid/read',
    {
      schema: {
        summary: 'What the organisation’s page said, waiting for it if asked to',
        'x-caller': 'the page that opened the link',
        'x-errors': ['session-invalid'],
        tags: ['sessions'],
        params: BySid,
        body: v.strictObject({
          key: Key,
          after: v.pipe(v.number(), v.integer(), v.minValue(0)),
          wait: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_WAIT)),
        }),
        response: {
          200: v.object({ expires_at: v.number(), agent_here: v.boolean(), messages: Messages }),
          ...Failed,
        },
      },
    },
    async ({ params, body }, reply) => {
      const polling = { after: body.after, waitMs: body.wait * 1000, onGone: gone(reply) };
      const view = await steady(() => customerView(context, params.sid, body.key, polling));
      return {
        expires_at: view.expiresAt,
        agent_here: view.agentHere,
        messages: view.messages.map(({ id, body }) => ({ cursor: id, body })),
      };
    },
  );

  app.post(
    '/v1/sessions/:sid/digest',
    {
      schema: {
        summary: 'Compare what was typed with what the organisation left, in mode digest',
        'x-caller': 'the page that opened the link',
        'x-errors': ['session-invalid'],
        tags: ['sessions'],
        params: BySid,
        body: v.strictObject({ key: Key, digest: Bytes32 }),
        response: { 200: v.object({ nonce: Bytes32 }), ...Failed },
      },
    },
    async ({ params, body }) => ({
      nonce: await steady(() => compareDigest(context, params.sid, body.key, body.digest)),
    }),
  );

  app.post(
    '/v1/sessions/:sid/messages',
    {
      schema: {
        summary: 'Say something to the organisation’s page: a try, or that the passcode is shown',
        'x-caller': 'the page that opened the link',
        'x-errors': ['session-invalid'],
        tags: ['sessions'],
        params: BySid,
        body: v.strictObject({ key: Key, body: Body }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await steady(() => customerSays(context, params.sid, body.key, body.body));
      return { done: true as const };
    },
  );

  app.get(
    '/v1/accounts/:name/sessions',
    {
      schema: {
        summary:
          'List an organisation’s sessions, newest first; an agent’s own to them (its devices and members only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'Only those before this place')),
          max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
        }),
        response: { 200: v.object({ sessions: v.array(ListedView) }), ...Failed },
      },
    },
    async (call) => {
      const { account, seat } = await provenActor(context, call, call.params.name, 'sessions', 'history');
      const { before = Number.MAX_SAFE_INTEGER, max } = call.query;
      const own = seat?.role === 'agent' ? seat.memberId : undefined;
      const rows = await context.store.listSessions(account.id, before, max, own);
      return { sessions: rows.map((row) => ({ ...sessionView(row), cursor: row.id })) };
    },
  );

  app.get(
    '/v1/accounts/:name/session-history',
    {
      schema: {
        summary: 'Read the chained history of an organisation’s sessions (its devices and members only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'Entries from this number on'), '1'),
        }),
        response: {
          200: v.object({ entries: v.array(v.object({ entry: v.string(), hash: Hash })) }),
          ...Failed,
        },
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'history');
      return { entries: await context.store.readSessionHistory(account.id, call.query.from) };
    },
  );

  app.get(
    '/v1/accounts/:name/sessions/:sid',
    {
      schema: {
        summary: 'Where the customer is, and what their page said (its devices and members only)',
        'x-errors': [...ACTOR_ERRORS, 'session-invalid'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        querystring: v.strictObject({
          ...after,
          ...wait,
          version: v.optional(
            wholeNumber(0, 1000, 'The version that is known: another one ends the wait'),
            '0',
          ),
        }),
        response: { 200: v.object({ state: SessionView, messages: Messages }), ...Failed },
      },
    },
    async (call, reply) => {
      const { name, sid } = call.params;
      const actor = await provenActor(context, call, name, 'sessions');
      const { after, wait = 0, version } = call.query;
      const polling = { after, version, waitMs: wait * 1000, onGone: gone(reply) };
      const { session, messages } = await agentView(context, actor, sid, polling);
      return {
        state: sessionView(session),
        messages: messages.map(({ id, body }) => ({ cursor: id, body })),
      };
    },
  );

  app.post(
    '/v1/accounts/:name/sessions/:sid/messages',
    {
      schema: {
        summary: 'Say something to the customer’s page (its devices and members only)',
        'x-errors': [...ACTOR_ERRORS, 'session-invalid', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({ body: Body }),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      const actor = await provenActor(context, call, name, 'sessions');
      await agentSays(context, actor, sid, call.body.body);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/sessions/:sid/reveal',
    {
      schema: {
        summary: 'Note that the agent looks at the passcode; refused until the customer has seen theirs',
        'x-errors': [...ACTOR_ERRORS, 'session-invalid', 'session-early', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({}),
        response: { 200: SessionView, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      const actor = await provenActor(context, call, name, 'sessions');
      return sessionView(await reveal(context, actor, sid));
    },
  );

  app.post(
    '/v1/accounts/:name/sessions/:sid/delete',
    {
      schema: {
        summary: 'End a session at once; its row in the history stays',
        'x-errors': [...ACTOR_ERRORS, 'session-invalid', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({}),
        response: { 200: SessionView, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      const actor = await provenActor(context, call, name, 'sessions');
      return sessionView(await deleteSession(context, actor, sid));
    },
  );
}

function sessionView(row: SessionRow): v.InferOutput<typeof SessionView> {
  return {
    sid: row.sid,
    session: row.jws,
    created_at: row.createdAt,
    expires_at: row.exp,
    tries: row.tries,
    version: versionOf(row),
    opened_at: row.openedAt,
    filled_at: row.filledAt,
    matched_at: row.matchedAt,
    seen_at: row.seenAt,
    away_at: row.awayAt,
    revealed_at: row.revealedAt,
    ended_at: row.endedAt,
    outcome: row.outcome,
  };
}
