/**
 * `bitsharesjs`, as the oracle of our codec. Where it is known to depart from the chain, the random input is
 * kept to what both do alike, with the reason.
 * @module
 */
import { ops, PrivateKey, PublicKey, Signature } from 'bitsharesjs';
import ws from 'bitsharesjs-ws';
import { BITSHARES } from '../src/chain.ts';
import type { OperationName } from '../src/operations.ts';
import type { Taste } from './random-json.ts';

ws.ChainConfig.setPrefix(BITSHARES.prefix);

/** Operations that its table has not, or has with other fields than the chain. */
export const BEYOND_ORACLE: ReadonlySet<OperationName> = new Set<OperationName>([
  'liquidity_pool_update',
  'credit_deal_update',
  'limit_order_update',
  'fill_order', // lacks fill_price and is_maker
  'asset_settle_cancel', // has extensions
  'htlc_redeemed', // lacks the redeemer, the hash and the preimage
  'htlc_refund', // lacks the recipient, the amount and the hash
]);

/** Names of ids that the oracle's table has under no number: it takes their last part alone. */
const UNNUMBERED = /^(?:1\.17|1\.9|2\.16)\.(\d+)$/;

function forOracle(json: unknown): unknown {
  if (typeof json === 'string') return json.replace(UNNUMBERED, '$1');
  if (Array.isArray(json)) return json.map(forOracle);
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, forOracle(value)]));
}

/** The bytes that the oracle packs a transaction's JSON to. */
export function oracleBytes(json: unknown): Uint8Array {
  return Uint8Array.from(ops.transaction.toBuffer(ops.transaction.fromObject(forOracle(json))));
}

/** The oracle reads votes to other ones than it writes: what has some it cannot read back. */
export function oracleReads(json: unknown): boolean {
  return !/"votes":\["/.test(JSON.stringify(json));
}

/** The bytes again, through the oracle's reading of them. */
export function oracleRoundTrip(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(ops.transaction.toBuffer(ops.transaction.fromBuffer(Buffer.from(bytes))));
}

export function oracleSign(digest: Uint8Array, key: Uint8Array): string {
  return Signature.signBufferSha256(Buffer.from(digest), PrivateKey.fromBuffer(Buffer.from(key)))
    .toBuffer()
    .toString('hex');
}

/** Whether the oracle takes a signature as one by this key, and recovers the key from it. */
export function oracleVerifies(digest: Uint8Array, signature: string, publicKey: Uint8Array): boolean {
  const parsed = Signature.fromBuffer(Buffer.from(signature, 'hex'));
  const key = PublicKey.fromBuffer(Buffer.from(publicKey));
  const recovered = parsed.recoverPublicKey(Buffer.from(digest)).toBuffer();
  return parsed.verifyHash(Buffer.from(digest), key) && recovered.equals(Buffer.from(publicKey));
}

/**
 * The oracle sorts every list of structures by its first field, where the chain keeps the sender's order; and
 * it cannot write an empty list inside of a list.
 */
function sortedByFirstField(items: unknown[]): unknown[] {
  const first = (item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? String(Object.values(item)[0]) : '';
  const readable = items.filter((item) => !Array.isArray(item) || item.length > 0);
  return readable.toSorted((a, b) => (first(a) < first(b) ? -1 : first(a) > first(b) ? 1 : 0));
}

const ORACLE_TASTE: Taste = {
  most: 3,
  depth: 2,
  // It reads ids as signed numbers of 32 bits.
  idBits: 31,
  arrange: sortedByFirstField,
  // It orders 64-bit numbers and addresses by their text, and not by their size or bytes.
  setOf: (leaf) => (leaf === 'int64' || leaf === 'address' ? 1 : undefined),
  // It orders votes by their number alone, and leaves two of one number as they come.
  sameBy: { 'vote id': (vote) => String(vote).split(':')[1]! },
  unknown: new Set([
    // extensions that its table has not: it drops them without a word
    'null_ext',
    'owner_special_authority',
    'active_special_authority',
    'buyback_options',
    'on_fill',
    'new_precision',
    'skip_core_exchange_rate',
    'auto_repay',
    'updatable_htlc_options',
    'custom_authority_options',
    'market_fee_network_percent',
    'maker_fee_discount_percent',
    // kinds of variants that its table has not
    'hash160',
    'instant',
    'variant_assert',
    'restrictions', // inside of a restriction: its table closes before it knows its own name
    'alternatives',
    'liquidity_pool_update',
    'credit_deal_update',
    'limit_order_update',
    // kinds without fields, which it cannot write
    'refund',
    'burn',
    'void',
    'fill_order',
    'balance_claim',
    'asset_settle_cancel',
    'fba_distribute',
    'execute_bid',
  ]),
};

/** Extensions that one operation has beyond the oracle's table, though others of the same name are in it. */
const UNKNOWN_OF: Partial<Record<OperationName, string>> = {
  asset_publish_feed: 'initial_collateral_ratio',
  htlc_create: 'memo',
};

/** What the oracle and the chain do alike of one operation. */
export function oracleTaste(name: OperationName): Taste {
  const own = UNKNOWN_OF[name];
  if (own === undefined) return ORACLE_TASTE;
  return { ...ORACLE_TASTE, unknown: new Set([...ORACLE_TASTE.unknown!, own]) };
}
