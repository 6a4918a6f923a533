/**
 * Vectors of transaction requests and wallet logins.
 * @module
 */
import { encodeBase64url } from '@countersign/core';
import { base58 } from '@scure/base';
import {
  decodeArguments,
  encodeArguments,
  formatLogin,
  formatLoginAnswer,
  formatTransactionAnswer,
  formatTransactionRequest,
  type LoginRequest,
  type LoginSession,
  loginDigest,
  parseLogin,
  parseOperation,
  parseSignedTransaction,
  signDigest,
  type TransactionRequest,
  transactionRequestDigest,
} from '../../packages/graphene/src/index.ts';
import {
  ACCOUNTS,
  ALICE,
  around,
  BOB,
  CHAIN,
  CHAIN_JSON,
  chainKey,
  keyHex,
  keyText,
  PROVIDER,
  REQUIRE,
  STRANGER,
  TRANSFER,
} from './graphene-world.ts';
import { invalid, type Loose, type Vector, type VectorFile, valid } from './vector.ts';
import { NOW, seeded } from './world.ts';

const PAGE = 'https://wallet.example/transaction';
const LOGIN_PAGE = 'https://wallet.example/login';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const TEST_CHAIN = { id: '39f5e2ede1f8bc1a3a54a7914414e3779e33193f1f5693510e73cb7a87617447', prefix: 'TEST' };

const REQUEST: TransactionRequest = {
  id: encodeBase64url(seeded('transaction request').randomBytes(16)),
  by: 'sfactor',
  account: 'alice',
  asked: { kind: 'operations', operations: [parseOperation(REQUIRE, CHAIN)] },
  apply: true,
  callback: 'https://sfactor.example/required?for=alice',
  expires: NOW + 3600,
};

function linkOf(request: TransactionRequest, key = PROVIDER): string {
  const signature = signDigest(transactionRequestDigest(request, CHAIN), key);
  return formatTransactionRequest(PAGE, request, [signature], CHAIN);
}

/** The link with its arguments changed after they were signed. */
function changed(change: Record<string, unknown>): string {
  const json = decodeArguments(linkOf(REQUEST).slice(PAGE.length + 1)) as Loose;
  return `${PAGE}#${encodeArguments({ ...json, ...change })}`;
}

/** The arguments' LZMA, changed in its bytes. */
function repacked(change: (bytes: Uint8Array) => void): string {
  const bytes = Uint8Array.from(base58.decode(linkOf(REQUEST).slice(PAGE.length + 1)));
  change(bytes);
  return `${PAGE}#${base58.encode(bytes)}`;
}

