/**
 * The routes of mutual sessions.
 * @module
 */
import { Hash } from '@countersign/core';
import type { FastifyReply } from 'fastify';
import * as v from 'valibot';
import { findAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import {
  agentSays,
  agentView,
  customerSays,
  customerView,
  deleteSession,
  openLink,
  publishCard,
  reveal,
  startSession,
  versionOf,
} from '../sessions.ts';
import type { SessionRow } from '../store/session-store.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed, MAX_PAGE, MAX_WAIT, Statement, wholeNumber } from './schemas.ts';
import type { ValibotFastify } from './valibot-fastify.ts';

const Sid = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));
const BySid = v.strictObject({ sid: Sid });
const OfAccount = v.strictObject({ ...ByName.entries, sid: Sid });
const Body = v.pipe(v.string(), v.maxLength(4096));
const Key = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{43}$/),
  v.description('Drawn by the page that opens the link'),
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
  seen_at: At,
  revealed_at: At,
  ended_at: At,
  outcome: v.optional(v.picklist(['authenticated', 'expired', 'deleted', 'too-many-tries'])),
});
const Messages = v.array(v.object({ cursor: v.number(), body: Body }));
const wait = { wait: v.optional(wholeNumber(1, MAX_WAIT, `Seconds to wait, 1 to ${MAX_WAIT}`)) };
const after = {
  after: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER, 'Only those after this place'), '0'),
};

export function addSessionRoutes(app: ValibotFastify, context: BrokerContext): void {
  const gone = (reply: FastifyReply) => (leave: () => void) => void reply.raw.once('close', leave);

  app.post(
    '/v1/accounts/:name/card',
    {
      schema: {
        summary: 'Publish what an organisation says of itself',
        'x-caller': 'whoever has the signed card',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-mismatch',
          'device-not-entitled',
          'card-conflict',
          'response-late',
        ],
        tags: ['sessions'],
        params: ByName,
        body: v.strictObject({ statement: Statement }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await publishCard(context, params.name, body.statement);
      return { done: true as const };
    },
  );

  app.get(
    '/v1/accounts/:name/card',
    {
      schema: {
        summary: 'Read an organisation’s card',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['sessions'],
        params: ByName,
        response: { 200: v.object({ card: v.optional(Statement) }), ...Failed },
      },
    },
    async ({ params }) => {
      const card = await context.store.readCard((await findAccount(context, params.name)).id);
      return card === undefined ? {} : { card };
    },
  );

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
          'session-lifetime',
          'response-late',
        ],
        tags: ['sessions'],
        body: v.strictObject({ statement: Statement }),
        response: { 201: SessionView, ...Failed },
      },
    },
    async ({ body }, reply) => reply.code(201).send(sessionView(await startSession(context, body.statement))),
  );

  app.post(
    '/v1/sessions/open',
    {
      schema: {
        summary: 'Open a link, once: by the act of a person, never by looking at it',
        'x-caller': 'whoever has the link',
        'x-errors': ['session-invalid'],
        tags: ['sessions'],
        body: v.strictObject({ token: v.pipe(v.string(), v.maxLength(64)), key: Key }),
        response: {
          200: v.object({
            sid: Sid,
            session: Statement,
            card: v.optional(Statement),
            expires_at: v.number(),
          }),
          ...Failed,
        },
      },
    },
    async ({ body }) => {
      const { session, card } = await openLink(context, body.token, body.key);
      const { sid, jws, exp } = session;
      return { sid, session: jws, expires_at: exp, ...(card === undefined ? {} : { card }) };
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
      const view = await customerView(context, params.sid, body.key, polling);
      return {
        expires_at: view.expiresAt,
        agent_here: view.agentHere,
        messages: view.messages.map(({ id, body }) => ({ cursor: id, body })),
      };
    },
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
        body: v.strictObject({ key: Key, step: v.optional(v.picklist(['try', 'seen'])), body: Body }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await customerSays(context, params.sid, body.key, body.step, body.body);
      return { done: true as const };
    },
  );

  app.get(
    '/v1/accounts/:name/sessions',
    {
      schema: {
        summary: 'List an organisation’s sessions, newest first (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'Only those before this place')),
          max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
        }),
        response: { 200: v.object({ sessions: v.array(SessionView) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const { before = Number.MAX_SAFE_INTEGER, max } = call.query;
      return { sessions: (await context.store.listSessions(account.id, before, max)).map(sessionView) };
    },
  );

  app.get(
    '/v1/accounts/:name/session-history',
    {
      schema: {
        summary: 'Read the chained history of an organisation’s sessions (a device of the account only)',
        'x-errors': PROOF_ERRORS,
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
      const { account } = await provenDevice(context, call, call.params.name);
      return { entries: await context.store.readSessionHistory(account.id, call.query.from) };
    },
  );

  app.get(
    '/v1/accounts/:name/sessions/:sid',
    {
      schema: {
        summary: 'Where the customer is, and what their page said (a device of the account only)',
        'x-errors': [...PROOF_ERRORS, 'session-invalid'],
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
      await provenDevice(context, call, name);
      const { after, wait = 0, version } = call.query;
      const polling = { after, version, waitMs: wait * 1000, onGone: gone(reply) };
      const { session, messages } = await agentView(context, name, sid, polling);
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
        summary: 'Say something to the customer’s page (a device of the account only)',
        'x-errors': [...PROOF_ERRORS, 'session-invalid', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({ body: Body }),
        response: { 200: Done, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      await provenDevice(context, call, name);
      await agentSays(context, name, sid, call.body.body);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/sessions/:sid/reveal',
    {
      schema: {
        summary: 'Note that the agent looks at the passcode; refused until the customer has seen theirs',
        'x-errors': [...PROOF_ERRORS, 'session-invalid', 'session-early', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({}),
        response: { 200: SessionView, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      await provenDevice(context, call, name);
      return sessionView(await reveal(context, name, sid));
    },
  );

  app.post(
    '/v1/accounts/:name/sessions/:sid/delete',
    {
      schema: {
        summary: 'End a session at once; its row in the history stays',
        'x-errors': [...PROOF_ERRORS, 'session-invalid', 'session-over'],
        tags: ['sessions'],
        security: [{ dpop: [] }],
        params: OfAccount,
        body: v.strictObject({}),
        response: { 200: SessionView, ...Failed },
      },
    },
    async (call) => {
      const { name, sid } = call.params;
      await provenDevice(context, call, name);
      return sessionView(await deleteSession(context, name, sid));
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
    seen_at: row.seenAt,
    revealed_at: row.revealedAt,
    ended_at: row.endedAt,
    outcome: row.outcome,
  };
}
