/**
 * The provider's routes: what the source's five steps need, and nothing else.
 * @module
 */
import { type AccountLink, CountersignError, formatAccountLink, parseAccountLink } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { withProvider } from '../../account-change.ts';
import { isPage } from '../../argument-link.ts';
import { Policy } from '../../policy.ts';
import type { ProviderContext } from '../context.ts';
import type { Cosigned, Cosigning } from '../cosigning.ts';
import { enrolled } from '../enrolment.ts';
import { changePolicy, pendingPolicy, policyOf } from '../policies.ts';
import { beginRegistration, challengeOf, memoriesOf, proveKey, proveWays } from '../registration.ts';
import { requiringLink } from '../requiring-link.ts';
import type { RegistrationRow } from '../store.ts';
import type { ShownWay } from '../ways.ts';
import { addLoginRoutes } from './login-routes.ts';
import {
  ASKING_ERRORS,
  ChainId,
  ChainName,
  Digest,
  Failed,
  Id,
  RegistrationView,
  SharedSecret,
  Signature,
  Wait,
} from './schemas.ts';
import { addSecurityKeyRoutes } from './security-key-routes.ts';

const ByName = v.strictObject({ name: ChainName });
const Link = v.pipe(
  v.string(),
  v.maxLength(1024),
  v.description('Of a Countersign account, `countersign:…`'),
);
const Addresses = v.record(v.pipe(v.string(), v.maxLength(32)), v.pipe(v.string(), v.maxLength(320)));

const TransactionView = v.object({
  digest: Digest,
  id: v.pipe(v.string(), v.description('The transaction’s id on the chain')),
  state: v.picklist(['pending', 'signed', 'rejected', 'refused', 'expired']),
  signatures: v.optional(
    v.pipe(v.array(Signature), v.description('One for each account that it was posted for, all at once')),
  ),
  waits_for: v.optional(
    v.pipe(
      v.array(ChainName),
      v.description('Accounts served here that have yet to say yes; it may have to be posted for them first'),
    ),
  ),
  reason: v.optional(v.string()),
  expires_at: v.number(),
});
const PolicyView = v.object({
  version: v.number(),
  policy: Policy,
  next: v.optional(v.object({ version: v.number(), policy: Policy, effective_at: v.number() })),
});

const ProposalsView = v.object({
  proposals: v.array(
    v.object({
      proposal: v.pipe(v.string(), v.description('Its id on the chain')),
      state: v.pipe(
        v.picklist(['asked', 'approving', 'approved', 'rejected', 'refused', 'gone']),
        v.description(
          '`approving`: the approval was sent, or is about to be, and is not seen on the chain yet',
        ),
      ),
      reason: v.optional(v.pipe(v.string(), v.description('Why it was refused, or is asked about no more'))),
    }),
  ),
});