export function transactionRequest(): VectorFile {
  const by = { id: '1.2.500', accounts: ACCOUNTS };
  const read = (link: string, chain: object = CHAIN_JSON, now = NOW) => ({ link, chain, now, by });
  const good = (name: string, comment: string, request: TransactionRequest) =>
    valid(name, comment, read(linkOf(request)), {
      id: request.id,
      by: request.by,
      account: request.account,
      digest: hex(transactionRequestDigest(request, CHAIN)),
      signers: [keyText(PROVIDER)],
      by_requester: true,
    });
  const altered = (name: string, comment: string, change: Record<string, unknown>): Vector =>
    valid(name, `${comment}: by nobody`, read(changed(change)), { by_requester: false });
  const bad = (name: string, comment: string, link: string) =>
    invalid(name, comment, 'link-invalid', read(link));
  const link = linkOf(REQUEST);
  const whole: TransactionRequest = {
    ...REQUEST,
    asked: {
      kind: 'transaction',
      transaction: parseSignedTransaction(
        { ...around(TRANSFER), signatures: [signDigest(new Uint8Array(32).fill(1), ALICE)] },
        CHAIN,
      ),
    },
    apply: false,
  };
  const answer = (name: string, comment: string, given: Parameters<typeof formatTransactionAnswer>[1]) =>
    valid(
      name,
      comment,
      { answer: formatTransactionAnswer(REQUEST.callback!, given), to: link, chain: CHAIN_JSON, now: NOW },
      { status: given.status },
    );
  const signed = (operation: unknown) => ({
    id: REQUEST.id,
    status: 'signed' as const,
    transaction: parseSignedTransaction({ ...around(operation), signatures: [] }, CHAIN),
  });
  const paid = [6, { ...REQUIRE[1], fee: { amount: 12345, asset_id: '1.3.0' } }];
  const badAnswer = (name: string, comment: string, given: Parameters<typeof formatTransactionAnswer>[1]) =>
    invalid(name, comment, 'request-mismatch', {
      answer: formatTransactionAnswer(REQUEST.callback!, given),
      to: link,
      chain: CHAIN_JSON,
      now: NOW,
    });
  return {
    description:
      '`link` is read on a `chain` at `now`; `by_requester` tells whether its signers speak for `by`, whose account and those it leads to are there. Or an `answer`, the address of a callback, is read as one to the request in `to`.',
    spec: 'transaction-request.md#the-request',
    vectors: [
      good('operations', 'the change by which an account requires a provider', REQUEST),
      good('transaction', 'a whole transaction, to be handed back', whole),
      good('no-callback', 'without an answer', { ...REQUEST, callback: undefined }),
      good('expires-now', 'its last second', { ...REQUEST, expires: NOW }),
      good('expires-late', 'thirty days', { ...REQUEST, expires: NOW + 30 * 86_400 }),
      valid('arguments-alone', 'pasted without the page', read(link.slice(PAGE.length + 1)), {
        by_requester: true,
      }),
      valid(
        'by-another',
        'signed by a key that does not speak for the account',
        read(linkOf(REQUEST, STRANGER)),
        {
          signers: [keyText(STRANGER)],
          by_requester: false,
        },
      ),
      altered('altered-id', 'another id', { id: encodeBase64url(new Uint8Array(16)) }),
      altered('altered-by', 'another requester', { by: 'sfactor2' }),
      altered('altered-account', 'another account', { account: 'bob' }),
      altered('altered-operations', 'another operation', { operations: [TRANSFER] }),
      altered('altered-apply', 'handed back and not applied', { apply: false }),
      altered('altered-callback', 'another callback', { callback: 'https://evil.example/' }),
      altered('altered-expires', 'a second longer', { expires: NOW + 3601 }),
      invalid(
        'expired',
        'a second too late',
        'request-expired',
        read(linkOf({ ...REQUEST, expires: NOW - 1 })),
      ),
      invalid(
        'too-long-lived',
        'thirty days and a second',
        'request-lifetime',
        read(linkOf({ ...REQUEST, expires: NOW + 30 * 86_400 + 1 })),
      ),
      invalid('other-chain', 'a wallet of another chain', 'link-invalid', read(link, TEST_CHAIN)),
      bad('no-signature', 'nobody signed', changed({ signatures: [] })),
      bad('not-a-signature', 'zeros', changed({ signatures: ['00'.repeat(65)] })),
      bad('two-contents', 'operations and a transaction', changed({ transaction: around(TRANSFER) })),
      bad('no-content', 'neither', changed({ operations: undefined })),
      bad('no-operations', 'an empty list', changed({ operations: [] })),
      bad('unknown-member', 'a member that is not known', changed({ note: 'x' })),
      bad('other-version', 'version 2', changed({ v: 2 })),
      bad(
        'callback-clear',
        'a callback in clear to another machine',
        changed({ callback: 'http://sfactor.example/' }),
      ),
      bad('callback-script', 'a callback that is a program', changed({ callback: 'javascript:alert(1)' })),
      bad(
        'callback-password',
        'a callback with a password',
        changed({ callback: 'https://a:b@sfactor.example/' }),
      ),
      bad('account-form', 'a name that no account has', changed({ account: 'Alice' })),
      invalid(
        'operation-unknown',
        'an operation that is not known',
        'transaction-invalid',
        read(changed({ operations: [[200, {}]] })),
      ),
      bad('base58', 'a letter that Base58 has not', `${link.slice(0, -1)}0`),
      bad('cut', 'the last letters are missing', link.slice(0, -12)),
      bad('too-long', 'more than 2048 characters', `${PAGE}#${'2'.repeat(2048)}`),
      bad(
        'lzma-properties',
        'another first byte',
        repacked((bytes) => bytes.fill(0x5e, 0, 1)),
      ),
      bad(
        'lzma-no-size',
        'a content of unknown size',
        repacked((bytes) => bytes.fill(0xff, 5, 13)),
      ),
      bad(
        'lzma-large',
        'a content of 16385 bytes',
        repacked((bytes) => new DataView(bytes.buffer).setBigUint64(5, 16385n, true)),
      ),
      bad(
        'lzma-empty',
        'a content of no bytes',
        repacked((bytes) => bytes.fill(0, 5, 13)),
      ),
      answer('refused', 'the person said no', { id: REQUEST.id, status: 'refused' }),
      answer('applied', 'it is on the chain', {
        id: REQUEST.id,
        status: 'applied',
        transactionId: 'ab'.repeat(20),
        block: 12345,
        trx: 4,
      }),
      answer('signed', 'with the fee that the wallet filled in', signed(paid)),
      badAnswer('answer-other-id', 'to another request', {
        id: encodeBase64url(new Uint8Array(16)),
        status: 'refused',
      }),
      badAnswer('answer-other-operation', 'another operation', signed(TRANSFER)),
    ],
  };
}

