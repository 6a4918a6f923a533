/**
 * The small chain's calls, by the names and in the forms of a witness node's APIs, as far as wallets use them.
 * @module
 */
import { encodeTransaction, parseTransaction } from '../../src/index.ts';
import type { OperationJson } from '../../src/required-authorities.ts';
import { potentialKeys, requiredKeys } from '../../src/transaction-authority.ts';
import { naiveVerdict } from '../naive-authority.ts';
import { check } from './chain-error.ts';
import type { Ledger, Pushed } from './ledger.ts';
import { requiredFee } from './operations.ts';
import { type AccountObject, balanceOf, CORE, timeText } from './state.ts';

export type Notify = (subscription: number, value: unknown) => void;
type Call = (...params: never[]) => unknown;

/** What `database` may be asked. */
export function databaseApi(ledger: Ledger): Record<string, Call> {
  const byName = (name: string) => {
    const id = /^1\.2\.\d+$/.test(name) ? name : ledger.state.names.get(name);
    return id === undefined ? undefined : ledger.state.accounts.get(id);
  };
  const balances = ({ id }: AccountObject) =>
    [...ledger.state.assets.keys()]
      .map((asset_id) => ({
        owner: id,
        asset_type: asset_id,
        balance: String(balanceOf(ledger.state, id, asset_id)),
      }))
      .filter(({ balance }) => balance !== '0');
  const proposals = (id: string) =>
    [...ledger.state.proposals.values()].filter(
      ({ required_active_approvals: active, required_owner_approvals: owner }) =>
        active.includes(id) || owner.includes(id),
    );
  const object = (id: string): unknown => {
    if (id === '2.1.0') return dynamic();
    if (id === '2.0.0')
      return { id, parameters: { maximum_time_until_expiration: 86_400, block_interval: 5 } };
    const { accounts, assets, proposals: open } = ledger.state;
    return accounts.get(id) ?? assets.get(id) ?? open.get(id) ?? null;
  };
  const dynamic = () => ({
    id: '2.1.0',
    head_block_number: ledger.head.number,
    head_block_id: ledger.head.id,
    time: timeText(ledger.head.time),
    last_irreversible_block_num: ledger.head.number,
  });
  const operationsOf = (trx: unknown) => (trx as { operations: readonly OperationJson[] }).operations;
  const asset = (named: string) =>
    ledger.state.assets.get(named) ??
    [...ledger.state.assets.values()].find(({ symbol }) => symbol === named) ??
    null;

  // A proposal's own, and those of what is in it.
  const feeOf = (operation: OperationJson): unknown => {
    const fee = { amount: Number(requiredFee(operation)), asset_id: CORE };
    const proposed = operation[1].proposed_ops as readonly { op: OperationJson }[] | undefined;
    return proposed === undefined ? fee : [fee, proposed.map(({ op }) => feeOf(op))];
  };

  return {
    get_chain_id: () => ledger.chain.id,
    get_config: () => ({
      GRAPHENE_SYMBOL: asset(CORE)?.symbol,
      GRAPHENE_ADDRESS_PREFIX: ledger.chain.prefix,
    }),
    get_chain_properties: () => ({ id: '2.11.0', chain_id: ledger.chain.id }),
    get_global_properties: () => object('2.0.0'),
    get_dynamic_global_properties: dynamic,
    set_subscribe_callback: () => null,
    cancel_all_subscriptions: () => null,
    get_objects: (ids: string[]) => ids.map(object),
    get_accounts: (names: string[]) => names.map((name) => byName(name) ?? null),
    get_account_by_name: (name: string) => byName(name) ?? null,
    lookup_account_names: (names: string[]) => names.map((name) => byName(name) ?? null),
    get_full_accounts: (names: string[]) =>
      names.flatMap((name) => {
        const account = byName(name);
        if (account === undefined) return [];
        return [
          [name, { account, balances: balances(account), proposals: proposals(account.id), votes: [] }],
        ];
      }),
    get_account_balances: (name: string, assets: string[]) => {
      const account = byName(name);
      check(account, `Unable to find Object ${name}`);
      const wanted = assets.length === 0 ? [...ledger.state.assets.keys()] : assets;
      return wanted.map((asset_id) => ({
        amount: String(balanceOf(ledger.state, account.id, asset_id)),
        asset_id,
      }));
    },
    get_assets: (ids: string[]) => ids.map(asset),
    // Here everybody stands for witness, under the number of their account.
    lookup_vote_ids: (votes: string[]) =>
      votes.map((vote_id) => {
        const witness_account = `1.2.${vote_id.slice(2)}`;
        const stands = vote_id.startsWith('1:') && ledger.state.accounts.has(witness_account);
        return stands ? { id: `1.6.${vote_id.slice(2)}`, witness_account, vote_id } : null;
      }),
    lookup_asset_symbols: (symbols: string[]) => symbols.map(asset),
    get_required_fees: (operations: OperationJson[], asset_id: string) => {
      check(asset_id === CORE, 'this small chain takes fees in its core asset only');
      return operations.map(feeOf);
    },
    get_potential_signatures: (trx: unknown) =>
      [...potentialKeys(operationsOf(trx), ledger.state.accounts)].sort(),
    get_required_signatures: (trx: unknown, available: string[]) =>
      [...requiredKeys(operationsOf(trx), available, ledger.signers(trx), ledger.state.accounts)].sort(),
    verify_authority: (trx: unknown) => {
      ledger.verify(trx);
      return true;
    },
    verify_account_authority: (name: string, keys: string[]) => {
      const account = byName(name);
      check(account, `Unable to find Object ${name}`);
      const asked = { active: [account.id], owner: [], other: [] };
      return naiveVerdict(asked, keys, ledger.state.accounts) === 'valid';
    },
    get_proposed_transactions: (name: string) => proposals(byName(name)?.id ?? ''),
    get_transaction_hex_without_sig: (trx: object) => {
      const { signatures: _, ...unsigned } = trx as { signatures?: unknown };
      return Buffer.from(encodeTransaction(parseTransaction(unsigned, ledger.chain), ledger.chain)).toString(
        'hex',
      );
    },
    get_recent_transaction_by_id: (id: string) => (ledger.knows(id) ? { id } : null),
    get_block: (number: number) => ledger.blocks[number - 1] ?? null,
    get_block_header: (number: number) => ledger.blocks[number - 1] ?? null,
  };
}

