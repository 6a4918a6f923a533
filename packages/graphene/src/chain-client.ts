/**
 * A chain, through the nodes that are named: the next one where one fails, and two of them where a lie would cost
 * money.
 * @module
 */
import { CountersignError, describeIssue } from '@countersign/core';
import pRetry from 'p-retry';
import * as v from 'valibot';
import type { Chain } from './chain.ts';
import { type ApiName, ChainRefusal, ChainSocket } from './chain-socket.ts';
import type { OperationJson } from './required-authorities.ts';
import { sameJson } from './same-json.ts';

export interface ChainOptions {
  /** Addresses of nodes, `wss://node.example/ws`; the first that answers is used. */
  readonly nodes: readonly string[];
  /** Which chain is meant; a node of another is passed over. Where absent, the first node's word is taken. */
  readonly chainId?: string;
}

const Id = v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/));
const Weight = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const Weighed = v.array(v.tuple([v.string(), Weight]));
export const AuthorityJson = v.object({
  weight_threshold: v.pipe(v.number(), v.integer(), v.minValue(0)),
  account_auths: Weighed,
  key_auths: Weighed,
  address_auths: v.optional(Weighed, []),
});
/** Its kind, 0 for none, and what it is. */
const SpecialAuthority = v.optional(v.tuple([v.number(), v.unknown()]), [0, {}]);
const Account = v.object({
  id: Id,
  name: v.string(),
  registrar: Id,
  owner: AuthorityJson,
  active: AuthorityJson,
  owner_special_authority: SpecialAuthority,
  active_special_authority: SpecialAuthority,
  options: v.object({ memo_key: v.optional(v.string()) }),
  membership_expiration_date: v.optional(v.string()),
});
/** An account as the chain has it, as far as it matters here. */
export type ChainAccount = v.InferOutput<typeof Account>;

