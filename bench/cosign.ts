/**
 * What a co-signing provider does for one transaction, beside `bitsharesjs` on the same: decode it from JSON, pack
 * it, recover who has signed it so far, check by authority that a signature of ours makes it valid, and sign.
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { hash, ops, PrivateKey, Signature } from 'bitsharesjs';
import ws from 'bitsharesjs-ws';
import type { Snapshot } from '../packages/graphene/src/authority.ts';
import { BITSHARES } from '../packages/graphene/src/chain.ts';
import { formatPublicKey, privateKeyFromBytes } from '../packages/graphene/src/keys.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { recoverKey, signDigest } from '../packages/graphene/src/signature.ts';
import {
  operationToJson,
  parseSignedTransaction,
  transactionDigest,
} from '../packages/graphene/src/transaction.ts';
import { verifyAuthority } from '../packages/graphene/src/transaction-authority.ts';
import { Progress } from './progress.ts';
import { median, rounded } from './statistics.ts';

const [alice, provider, bob] = [21, 22, 23].map((byte) => privateKeyFromBytes(new Uint8Array(32).fill(byte)));
const text = (key: typeof alice) => formatPublicKey(key!.publicKey, BITSHARES.prefix);
const by = (key: typeof alice) =>
  ({ weight_threshold: 1, account_auths: [], key_auths: [[text(key), 1]] }) as const;

/** alice needs her own key and sfactor.alice, whose active key the provider holds. */
const SNAPSHOT: Snapshot = new Map([
  [
    '1.2.17',
    {
      id: '1.2.17',
      owner: by(bob),
      active: { weight_threshold: 2, account_auths: [['1.2.18', 1]], key_auths: [[text(alice), 1]] },
    },
  ],
  ['1.2.18', { id: '1.2.18', owner: by(bob), active: by(provider) }],
]);

const STEPS = ['decode', 'authority', 'sign'] as const;
type Step = (typeof STEPS)[number];
/** Milliseconds of each step, over all transactions of a round. */
type Times = Record<Step, number>;
type Contestant = (texts: readonly string[]) => Times;

export interface CosignRound {
  readonly perSecond: number;
  /** Milliseconds for one transaction, by step. */
  readonly decode: number;
  readonly authority: number;
  readonly sign: number;
}

export async function benchCosign(_folder: string, quick: boolean) {
  ws.ChainConfig.setPrefix(BITSHARES.prefix);
  const [rounds, size] = quick ? [3, 8] : [9, 24];
  const progress = new Progress(rounds + 1);
  const contestants: Record<'ours' | 'peer', Contestant> = { ours, peer };
  const found: Record<'ours' | 'peer', CosignRound[]> = { ours: [], peer: [] };
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const texts = transactions(size, round);
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const name of order) {
      const times = contestants[name](texts);
      const all = STEPS.reduce((sum, step) => sum + times[step], 0);
      const [decode, authority, sign] = STEPS.map((step) => times[step] / size);
      const one = { perSecond: (size / all) * 1000, decode: decode!, authority: authority!, sign: sign! };
      if (round > 0) found[name].push(one);
    }
    progress.step(round === 0 ? 'warm' : `round ${round} of ${rounds}`);
  }
  const ratios = found.ours.map((one, round) => one.perSecond / found.peer[round]!.perSecond);
  return {
    transactions: size,
    rounds,
    contestants: { ours: middle(found.ours), peer: middle(found.peer) },
    ratioToPeer: rounded(median(ratios), 1),
    ratios: ratios.map((ratio) => rounded(ratio, 1)),
  };
}

function middle(all: readonly CosignRound[]): CosignRound {
  const of = (pick: (round: CosignRound) => number, digits: number) => rounded(median(all.map(pick)), digits);
  return {
    perSecond: of((round) => round.perSecond, 1),
    decode: of((round) => round.decode, 3),
    authority: of((round) => round.authority, 3),
    sign: of((round) => round.sign, 3),
  };
}

/** What wallets send: transfers with a memo, orders, and now and then a change of the account, signed by alice. */
function transactions(count: number, round: number): string[] {
  return Array.from({ length: count }, (_, place) => {
    const unsigned = {
      ref_block_num: place,
      ref_block_prefix: round,
      expiration: '2027-01-15T08:00:00',
      operations: [operationOf(place)],
      extensions: [],
    };
    const digest = transactionDigest(parseSignedTransaction(unsigned, BITSHARES), BITSHARES);
    return JSON.stringify({ ...unsigned, signatures: [signDigest(digest, alice!)] });
  });
}

