/**
 * The small chain: takes transactions as a witness node does, by the same published rules, and makes blocks of them.
 * Who may do what it judges by the tests' own reading of the rules, and not by the package's.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  type Chain,
  formatPublicKey,
  parseSignedTransaction,
  recoverKey,
  transactionDigest,
  transactionId,
  transactionToJson,
} from '../../src/index.ts';
import { type OperationJson, requiredAuthorities } from '../../src/required-authorities.ts';
import { naiveVerdict } from '../naive-authority.ts';
import { ChainError, check } from './chain-error.ts';
import { applyOperation } from './operations.ts';
import { expireProposals } from './proposals.ts';
import {
  copyOf,
  emptyState,
  FOREVER,
  NOTHING_SPECIAL,
  putAccount,
  type State,
  secondsOf,
  timeText,
} from './state.ts';

export interface Genesis {
  readonly prefix: string;
  /** Seconds between blocks where nothing happens. */
  readonly interval?: number;
  readonly assets: readonly { readonly symbol: string; readonly precision: number }[];
  readonly accounts: readonly GenesisAccount[];
}

export interface GenesisAccount {
  readonly name: string;
  /** Public keys. */
  readonly owner: string;
  readonly active: string;
  readonly lifetime?: boolean;
  /** By symbol, in the smallest unit. */
  readonly balances?: Readonly<Record<string, number | string>>;
}

export interface Block {
  readonly id: string;
  readonly timestamp: string;
  readonly transactions: readonly Record<string, unknown>[];
}

export interface Pushed {
  readonly id: string;
  readonly block_num: number;
  readonly trx_num: number;
  readonly trx: Record<string, unknown>;
}

const RESERVED = [
  'committee-account',
  'witness-account',
  'relaxed-committee-account',
  'null-account',
  'temp-account',
  'proxy-to-self',
];
const MAX_EXPIRATION = 86_400;
const NOBODY = { weight_threshold: 1, account_auths: [], key_auths: [], address_auths: [] };

