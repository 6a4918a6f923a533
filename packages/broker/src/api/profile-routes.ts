/**
 * The routes of organisations' profiles, and of what their services asked.
 * @module
 */
import { DOMAIN_PROOFS, Domain, MAX_PICTURE_BYTES, STATES } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { findAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import { listRecommendations, publishCard, readCard, readProfile, recommend } from '../profiles.ts';
import type { DomainRow } from '../store/profile-store.ts';
import { provenActor, provenDevice } from './proven-device.ts';
import { ACTOR_ERRORS, PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed, MAX_PAGE, Statement, wholeNumber } from './schemas.ts';
import { StateView, stateView } from './views.ts';

const Picture = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]+$/),
  v.maxLength(Math.ceil((MAX_PICTURE_BYTES * 4) / 3)),
  v.description('A PNG, in base64url'),
);
const At = v.optional(v.number());
const CardParts = {
  card: v.optional(Statement),
  domain_check: v.optional(
    v.pipe(Statement, v.description('The broker’s word for the domains that the card claims')),
  ),
};
const Recommendations = v.array(Statement);
const Domains = v.object({
  domains: v.array(
    v.object({
      domain: Domain,
      by: v.picklist(DOMAIN_PROOFS),
      claimed_at: v.number(),
      checked_at: At,
      outcome: v.optional(v.picklist(['proven', 'absent', 'unreachable', 'refused'])),
      proven_at: v.optional(
        v.pipe(v.number(), v.description('When the proof was last found; gone once it was found gone')),
      ),
    }),
  ),
});
const CountsView = v.object({
  sessions: v.number(),
  authenticated: v.number(),
  sessions_since: At,
  answers: v.pipe(v.number(), v.description('Requests that people answered, of those that are kept')),
  answers_since: At,
  signatures: v.number(),
});
/** So many of the newest requests are counted, and answers that took longer than so many seconds as one. */
const COUNTED = { newest: 5000, longest: 900 } as const;
const Count = v.pipe(v.number(), v.integer());
const AskedCountsView = v.object({
  newest: v.pipe(Count, v.description('At most so many are counted, the newest')),
  outcomes: v.pipe(
    v.array(v.object({ outcome: v.picklist([...STATES, 'reported']), count: Count })),
    v.description('One that the account reported counts as `reported`, whatever else became of it'),
  ),
  times: v.pipe(
    v.array(v.object({ seconds: Count, count: Count })),
    v.description(`From the post to the answer; ${COUNTED.longest} stands for all that took longer, too`),
  ),
});
const AskedView = v.object({
  ...StateView.entries,
  cursor: v.pipe(v.number(), v.description('Place in the list, for `before`')),
  request: Statement,
  posted_at: v.number(),
  report: v.optional(v.object({ statement: Statement, reported_at: v.number() })),
});