export function walletLogin(): VectorFile {
  const [server, wallet, other] = ['login server', 'login wallet', 'another login'].map(chainKey);
  const session: LoginSession = {
    key: server!,
    account: 'alice',
    callback: 'https://shop.example/login?next=%2Fcart',
  };
  const link = formatLogin(LOGIN_PAGE, session, CHAIN);
  const request = parseLogin(link, CHAIN);
  const answerOf = (signers: (typeof ALICE)[], account = 'alice', to: LoginRequest = request) => {
    const digest = loginDigest(to, account, wallet!, CHAIN);
    return formatLoginAnswer(
      to,
      account,
      wallet!,
      signers.map((signer) => signDigest(digest, signer)),
      CHAIN,
    );
  };
  const sessionJson = (changes: object = {}) => ({
    private_key: keyHex(server!),
    account: session.account,
    callback: session.callback,
    ...changes,
  });
  const verify = (answer: string, changes: object = {}, id = '1.2.17') => ({
    answer,
    session: sessionJson(changes),
    chain: CHAIN_JSON,
    id,
    accounts: ACCOUNTS,
  });
  const fails = (name: string, comment: string, input: object, reason: string) =>
    valid(name, comment, input, { valid: false, reason });
  const badLink = (name: string, comment: string, args: object) =>
    invalid(name, comment, 'link-invalid', {
      link: `${LOGIN_PAGE}#${encodeArguments(args)}`,
      chain: CHAIN_JSON,
    });
  const args = { onetimekey: request.onetimekey, callback: session.callback };
  const elsewhere = { ...request, callback: 'https://evil.example/login' };
  const [, given] = answerOf([ALICE, PROVIDER]).split('&a=') as [string, string];
  const changedAnswer = (change: object) =>
    `${session.callback}&a=${encodeArguments({ ...(decodeArguments(given) as object), ...change })}`;
  return {
    description:
      '`link` is read on a `chain`. Or `answer`, the address of the callback, is verified in a `session`: `id` is the account’s, `accounts` what the chain says. `wallet_private_key` gives the digest.',
    spec: 'wallet-login.md',
    test_private_keys: {
      server: keyHex(server!),
      wallet: keyHex(wallet!),
      alice: keyHex(ALICE),
      sfactor: keyHex(PROVIDER),
    },
    vectors: [
      valid(
        'link',
        'a login of alice',
        { link, chain: CHAIN_JSON },
        { onetimekey: keyText(server!), account: 'alice', callback: session.callback },
      ),
      valid(
        'link-anybody',
        'of whoever it is',
        {
          link: formatLogin(LOGIN_PAGE, { key: server!, callback: session.callback }, CHAIN),
          chain: CHAIN_JSON,
        },
        { onetimekey: keyText(server!), callback: session.callback },
      ),
      valid(
        'digest',
        'what is signed',
        { link, chain: CHAIN_JSON, as: 'alice', wallet_private_key: keyHex(wallet!) },
        { digest: hex(loginDigest(request, 'alice', wallet!, CHAIN)) },
      ),
      valid('both-keys', 'alice and her provider', verify(answerOf([ALICE, PROVIDER])), {
        valid: true,
        account: 'alice',
        keys: [keyText(ALICE), keyText(PROVIDER)],
      }),
      fails('alice-alone', 'one of two', verify(answerOf([ALICE])), 'insufficient-authority'),
      fails('provider-alone', 'the other of two', verify(answerOf([PROVIDER])), 'insufficient-authority'),
      fails('stranger', 'a key of nobody’s', verify(answerOf([ALICE, STRANGER])), 'insufficient-authority'),
      fails(
        'too-many',
        'a signature that was not needed',
        verify(answerOf([ALICE, PROVIDER, STRANGER])),
        'irrelevant-signature',
      ),
      fails(
        'other-session',
        'the key of another login',
        verify(answerOf([ALICE, PROVIDER]), { private_key: keyHex(other!) }),
        'another-session',
      ),
      fails(
        'other-session-renamed',
        'and the answer made to fit',
        verify(changedAnswer({ server_key: keyText(other!) }), { private_key: keyHex(other!) }),
        'insufficient-authority',
      ),
      fails(
        'other-server',
        'signed for another callback',
        verify(answerOf([ALICE, PROVIDER], 'alice', elsewhere)),
        'insufficient-authority',
      ),
      fails('other-account', 'the session meant alice', verify(answerOf([BOB], 'bob')), 'another-account'),
      fails(
        'renamed',
        'signed as bob, sent as alice',
        verify(
          changedAnswer({
            ...(decodeArguments(answerOf([ALICE, PROVIDER], 'bob').split('&a=')[1]!) as object),
            account: 'alice',
          }),
        ),
        'insufficient-authority',
      ),
      fails(
        'other-wallet-key',
        'another key of the wallet',
        verify(changedAnswer({ account_key: keyText(other!) })),
        'insufficient-authority',
      ),
      badLink('no-key', 'no key of the server', { callback: args.callback }),
      badLink('null-key', 'nobody’s key', {
        ...args,
        onetimekey: 'BTS1111111111111111111111111111111114T1Anm',
      }),
      badLink('other-prefix', 'a key of another chain', {
        ...args,
        onetimekey: `TEST${args.onetimekey.slice(3)}`,
      }),
      badLink('callback-clear', 'a callback in clear', { ...args, callback: 'http://shop.example/login' }),
      badLink('unknown-member', 'a member that is not known', { ...args, note: 'x' }),
      invalid(
        'answer-not-a-key',
        'no key of the wallet',
        'link-invalid',
        verify(changedAnswer({ account_key: 'BTS' })),
      ),
      invalid(
        'answer-twice',
        'two answers in one address',
        'link-invalid',
        verify(`${answerOf([ALICE, PROVIDER])}&a=2`),
      ),
      invalid('answer-none', 'no answer', 'link-invalid', verify(session.callback)),
    ],
  };
}