export function addRoutes(app: ValibotFastify, context: ProviderContext, cosigning: Cosigning): void {
  const { store, client, enquirer, changes } = context;

  app.get(
    '/v1/provider',
    {
      schema: {
        summary: 'Who this provider is',
        'x-caller': 'anybody',
        tags: ['provider'],
        response: {
          200: v.object({
            account: ChainName,
            chain_id: v.string(),
            prefix: v.string(),
            countersign: Link,
            asks_for: v.pipe(v.array(v.string()), v.description('What else a registration must give')),
          }),
          ...Failed,
        },
      },
    },
    async () => {
      const { id, prefix } = await client.chain();
      const { name, identity, broker } = enquirer.session.keys;
      return {
        account: context.account.name,
        chain_id: id,
        prefix,
        countersign: formatAccountLink({ name, identity, broker }),
        asks_for: context.ways.map((way) => way.name),
      };
    },
  );

  const unproven = (row: RegistrationRow) => {
    const memories = memoriesOf(row);
    return context.ways.filter(({ name }) => memories[name]?.proven === false);
  };
  const codesOf = (row: RegistrationRow) =>
    unproven(row)
      .filter(({ by }) => by === 'code')
      .map(({ name }) => name);
  const registrationView = async (row: RegistrationRow) => {
    const { id, state, expires_at } = row;
    const open = state === 'challenged' || state === 'proving';
    if (open && expires_at <= context.clock.now()) {
      return { registration: id, state: 'expired' as const, expires_at };
    }
    const shown: ShownWay = {};
    if (state === 'proving') {
      for (const way of unproven(row))
        Object.assign(shown, await way.shown?.(context, row, memoriesOf(row)[way.name]!));
    }
    return {
      registration: id,
      state,
      ...(state === 'challenged' ? { challenge: await challengeOf(context, row) } : {}),
      ...(state === 'proving' ? { codes: codesOf(row), ...shown } : {}),
      expires_at,
    };
  };

  app.post(
    '/v1/registrations',
    {
      schema: {
        summary: 'Begin to register an account of the chain',
        'x-caller': 'anybody',
        'x-errors': [
          'chain-account-unknown',
          'account-unknown',
          'account-changed',
          'link-invalid',
          'too-often',
          'chain-unreachable',
        ],
        tags: ['registration'],
        body: v.strictObject({ account: ChainName, countersign: Link, addresses: v.optional(Addresses, {}) }),
        response: { 201: RegistrationView, ...Failed },
      },
    },
    async ({ body }, reply) => {
      const link: AccountLink = parseAccountLink(body.countersign);
      reply.code(201);
      return registrationView(await beginRegistration(context, { ...body, countersign: link }));
    },
  );

  app.post(
    '/v1/registrations/:id/proof',
    {
      schema: {
        summary: 'Give the signed challenge',
        'x-caller': 'whoever began it',
        'x-errors': [
          'cosign-unknown',
          'cosign-conflict',
          'signature-invalid',
          'authority-missing',
          'not-permitted',
          'contact-held',
          'too-often',
          'chain-unreachable',
          'broker-unreachable',
        ],
        tags: ['registration'],
        params: v.strictObject({ id: Id }),
        body: v.strictObject({ signature: Signature }),
        response: { 200: RegistrationView, ...Failed },
      },
    },
    async ({ params, body }) => registrationView(await proveKey(context, params.id, body.signature)),
  );

  app.post(
    '/v1/registrations/:id/codes',
    {
      schema: {
        summary: 'Give the codes that were sent, and a token’s',
        'x-caller': 'whoever began it',
        'x-errors': [
          'cosign-unknown',
          'cosign-conflict',
          'passcode-wrong',
          'passcode-locked',
          'not-permitted',
          'contact-held',
          'too-often',
          'broker-unreachable',
        ],
        tags: ['registration'],
        params: v.strictObject({ id: Id }),
        body: v.strictObject({
          codes: v.record(v.pipe(v.string(), v.maxLength(32)), v.pipe(v.string(), v.maxLength(64))),
        }),
        response: { 200: RegistrationView, ...Failed },
      },
    },
    async ({ params, body }) => registrationView(await proveWays(context, params.id, body.codes)),
  );

  addSecurityKeyRoutes(app, context, registrationView);

  app.get(
    '/v1/registrations/:id',
    {
      schema: {
        summary: 'What has become of a registration',
        'x-caller': 'whoever began it',
        'x-errors': ['cosign-unknown'],
        tags: ['registration'],
        params: v.strictObject({ id: Id }),
        querystring: Wait,
        response: { 200: RegistrationView, ...Failed },
      },
    },
    async ({ params: { id }, query }) => {
      const read = () => {
        const row = store.one('registrations', { id });
        if (row !== undefined) return row;
        throw new CountersignError('cosign-unknown', 'there is no such registration');
      };
      const before = read();
      // Where codes are to be given, the wallet waits for its person, and not for us.
      const elsewhere = before.state === 'proving' && codesOf(before).length === 0;
      const wait = Math.min(query.wait, before.expires_at - context.clock.now());
      if ((before.state === 'asked' || elsewhere) && wait > 0) await changes.next(id, wait * 1000);
      return registrationView(read());
    },
  );

  app.get(
    '/v1/accounts/:name',
    {
      schema: {
        summary: 'Which account of the chain signs for an account',
        'x-caller': 'anybody: it stands on the chain',
        'x-errors': ['cosign-not-enrolled', 'chain-unreachable'],
        tags: ['accounts'],
        params: ByName,
        response: {
          200: v.object({
            account: ChainName,
            signer: ChainName,
            signer_id: v.string(),
            keys: v.array(v.string()),
          }),
          ...Failed,
        },
      },
    },
    async ({ params }) => {
      const user = enrolled(context, params.name);
      const { active } = await client.account(user.signer_id);
      const keys = active.key_auths
        .map(([key]) => key)
        .filter((key) => context.vault.holds(user.signer, [key]) !== undefined);
      return { account: user.account, signer: user.signer, signer_id: user.signer_id, keys };
    },
  );

  app.get(
    '/v1/accounts/:name/require',
    {
      schema: {
        summary:
          'What makes an account require this provider: the operation, and a link that opens a wallet with it',
        'x-caller': 'anybody: it changes nothing until the account signs it',
        'x-errors': ['cosign-not-enrolled', 'cosign-conflict', 'link-invalid', 'chain-unreachable'],
        tags: ['accounts'],
        params: ByName,
        querystring: v.strictObject({
          page: v.optional(
            v.pipe(
              v.string(),
              v.maxLength(512),
              v.check(isPage),
              v.description('The wallet’s page for requests'),
            ),
          ),
        }),
        response: {
          200: v.object({
            operation: v.tuple([v.number(), v.unknown()]),
            link: v.optional(
              v.pipe(v.string(), v.description('By the Transaction Request Protocol, if a page is named')),
            ),
          }),
          ...Failed,
        },
      },
    },
    async ({ params, query }) => {
      const user = enrolled(context, params.name);
      const [kind, fields] = withProvider(await client.account(user.account_id), user.signer_id);
      const link = query.page === undefined ? {} : { link: await requiringLink(context, user, query.page) };
      return { operation: [kind, fields] as [number, unknown], ...link };
    },
  );

  const transactionView = ({ signatures, waitsFor, expiresAt, ...rest }: Cosigned) => ({
    ...rest,
    ...(signatures === undefined ? {} : { signatures: [...signatures] }),
    ...(waitsFor.length === 0 ? {} : { waits_for: [...waitsFor] }),
    expires_at: expiresAt,
  });

  app.post(
    '/v1/transactions',
    {
      schema: {
        summary: 'Ask for the provider’s signature on a transaction',
        description:
          'The whole transaction in the chain’s JSON, signed already by a key of the account’s own. The same one twice is one. Where it needs several accounts that are served here, it is posted for each, and signed when all have said yes.',
        'x-caller': 'whoever has a transaction that the account has signed',
        'x-errors': [
          'transaction-invalid',
          'transaction-expired',
          'chain-other',
          'cosign-not-enrolled',
          'cosign-unasked',
          'memo-mismatch',
          'signature-invalid',
          ...ASKING_ERRORS,
        ],
        tags: ['transactions'],
        body: v.strictObject({
          account: ChainName,
          transaction: v.pipe(v.looseObject({}), v.description('In the chain’s JSON, with `signatures`')),
          chain_id: v.optional(ChainId),
          memo_secrets: v.optional(
            v.pipe(
              v.array(SharedSecret),
              v.maxLength(16),
              v.description(
                'SHA-512 of what the keys of a memo share, so that its text is shown on the device; not kept',
              ),
            ),
          ),
        }),
        response: { 202: TransactionView, ...Failed },
      },
    },
    async ({ body }, reply) => {
      reply.code(202);
      const { account, transaction, chain_id: chainId, memo_secrets: memoSecrets } = body;
      const options = {
        ...(chainId === undefined ? {} : { chainId }),
        ...(memoSecrets === undefined ? {} : { memoSecrets }),
      };
      return transactionView(await cosigning.post(account, transaction, options));
    },
  );

  app.get(
    '/v1/transactions/:digest',
    {
      schema: {
        summary: 'What has become of a transaction',
        'x-caller': 'whoever knows its digest',
        'x-errors': ['cosign-unknown'],
        tags: ['transactions'],
        params: v.strictObject({ digest: Digest }),
        querystring: Wait,
        response: { 200: TransactionView, ...Failed },
      },
    },
    async ({ params, query }) => transactionView(await cosigning.state(params.digest, query.wait)),
  );

  addLoginRoutes(app, context);

  const policyView = (name: string) => {
    const { version, policy } = policyOf(context, name);
    const next = pendingPolicy(context, name);
    return {
      version,
      policy,
      ...(next === undefined
        ? {}
        : {
            next: {
              version: next.version,
              policy: JSON.parse(next.policy) as Policy,
              effective_at: next.effective_at,
            },
          }),
    };
  };

  app.get(
    '/v1/accounts/:name/policy',
    {
      schema: {
        summary: 'The policy by which an account’s transactions are signed',
        'x-caller': 'anybody',
        'x-errors': ['cosign-not-enrolled'],
        tags: ['policy'],
        params: ByName,
        response: { 200: PolicyView, ...Failed },
      },
    },
    async ({ params }) => policyView(enrolled(context, params.name).account),
  );

  app.get(
    '/v1/accounts/:name/proposals',
    {
      schema: {
        summary: 'Proposals on the chain that the person was asked about, or that were refused, and why',
        'x-caller': 'anybody',
        'x-errors': ['cosign-not-enrolled'],
        tags: ['proposals'],
        params: ByName,
        response: { 200: ProposalsView, ...Failed },
      },
    },
    async ({ params }) => {
      const { account } = enrolled(context, params.name);
      const rows = store.all('proposals', { account });
      return {
        proposals: rows.map(({ proposal, state, reason }) => ({
          proposal,
          state,
          ...(reason === null ? {} : { reason }),
        })),
      };
    },
  );

  app.post(
    '/v1/accounts/:name/policy',
    {
      schema: {
        summary: 'Ask for another policy: the person confirms it on their device',
        description:
          'The text is JSON of a policy, in the form that reading one has, and is signed as it stands.',
        'x-caller': 'whoever has a change that the account has signed',
        'x-errors': [
          'cosign-not-enrolled',
          'cosign-conflict',
          'cosign-unasked',
          'signature-invalid',
          'json-invalid',
          'text-too-long',
          'text-refused',
          'account-unknown',
          'account-changed',
          'not-permitted',
          'contact-held',
          'too-often',
          'chain-unreachable',
          'broker-unreachable',
        ],
        tags: ['policy'],
        params: ByName,
        body: v.strictObject({
          version: v.pipe(v.number(), v.integer(), v.minValue(2)),
          text: v.pipe(v.string(), v.maxLength(7000)),
          signature: Signature,
        }),
        response: { 202: v.object({ change: Id }), ...Failed },
      },
    },
    async ({ params, body }, reply) => {
      reply.code(202);
      return { change: (await changePolicy(context, params.name, body)).id };
    },
  );

  app.get(
    '/v1/policy-changes/:id',
    {
      schema: {
        summary: 'What has become of a change of policy',
        'x-caller': 'whoever asked for it',
        'x-errors': ['cosign-unknown'],
        tags: ['policy'],
        params: v.strictObject({ id: Id }),
        querystring: Wait,
        response: {
          200: v.object({ version: v.number(), state: v.picklist(['asked', 'accepted', 'rejected']) }),
          ...Failed,
        },
      },
    },
    async ({ params: { id }, query }) => {
      const read = () => {
        const row = store.one('policy_changes', { id });
        if (row !== undefined) return row;
        throw new CountersignError('cosign-unknown', 'there is no such change');
      };
      if (read().state === 'asked' && query.wait > 0) await changes.next(id, query.wait * 1000);
      const { version, state } = read();
      return { version, state };
    },
  );
}