function operationOf(place: number): unknown {
  const fee = { amount: 86869, asset_id: '1.3.0' };
  const amount = { amount: `${9_007_199_254_740_993n + BigInt(place)}`, asset_id: '1.3.0' };
  if (place % 8 === 7) {
    const active = {
      weight_threshold: 2,
      account_auths: [['1.2.18', 1]],
      key_auths: [
        [text(alice), 1],
        [text(bob), 1],
      ],
      address_auths: [],
    };
    return [6, { fee, account: '1.2.17', active, extensions: {} }];
  }
  if (place % 4 === 3) {
    return [
      1,
      {
        fee,
        seller: '1.2.17',
        amount_to_sell: amount,
        min_to_receive: { amount: 5, asset_id: '1.3.121' },
        expiration: '2027-02-15T08:00:00',
        fill_or_kill: false,
        extensions: {},
      },
    ];
  }
  const memo = { from: text(alice), to: text(bob), nonce: String(place), message: 'ab'.repeat(48) };
  return [0, { fee, from: '1.2.17', to: `1.2.${place + 100}`, amount, memo, extensions: [] }];
}

function ours(texts: readonly string[]): Times {
  return timed(texts, (json) => {
    const decoded = performance.now();
    const transaction = parseSignedTransaction(JSON.parse(json), BITSHARES);
    const digest = transactionDigest(transaction, BITSHARES);
    const known = performance.now();
    const signers = transaction.signatures.map((one) =>
      formatPublicKey(recoverKey(digest, one), BITSHARES.prefix),
    );
    allow(transaction.operations.map(operationToJson) as OperationJson[], signers);
    const allowed = performance.now();
    const signature = signDigest(digest, provider!);
    return { times: [known - decoded, allowed - known, performance.now() - allowed], digest, signature };
  });
}

const peerKey = PrivateKey.fromBuffer(Buffer.from(provider!.bytes));

/** It warns on stdout, where our result goes, of a signature that took ten nonces. */
function withoutWarnings<T>(act: () => T): T {
  const { log } = console;
  console.log = () => {};
  try {
    return act();
  } finally {
    console.log = log;
  }
}

/** The peer has no check of authority: it is given ours, with the keys that it recovered itself. */
function peer(texts: readonly string[]): Times {
  const chainId = Buffer.from(BITSHARES.id, 'hex');
  return timed(texts, (json) => {
    const decoded = performance.now();
    const parsed = JSON.parse(json) as { signatures: string[]; operations: OperationJson[] };
    const packed = ops.transaction.toBuffer(ops.transaction.fromObject(parsed));
    const digest = hash.sha256(Buffer.concat([chainId, packed]));
    const known = performance.now();
    const signers = parsed.signatures.map((one) =>
      Signature.fromBuffer(Buffer.from(one, 'hex'))
        .recoverPublicKey(digest)
        .toPublicKeyString(BITSHARES.prefix),
    );
    allow(parsed.operations, signers);
    const allowed = performance.now();
    const signature = withoutWarnings(() => Signature.signBufferSha256(digest, peerKey))
      .toBuffer()
      .toString('hex');
    return { times: [known - decoded, allowed - known, performance.now() - allowed], digest, signature };
  });
}

/** As the provider does: valid with its own signature beside those that are there. */
function allow(operations: readonly OperationJson[], signers: readonly string[]): void {
  const verdict = verifyAuthority(operations, [...signers, text(provider)], SNAPSHOT);
  if (!verdict.valid) throw new Error(`a transaction that should be signed is not: ${verdict.error}`);
}

interface Done {
  readonly times: readonly number[];
  readonly digest: Uint8Array;
  readonly signature: string;
}

/** Every result is checked, outside of the time that counts. */
function timed(texts: readonly string[], act: (json: string) => Done): Times {
  const total: Times = { decode: 0, authority: 0, sign: 0 };
  const done = texts.map(act);
  for (const [place, { times, digest, signature }] of done.entries()) {
    STEPS.forEach((step, at) => {
      total[step] += times[at]!;
    });
    const expected = transactionDigest(
      parseSignedTransaction(JSON.parse(texts[place]!), BITSHARES),
      BITSHARES,
    );
    const signer = recoverKey(hexToBytes(bytesToHex(digest)), signature);
    if (
      bytesToHex(expected) !== bytesToHex(digest) ||
      bytesToHex(signer) !== bytesToHex(provider!.publicKey)
    ) {
      throw new Error('a contestant signed something else');
    }
  }
  return total;
}