const Asset = v.object({
  id: Id,
  symbol: v.string(),
  precision: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type ChainAsset = v.InferOutput<typeof Asset>;

const Head = v.object({
  head_block_number: v.number(),
  head_block_id: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  time: v.string(),
});
const Fee = v.object({
  // A number, or a string where it is large: two nodes that write it differently still agree.
  amount: v.pipe(v.union([v.number(), v.string()]), v.transform(String)),
  asset_id: Id,
});
const VotedFor = v.object({
  witness_account: v.optional(Id),
  committee_member_account: v.optional(Id),
  name: v.optional(v.string()),
});
/** Of a proposal its own, and those of the operations in it. */
const RequiredFee = v.union([
  Fee,
  v.tuple([Fee, v.array(v.lazy((): v.GenericSchema<unknown, RequiredFee> => RequiredFee))]),
]);
type RequiredFee = v.InferOutput<typeof Fee> | [v.InferOutput<typeof Fee>, RequiredFee[]];
const Included = v.pipe(
  v.array(v.object({ id: v.string(), block_num: v.number(), trx_num: v.number() })),
  v.minLength(1),
);
export const Proposal = v.object({
  id: Id,
  proposer: v.optional(v.string()),
  expiration_time: v.string(),
  proposed_transaction: v.looseObject({ operations: v.array(v.tuple([v.number(), v.looseObject({})])) }),
  required_active_approvals: v.array(Id),
  required_owner_approvals: v.array(Id),
  available_active_approvals: v.array(Id),
  available_owner_approvals: v.array(Id),
  available_key_approvals: v.array(v.string()),
});
export type ChainProposal = v.InferOutput<typeof Proposal>;
const Past = v.object({
  id: Id,
  op: v.tuple([v.number(), v.looseObject({})]),
  block_num: v.number(),
});
export type PastOperation = v.InferOutput<typeof Past>;

/** Two nodes may be a block apart; they are asked again so often, in ms. */
const ASK_AGAIN_MS = 1500;
const ASK_AGAIN = 2;
/** Entries of history that a node gives at once. */
const PAGE = 100;
/** How long a transaction may take into a block, in ms. */
const INCLUDED_MS = 30_000;

export interface Inclusion {
  readonly id: string;
  readonly block: number;
  /** Its place in the block. */
  readonly trx: number;
}

export class ChainClient {
  readonly #nodes: readonly string[];
  readonly #sockets = new Map<string, Promise<ChainSocket>>();
  #chain: Chain | undefined;
  #chainId: string | undefined;

  constructor({ nodes, chainId }: ChainOptions) {
    if (nodes.length === 0) throw new TypeError('a chain needs a node');
    this.#nodes = nodes;
    this.#chainId = chainId;
  }

  /** The chain’s id and the prefix of its keys. @throws `chain-unreachable`, `chain-other` */
  async chain(): Promise<Chain> {
    if (this.#chain === undefined) {
      const config = await this.ask(
        'database',
        'get_config',
        [],
        v.looseObject({ GRAPHENE_ADDRESS_PREFIX: v.string() }),
      );
      this.#chain = { id: this.#chainId!, prefix: config.GRAPHENE_ADDRESS_PREFIX };
    }
    return this.#chain;
  }

  /**
   * Asks the first node that answers.
   * @throws `chain-unreachable`, `chain-other`, `chain-refused`, `chain-answer-invalid`
   */
  async ask<S extends v.GenericSchema>(
    api: ApiName,
    method: string,
    params: readonly unknown[],
    schema: S,
  ): Promise<v.InferOutput<S>> {
    const answer = await this.#first((socket) => socket.call(api, method, params));
    return read(method, answer, schema);
  }

  /**
   * Asks two nodes, and takes an answer only if they agree. Where one node is all that there is, its word is taken.
   * @throws `chain-disagrees` and what `ask` throws
   */
  async agreed<S extends v.GenericSchema>(
    api: ApiName,
    method: string,
    params: readonly unknown[],
    schema: S,
  ): Promise<v.InferOutput<S>> {
    if (this.#nodes.length === 1) return this.ask(api, method, params, schema);
    return pRetry(
      async () => {
        const answers = await this.#two(async (socket) =>
          read(method, await socket.call(api, method, params), schema),
        );
        const [one, other] = answers;
        if (answers.length < 2 || sameJson(one, other)) return one as v.InferOutput<S>;
        throw new CountersignError('chain-disagrees', `two nodes of the chain answer ${method} differently`, {
          hint: 'one of them lies or is behind: nothing is signed; name other nodes',
        });
      },
      {
        retries: ASK_AGAIN,
        minTimeout: ASK_AGAIN_MS,
        factor: 1,
        shouldRetry: ({ error }) => error instanceof CountersignError && error.code === 'chain-disagrees',
      },
    );
  }

  /** Accounts by names or ids, in that order. @throws `chain-account-unknown`, `chain-disagrees` */
  async accounts(namesOrIds: readonly string[]): Promise<ChainAccount[]> {
    const found = await this.accountsThatAre(namesOrIds);
    return found.map((account, place) => {
      if (account !== null) return account;
      throw new CountersignError('chain-account-unknown', `the chain has no account ${namesOrIds[place]}`);
    });
  }

  /** The same, with null for each that there is not. */
  async accountsThatAre(namesOrIds: readonly string[]): Promise<(ChainAccount | null)[]> {
    if (namesOrIds.length === 0) return [];
    return this.agreed('database', 'get_accounts', [namesOrIds], v.array(v.nullable(Account)));
  }

  async account(nameOrId: string): Promise<ChainAccount> {
    return (await this.accounts([nameOrId]))[0]!;
  }

  /** Assets by symbols or ids, in that order. @throws `chain-asset-unknown`, `chain-disagrees` */
  async assets(symbolsOrIds: readonly string[]): Promise<ChainAsset[]> {
    if (symbolsOrIds.length === 0) return [];
    const found = await this.agreed(
      'database',
      'lookup_asset_symbols',
      [symbolsOrIds],
      v.array(v.nullable(Asset)),
    );
    return found.map((asset, place) => {
      if (asset !== null) return asset;
      throw new CountersignError('chain-asset-unknown', `the chain has no asset ${symbolsOrIds[place]}`);
    });
  }

  /** Whom votes, like `1:22`, are for: an account's id, or the words of a worker; null where nobody is. */
  async votedFor(votes: readonly string[]): Promise<(string | null)[]> {
    if (votes.length === 0) return [];
    const found = await this.agreed('database', 'lookup_vote_ids', [votes], v.array(v.nullable(VotedFor)));
    return found.map((one) => one?.witness_account ?? one?.committee_member_account ?? one?.name ?? null);
  }

  /** What an account has of an asset, in its smallest unit. */
  async balance(account: string, asset: string): Promise<bigint> {
    const [held] = await this.agreed('database', 'get_account_balances', [account, [asset]], v.array(Fee));
    return BigInt(held?.amount ?? 0);
  }

  /**
   * Operations with their fees, in the core asset; also those inside of proposals.
   * @throws `chain-disagrees`
   */
  async withFees(operations: readonly OperationJson[]): Promise<OperationJson[]> {
    const fees = await this.agreed(
      'database',
      'get_required_fees',
      [operations, '1.3.0'],
      v.pipe(v.array(RequiredFee), v.length(operations.length)),
    );
    return operations.map((operation, place) => withFee(operation, fees[place]!));
  }

  /** The newest block: its number, its id, and its time in seconds since 1970. */
  async head(): Promise<{ readonly number: number; readonly id: string; readonly time: number }> {
    const {
      head_block_number: number,
      head_block_id: id,
      time,
    } = await this.ask('database', 'get_dynamic_global_properties', [], Head);
    return { number, id, time: Math.floor(Date.parse(`${time}Z`) / 1000) };
  }

  async proposals(account: string): Promise<ChainProposal[]> {
    return this.agreed('database', 'get_proposed_transactions', [account], v.array(Proposal));
  }

  /** Proposals by their ids, with null for each that there is not, or no more. */
  async proposalsById(ids: readonly string[]): Promise<(ChainProposal | null)[]> {
    if (ids.length === 0) return [];
    return this.agreed('database', 'get_objects', [ids], v.array(v.nullable(Proposal)));
  }

  /** Operations of one kind in an account's history, the newest first, as far as they are read. */
  async *pastOperations(account: string, kind: number): AsyncGenerator<PastOperation> {
    for (let newest = Number.POSITIVE_INFINITY; ; ) {
      // Where a page starts, the first entry stands for the newest one.
      const start = newest === Number.POSITIVE_INFINITY ? 0 : newest;
      const page = await this.agreed(
        'history',
        'get_account_history_operations',
        [account, kind, `1.11.${start}`, '1.11.0', PAGE],
        v.array(Past),
      );
      // A page starts with what the one before it ended with; a node that goes round in a circle is left.
      const older = page.filter(({ id }) => serialOf(id) < newest);
      yield* older.filter(({ op }) => op[0] === kind);
      if (page.length < PAGE || older.length === 0) return;
      newest = serialOf(older.at(-1)!.id);
      if (newest === 0) return;
    }
  }

  /**
   * Sends a signed transaction, and waits until it is in a block. Sent twice it counts once; which block it came into
   * before is not told, and 0 stands for it.
   * @throws `chain-refused` with the chain's own name for it, `chain-unreachable`
   */
  async broadcast(transaction: unknown, id: string): Promise<Inclusion> {
    return this.#first(async (socket) => {
      const { subscription, first } = socket.notice();
      try {
        await socket.call('network_broadcast', 'broadcast_transaction_with_callback', [
          subscription,
          transaction,
        ]);
      } catch (error) {
        // A try before this one may have reached the chain, and only its answer have been lost.
        if (!(error instanceof ChainRefusal) || !(await knows(socket, id))) throw error;
        return { id, block: 0, trx: 0 };
      }
      const late = AbortSignal.timeout(INCLUDED_MS);
      const told = await Promise.race([
        first,
        new Promise<never>((_resolve, reject) => {
          late.addEventListener('abort', () =>
            reject(
              new CountersignError(
                'chain-unreachable',
                'the transaction was sent, and no block with it came',
              ),
            ),
          );
        }),
      ]);
      const [included] = read('broadcast_transaction_with_callback', told, Included);
      return { id: included!.id, block: included!.block_num, trx: included!.trx_num };
    });
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.then((one) => one.close()).catch(() => {});
    this.#sockets.clear();
  }

  async #first<T>(work: (socket: ChainSocket) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const url of this.#nodes) {
      try {
        return await work(await this.#socket(url));
      } catch (error) {
        if (!passesOn(error)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Answers of the first two nodes that have one. */
  async #two<T>(work: (socket: ChainSocket) => Promise<T>): Promise<T[]> {
    const answers: T[] = [];
    let last: unknown;
    for (const url of this.#nodes) {
      try {
        answers.push(await work(await this.#socket(url)));
        if (answers.length === 2) return answers;
      } catch (error) {
        if (!passesOn(error)) throw error;
        last = error;
      }
    }
    if (answers.length === 1) {
      throw new CountersignError(
        'chain-unreachable',
        'only one node of the chain answers, and two must agree',
        {
          cause: last,
        },
      );
    }
    throw last;
  }

  async #socket(url: string): Promise<ChainSocket> {
    const there = await this.#sockets.get(url)?.catch(() => undefined);
    if (there?.isOpen) return there;
    const opening = this.#open(url);
    this.#sockets.set(url, opening);
    return opening;
  }

  async #open(url: string): Promise<ChainSocket> {
    const socket = await ChainSocket.open(url);
    const id = await socket.call('database', 'get_chain_id', []);
    this.#chainId ??= String(id);
    if (id === this.#chainId) return socket;
    socket.close();
    throw new CountersignError('chain-other', `the node at ${url} is of another chain`);
  }
}

/** Whether the next node may do better. */
function passesOn(error: unknown): boolean {
  return (
    error instanceof CountersignError &&
    (error.code === 'chain-unreachable' ||
      error.code === 'chain-other' ||
      error.code === 'chain-answer-invalid')
  );
}

function withFee([kind, fields]: OperationJson, required: RequiredFee): OperationJson {
  if (!Array.isArray(required)) return [kind, { ...fields, fee: required }];
  const [fee, inner] = required;
  const proposed_ops = (fields.proposed_ops as { op: OperationJson }[]).map((one, place) => ({
    ...one,
    op: withFee(one.op, inner[place]!),
  }));
  return [kind, { ...fields, fee, proposed_ops }];
}

function serialOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('.') + 1));
}

async function knows(socket: ChainSocket, id: string): Promise<boolean> {
  const found = await socket.call('database', 'get_recent_transaction_by_id', [id]).catch(() => null);
  return found !== null;
}

function read<S extends v.GenericSchema>(method: string, answer: unknown, schema: S): v.InferOutput<S> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  throw new CountersignError(
    'chain-answer-invalid',
    `the node’s answer to ${method}: ${describeIssue(parsed.issues)}`,
  );
}
