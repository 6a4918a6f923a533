/**
 * A shop that knows wallets by their links alone: one asks for a payment by the Transaction Request Protocol, one
 * logs in by the Wallet Login Protocol. What comes back it believes only as far as the chain and the keys bear it out.
 * @module
 */
import { systemClock } from '@countersign/client';
import { CountersignError, encodeBase64url } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import {
  type ChainPrivateKey,
  formatLogin,
  formatTransactionRequest,
  isAsked,
  type LoginSession,
  newPrivateKey,
  parseLoginAnswer,
  parseOperation,
  parseSignedTransaction,
  parseTransactionAnswer,
  signDigest,
  type TransactionRequest,
  transactionRequestDigest,
  verifyLogin,
} from '@countersign/graphene';
import { accountsBelow, ChainClient, NO_FEE } from '@countersign/graphene/wallet';
import Fastify, { type FastifyReply } from 'fastify';
import * as v from 'valibot';

export interface ShopOptions {
  readonly port: number;
  readonly nodes: readonly string[];
  /** Where the visitor's wallet is. */
  readonly wallet: string;
  /** The shop's account on the chain, and its key. */
  readonly account: string;
  readonly key: ChainPrivateKey;
  /** Who is asked to pay. */
  readonly customer: string;
}

const LIFETIME = 3600;
const PRICE = 250_000;
const Block = v.looseObject({ transactions: v.array(v.unknown()) });

export async function startShop({ port, nodes, wallet, account, key, customer }: ShopOptions) {
  const client = new ChainClient({ nodes });
  const chain = await client.chain();
  const [shop, buyer] = await client.accounts([account, customer]);
  const orders = new Map<string, TransactionRequest>();
  const logins = new Map<string, LoginSession>();
  const app = Fastify({ forceCloseConnections: true });
  let origin = '';

  const order = () => {
    const id = encodeBase64url(webCrypto.randomBytes(16));
    const amount = { amount: PRICE, asset_id: '1.3.0' };
    const pay = [0, { fee: NO_FEE, from: buyer!.id, to: shop!.id, amount, extensions: [] }];
    const request: TransactionRequest = {
      id,
      by: account,
      account: customer,
      asked: { kind: 'operations', operations: [parseOperation(pay, chain)] },
      apply: true,
      callback: `${origin}/paid?order=${id}`,
      expires: systemClock.now() + LIFETIME,
    };
    orders.set(id, request);
    const signature = signDigest(transactionRequestDigest(request, chain), key);
    return formatTransactionRequest(`${wallet}/transaction`, request, [signature], chain);
  };
  const login = () => {
    const id = encodeBase64url(webCrypto.randomBytes(16));
    const session: LoginSession = { key: newPrivateKey(), callback: `${origin}/in?session=${id}` };
    logins.set(id, session);
    return formatLogin(`${wallet}/login`, session, chain);
  };

  app.get('/', (_call, reply) =>
    page(reply, `<p><a href="${order()}">Pay 2.5</a></p><p><a href="${login()}">Log in</a></p>`),
  );
  app.get('/paid', async ({ query, url }, reply) => {
    const request = orders.get((query as { order?: string }).order ?? '');
    if (request === undefined) return page(reply, '<p>No such order.</p>');
    const answer = parseTransactionAnswer(`${origin}${url}`, request, chain);
    if (answer.status !== 'applied') return page(reply, '<p>Not paid.</p>');
    // The answer is nobody's word: the chain tells.
    const { transactions } = await client.agreed('database', 'get_block', [answer.block], Block);
    const found = parseSignedTransaction(transactions[answer.trx], chain);
    if (!isAsked(found, request.asked, chain)) return page(reply, '<p>Not paid.</p>');
    orders.delete(request.id);
    return page(reply, `<p>Paid, in block ${answer.block}.</p>`);
  });
  app.get('/in', async ({ query, url }, reply) => {
    const id = (query as { session?: string }).session ?? '';
    const session = logins.get(id);
    // Its key is thrown away first, whatever comes of it.
    logins.delete(id);
    if (session === undefined) return page(reply, '<p>Begin anew.</p>');
    const answer = parseLoginAnswer(`${origin}${url}`);
    const { id: accountId } = await client.account(answer.account);
    const accounts = await accountsBelow(client, [accountId]);
    const verdict = verifyLogin(answer, session, accountId, accounts, chain);
    return page(reply, verdict.valid ? `<p>You are ${verdict.account}.</p>` : '<p>Not logged in.</p>');
  });
  app.setErrorHandler((error, _call, reply) =>
    page(reply.code(400), `<p>Not good: ${error instanceof CountersignError ? error.code : 'internal'}.</p>`),
  );
  origin = await app.listen({ host: '127.0.0.1', port });
  return {
    origin,
    async close() {
      await app.close();
      client.close();
    },
  };
}

function page(reply: FastifyReply, body: string) {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'")
    .send(`<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>${body}</html>`);
}