/** What `history` may be asked. */
export function historyApi(ledger: Ledger): Record<string, Call> {
  const of = (name: string) =>
    ledger.state.history.get(/^1\.2\.\d+$/.test(name) ? name : (ledger.state.names.get(name) ?? '')) ?? [];
  const number = (id: string) => Number(id.split('.')[2]);
  // As a witness node has it: from the newest on where it starts at 0, and the oldest only where it stops at 0.
  const within = (at: number, start: number, stop: number) =>
    (start === 0 || at <= start) && (stop === 0 || at > stop);
  return {
    get_account_history: (name: string, _stop: string, limit: number, _start: string) =>
      of(name).slice(0, limit),
    get_account_history_operations: (
      name: string,
      kind: number,
      start: string,
      stop: string,
      limit: number,
    ) =>
      of(name)
        .filter(({ id, op }) => op[0] === kind && within(number(id), number(start), number(stop)))
        .slice(0, limit),
  };
}

/** What `network_broadcast` may be asked. A transaction is in a block as soon as it is taken. */
export function broadcastApi(ledger: Ledger, notify: Notify): Record<string, Call> {
  const push = (trx: unknown): Pushed => ledger.push(trx);
  return {
    broadcast_transaction: (trx: unknown) => {
      push(trx);
      return null;
    },
    broadcast_transaction_with_callback: (subscription: number, trx: unknown) => {
      const done = push(trx);
      setImmediate(() => notify(subscription, [done]));
      return null;
    },
    broadcast_transaction_synchronous: (trx: unknown) => push(trx),
  };
}