export class Ledger {
  readonly chain: Chain;
  readonly blocks: Block[] = [];
  state: State = emptyState();
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly block: number; readonly expires: number }>();

  /** @param now seconds since 1970 */
  constructor(genesis: Genesis, now: () => number) {
    this.#now = now;
    const id = createHash('sha256').update(JSON.stringify(genesis)).digest('hex');
    this.chain = { id, prefix: genesis.prefix };
    for (const [n, { symbol, precision }] of genesis.assets.entries()) {
      this.state.assets.set(`1.3.${n}`, { id: `1.3.${n}`, symbol, precision, issuer: '1.2.3' });
    }
    for (const name of RESERVED) {
      putAccount(this.state, {
        id: `1.2.${this.state.accounts.size}`,
        name,
        registrar: '1.2.0',
        owner: NOBODY,
        active: NOBODY,
        ...NOTHING_SPECIAL,
        options: {},
        membership_expiration_date: FOREVER,
      });
    }
    for (const { name, owner, active, lifetime, balances = {} } of genesis.accounts) {
      const id = `1.2.${this.state.accounts.size}`;
      putAccount(this.state, {
        id,
        name,
        registrar: '1.2.0',
        owner: { ...NOBODY, key_auths: [[owner, 1]] },
        active: { ...NOBODY, key_auths: [[active, 1]] },
        ...NOTHING_SPECIAL,
        options: {
          memo_key: active,
          voting_account: '1.2.5',
          num_witness: 0,
          num_committee: 0,
          votes: [],
          extensions: [],
        },
        membership_expiration_date: lifetime === true ? FOREVER : '1970-01-01T00:00:00',
      });
      for (const [symbol, amount] of Object.entries(balances)) {
        const asset = [...this.state.assets.values()].find((one) => one.symbol === symbol);
        check(asset, `no such asset: ${symbol}`);
        this.state.balances.set(`${id} ${asset.id}`, BigInt(amount));
      }
    }
    this.produce();
  }

  get head(): { readonly number: number; readonly id: string; readonly time: number } {
    const { id, timestamp } = this.blocks.at(-1)!;
    return { number: this.blocks.length, id, time: secondsOf(timestamp) };
  }

  /** Makes a block, with a transaction or without; proposals whose time is over go with it. */
  produce(transactions: readonly Record<string, unknown>[] = []): void {
    const now = this.#now();
    expireProposals(this.state, { now });
    for (const [id, { expires }] of this.#seen) if (expires < now) this.#seen.delete(id);
    const number = Buffer.alloc(4);
    number.writeUInt32BE(this.blocks.length + 1);
    const hash = createHash('sha256')
      .update(JSON.stringify([this.blocks.at(-1)?.id, transactions, now]))
      .digest();
    this.blocks.push({
      id: Buffer.concat([number, hash]).subarray(0, 20).toString('hex'),
      timestamp: timeText(now),
      transactions,
    });
  }

  /** Keys that signed. @throws ChainError `tx_duplicate_sig` and the codec's refusals */
  signers(json: unknown): string[] {
    const signed = parseSignedTransaction(json, this.chain);
    const digest = transactionDigest(signed, this.chain);
    return signed.signatures.map((one) => formatPublicKey(recoverKey(digest, one), this.chain.prefix));
  }

  /** @throws ChainError named as the chain names it */
  verify(json: unknown): void {
    const { operations } = transactionToJson(parseSignedTransaction(json, this.chain)) as Json;
    const verdict = naiveVerdict(requiredAuthorities(operations), this.signers(json), this.state.accounts);
    const required = requiredAuthorities(operations);
    check(
      !required.active.includes('1.2.0'),
      'Committee account may only propose transactions',
      'invalid_committee_approval',
    );
    check(verdict === 'valid', SENTENCES[verdict] ?? verdict, verdict);
  }

  /** Takes a transaction, does what it says, and puts it into a block. @throws ChainError */
  push(json: unknown): Pushed {
    const signed = parseSignedTransaction(json, this.chain);
    const trx = transactionToJson(signed) as Json;
    const id = transactionId(signed, this.chain);
    const now = this.#now();
    check(!this.#seen.has(id), 'duplicate transaction', 'duplicate_transaction');
    check(
      signed.expiration > this.head.time && signed.expiration > now,
      'transaction expired',
      'transaction_expiration_exception',
    );
    check(
      signed.expiration <= now + MAX_EXPIRATION,
      'expiration is too far in the future',
      'transaction_expiration_exception',
    );
    const reference = this.blocks.find((_block, at) => ((at + 1) & 0xffff) === signed.ref_block_num);
    check(
      reference && Buffer.from(reference.id, 'hex').readUInt32LE(4) === signed.ref_block_prefix,
      'the referenced block is not in this chain',
      'invalid_tapos',
    );
    this.verify(json);
    const after = copyOf(this.state);
    const results = trx.operations.map((operation) => applyOperation(after, operation, { now }));
    this.state = after;
    const block_num = this.blocks.length + 1;
    this.#seen.set(id, { block: block_num, expires: signed.expiration });
    this.#remember(trx.operations, results, block_num);
    this.produce([trx]);
    return { id, block_num, trx_num: 0, trx };
  }

  knows(id: string): boolean {
    return this.#seen.has(id);
  }

  #remember(
    operations: readonly OperationJson[],
    results: readonly (string | undefined)[],
    block_num: number,
  ): void {
    for (const [place, op] of operations.entries()) {
      const entry = {
        id: `1.11.${this.state.nextHistory++}`,
        op,
        block_num,
        trx_in_block: 0,
        result: results[place],
      };
      for (const account of new Set(JSON.stringify(op).match(/\b1\.2\.\d+\b/g))) {
        this.state.history.set(account, [entry, ...(this.state.history.get(account) ?? [])]);
      }
    }
  }
}

interface Json extends Record<string, unknown> {
  readonly operations: readonly OperationJson[];
}

const SENTENCES: Readonly<Record<string, string>> = {
  tx_missing_active_auth: 'Missing Active Authority',
  tx_missing_owner_auth: 'Missing Owner Authority',
  tx_missing_other_auth: 'Missing Authority',
  tx_irrelevant_sig: 'Unnecessary signature(s) detected',
  tx_duplicate_sig: 'Duplicate Signature detected',
};

/** A refusal in the words of the chain's RPC. */
export function errorOf(error: unknown): { code: number; message: string; data: object } {
  const name = error instanceof ChainError ? error.name : 'parse_error';
  const { message } = error as Error;
  return { code: 1, message: `${name}: ${message}`, data: { code: 0, name, message, stack: [] } };
}