export function addProfileRoutes(app: ValibotFastify, context: BrokerContext): void {
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
          'picture-invalid',
          'response-late',
        ],
        tags: ['profiles'],
        params: ByName,
        body: v.strictObject({ statement: Statement, picture: v.optional(Picture) }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await publishCard(context, params.name, body.statement, body.picture);
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
        tags: ['profiles'],
        params: ByName,
        response: { 200: v.object(CardParts), ...Failed },
      },
    },
    async ({ params }) => readCard(context, await findAccount(context, params.name)),
  );

  app.get(
    '/v1/accounts/:name/picture',
    {
      schema: {
        summary: 'Read the picture whose hash an organisation’s card holds',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['profiles'],
        params: ByName,
        response: { 200: v.object({ picture: v.optional(Picture) }), ...Failed },
      },
    },
    async ({ params }) => {
      const { id } = await findAccount(context, params.name);
      const bytes = await context.store.readPicture(id);
      return bytes === undefined ? {} : { picture: Buffer.from(bytes).toString('base64url') };
    },
  );

  app.get(
    '/v1/accounts/:name/profile',
    {
      schema: {
        summary: 'Read all that is known of an organisation: card, domains, recommendations, counts',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['profiles'],
        params: ByName,
        response: {
          200: v.object({ ...CardParts, recommendations: Recommendations, counts: v.optional(CountsView) }),
          ...Failed,
        },
      },
    },
    async ({ params }) => {
      const { counts, ...profile } = await readProfile(context, params.name);
      if (counts === undefined) return profile;
      const { sessionsSince, answersSince, ...numbers } = counts;
      return {
        ...profile,
        counts: {
          ...numbers,
          ...(sessionsSince === undefined ? {} : { sessions_since: sessionsSince }),
          ...(answersSince === undefined ? {} : { answers_since: answersSince }),
        },
      };
    },
  );

  const ownDomains = {
    tags: ['profiles'],
    security: [{ dpop: [] }],
    params: ByName,
    response: { 200: Domains, ...Failed },
  };
  app.get(
    '/v1/accounts/:name/domains',
    {
      schema: {
        ...ownDomains,
        summary: 'What was found at the claimed domains (its devices, owners and auditors only)',
        'x-errors': ACTOR_ERRORS,
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'profile');
      return { domains: (await context.store.listDomains(account.id)).map(domainView) };
    },
  );
  app.post(
    '/v1/accounts/:name/domains/check',
    {
      schema: {
        ...ownDomains,
        summary: 'Look at the claimed domains now (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        body: v.strictObject({}),
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      return { domains: (await context.domainChecks.lookNow(account)).map(domainView) };
    },
  );

  app.post(
    '/v1/recommendations',
    {
      schema: {
        summary: 'Recommend an organisation, or take that back',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'account-mismatch',
          'device-not-entitled',
          'log-conflict',
          'recommendation-conflict',
          'response-late',
          'too-often',
        ],
        tags: ['profiles'],
        body: v.strictObject({ statement: Statement }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ body }) => {
      await recommend(context, body.statement);
      return { done: true as const };
    },
  );

  app.get(
    '/v1/accounts/:name/recommended',
    {
      schema: {
        summary: 'Which organisations an account recommends (its devices, owners and auditors only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['profiles'],
        security: [{ dpop: [] }],
        params: ByName,
        response: { 200: v.object({ recommendations: Recommendations }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'profile');
      return { recommendations: await listRecommendations(context, { issuerId: account.id }) };
    },
  );

  app.get(
    '/v1/accounts/:name/recommended/:subject',
    {
      schema: {
        summary: 'An account’s newest word for another, whatever it says (a device of it only)',
        'x-errors': PROOF_ERRORS,
        tags: ['profiles'],
        security: [{ dpop: [] }],
        params: v.strictObject({ ...ByName.entries, subject: ByName.entries.name }),
        response: { 200: v.object({ recommendation: v.optional(Statement) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const subject = await findAccount(context, call.params.subject);
      const recommendation = await context.store.findRecommendation(account.id, subject.id);
      return recommendation === undefined ? {} : { recommendation };
    },
  );

  app.get(
    '/v1/accounts/:name/asked',
    {
      schema: {
        summary: 'List what an account asked, newest first (its devices, owners and auditors only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['profiles'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'Only those before this place')),
          max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
        }),
        response: { 200: v.object({ requests: v.array(AskedView) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'asked');
      const { before = Number.MAX_SAFE_INTEGER, max } = call.query;
      const rows = await context.store.listAsked(account.id, before, max);
      return {
        requests: rows.map(({ request, report }) => ({
          ...stateView(request),
          cursor: request.id,
          request: request.jws,
          posted_at: request.postedAt,
          ...(report === undefined ? {} : { report: { statement: report.jws, reported_at: report.at } }),
        })),
      };
    },
  );

  app.get(
    '/v1/accounts/:name/asked/counts',
    {
      schema: {
        summary: 'Count what an account asked, by what became of it (its devices, owners and auditors only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['profiles'],
        security: [{ dpop: [] }],
        params: ByName,
        response: { 200: AskedCountsView, ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'asked');
      const { outcomes, times } = await context.store.countAsked(account.id, COUNTED.newest, COUNTED.longest);
      return { newest: COUNTED.newest, outcomes: [...outcomes], times: [...times] };
    },
  );
}

function domainView({ domain, by, claimedAt, checkedAt, outcome, provenAt }: DomainRow) {
  return {
    domain,
    by,
    claimed_at: claimedAt,
    ...(checkedAt === undefined ? {} : { checked_at: checkedAt }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(provenAt === undefined ? {} : { proven_at: provenAt }),
  };
}
