/**
 * Step 5: a whole transaction comes, signed by the account's own key. It is decoded, held against the policy, shown
 * on the person's device operation by operation, and signed only when verified answers over exactly its digest say
 * so.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import { operationsOf, signersOf } from '../build-transaction.ts';
import { factsOf } from '../chain-facts.ts';
import { judgePolicy, type PolicyVerdict } from '../policy.ts';
import {
  parseSignedTransaction,
  type SignedTransaction,
  transactionDigest,
  transactionId,
  transactionToJson,
} from '../transaction.ts';
import { askAll, awaitAll, type Quorum, type Requests, withdraw } from './answers.ts';
import { checkAsked, checkOwnKey, checkTime, TIME_TO_SEND, type User, waitsForAll } from './asked-for.ts';
import { follow, type ProviderContext } from './context.ts';
import { enrolled } from './enrolment.ts';
import { policyOf } from './policies.ts';
import { questionOf, type Shown } from './question.ts';
import { allAccepted, missingFrom, signTogether } from './signing.ts';
import { keptOutflows, spentBy } from './spent.ts';
import type { TransactionRow, TransactionState } from './store.ts';
import { weighFor } from './weighing.ts';

/** The longest that a question may stand, in seconds. */
const MAX_QUESTION = 600;

const NOBODY: Quorum = { approvers: [], needed: 0 };

/** What has become of a transaction, of all the accounts together that it was posted for. */
export interface Cosigned {
  readonly digest: string;
  readonly id: string;
  readonly state: 'pending' | 'signed' | 'rejected' | 'refused' | 'expired';
  /** One for each account, as soon as all have said yes; none before. */
  readonly signatures?: readonly string[];
  readonly reason?: string;
  /** Accounts that are served here and have yet to say yes; they may have to be posted first. */
  readonly waitsFor: readonly string[];
  readonly expiresAt: number;
}

export interface PostOptions {
  /** The chain that the caller means, if it says so. */
  readonly chainId?: string;
  /** What pairs of memo keys share, 64 bytes each in hex: used for the question, and not kept. */
  readonly memoSecrets?: readonly string[];
}

export class Cosigning {
  readonly #context: ProviderContext;

  constructor(context: ProviderContext) {
    this.#context = context;
  }

  /**
   * Takes a transaction for an account; the same one twice is one. Where it needs several accounts that are served
   * here, it is posted for each.
   * @throws `transaction-invalid`, `transaction-expired`, `chain-other`, `cosign-not-enrolled`, `cosign-unasked`,
   *   `memo-mismatch`, and what asking the device throws
   */
  async post(name: string, json: unknown, { chainId, memoSecrets }: PostOptions = {}): Promise<Cosigned> {
    const { client, store } = this.#context;
    const chain = await client.chain();
    if (chainId !== undefined && chainId !== chain.id) {
      throw new CountersignError('chain-other', 'this provider signs for another chain');
    }
    const posted = parseSignedTransaction(json, chain);
    const digest = bytesToHex(transactionDigest(posted, chain));
    const user = enrolled(this.#context, name);
    const signedBy = signersOf(posted, chain);
    await checkOwnKey(this.#context, posted, signedBy, user);
    const facts = await factsOf(client, operationsOf(posted));
    checkAsked(this.#context, { transaction: posted, facts, signers: signedBy }, user);
    const transaction = withSignatures(posted, store.all('transactions', { digest }));
    const signers = signersOf(transaction, chain);
    const all = waitsForAll(this.#context, { transaction, facts, signers });
    const together = JSON.stringify(all);
    const update = () => {
      store.change('transactions', { digest }, { together });
      this.#context.changes.tell(digest);
      return viewOf(store.all('transactions', { digest }));
    };
    if (store.one('transactions', { digest, account: name }) !== undefined) return update();
    await checkTime(this.#context, transaction);
    const weighed = weighFor(this.#context, operationsOf(transaction), facts, user, all);
    const shown = questionOf(transaction, digest, {
      account: user.account,
      chain,
      facts,
      ...(memoSecrets === undefined ? {} : { memoSecrets }),
    });
    // From here to the new row nothing is waited for: two transactions cannot share what is left of one limit.
    const others = store.all('transactions', { digest });
    const failed = others.find(({ state }) => isFailure(state));
    const isAlone = others.length === 0 && together === JSON.stringify([name]);
    const now = this.#context.clock.now();
    const policy = policyOf(this.#context, name);
    const verdict = judgePolicy(policy, weighed, spentBy(store, name), now, facts);
    const row: TransactionRow = {
      digest,
      id: transactionId(transaction, chain),
      account: name,
      transaction_json: JSON.stringify(transactionToJson(transaction)),
      outflows: keptOutflows(weighed.outflows),
      together,
      policy_version: policy.version,
      ...firstState(verdict, failed, (reason) => (isAlone ? reason : `${name}: ${reason}`)),
      requests: '{}',
      signatures: null,
      receipts: null,
      posted_at: now,
      expires_at: transaction.expiration,
      settled_at: verdict.allowed && failed === undefined ? null : now,
    };
    if (!store.add('transactions', row)) return update();
    if (isFailure(row.state)) {
      this.#settle(digest, row.state, row.reason ?? '');
      return viewOf(store.all('transactions', { digest }));
    }
    await this.#ask(row, user, shown, verdict.allowed ? verdict : NOBODY);
    return update();
  }

  /** What has become of a transaction, when it is settled or some seconds are over. @throws `cosign-unknown` */
  async state(digest: string, wait = 0): Promise<Cosigned> {
    const { store, clock, changes, stopping } = this.#context;
    const end = clock.monotonic() + wait * 1000;
    for (;;) {
      const rows = store.all('transactions', { digest });
      if (rows.length === 0)
        throw new CountersignError('cosign-unknown', 'no such transaction was posted here');
      const view = viewOf(rows);
      const left = end - clock.monotonic();
      if (view.state !== 'pending' || left <= 0 || stopping.aborted) return view;
      await changes.next(digest, left);
    }
  }

  /** Goes on with what was asked before a restart. */
  resume(): void {
    const { store } = this.#context;
    for (const row of store.all('transactions', { state: 'pending' })) {
      const { digest, account } = row;
      // Asked of nobody before the end: as if it had never been posted.
      if (row.requests === '{}') store.remove('transactions', { digest, account });
      else this.#follow(row);
    }
    for (const row of store.all('transactions', { state: 'accepted' })) this.#follow(row);
  }

  async #ask(row: TransactionRow, user: User, shown: Shown, quorum: Quorum): Promise<void> {
    const { store, clock } = this.#context;
    const where = { digest: row.digest, account: row.account };
    const lifetime = Math.min(MAX_QUESTION, row.expires_at - clock.now() - TIME_TO_SEND);
    try {
      const requests = await askAll(this.#context, user, shown, quorum, lifetime);
      const written = { requests: JSON.stringify(requests) };
      if (store.change('transactions', { ...where, state: 'pending' }, written) === 0) {
        // Another account of the transaction has said no meanwhile.
        await withdraw(this.#context, requests);
        return;
      }
    } catch (error) {
      // Never asked is never decided: it may be posted again.
      store.remove('transactions', { ...where, state: 'pending' });
      throw error;
    }
    this.#follow(row);
  }

  #follow({ digest, account }: TransactionRow): void {
    follow(
      this.#context,
      `transaction ${digest} for ${account}`,
      () => this.#decide(digest, account),
      (error) => {
        const why = error instanceof CountersignError ? `${error.code}: ${error.message}` : 'internal';
        this.#settle(digest, 'refused', `${why}; nothing was signed`, account);
      },
    );
  }

  /** Waits for the answers. Whatever is no verified yes to this digest leaves no signature. */
  async #decide(digest: string, account: string): Promise<void> {
    const { store, changes } = this.#context;
    const row = store.one('transactions', { digest, account });
    if (row?.state === 'pending') {
      const requests = JSON.parse(row.requests) as Requests;
      const answer = await awaitAll(this.#context, requests);
      if (answer.state !== 'accepted') return this.#settle(digest, answer.state, answer.reason, account);
      store.change(
        'transactions',
        { digest, account, state: 'pending' },
        { state: 'accepted', requests: JSON.stringify({ ...requests, accepted: answer.hashes }) },
      );
      changes.tell(digest);
    }
    await this.#signWithOthers(digest, account);
  }

  /** Signs when the others have said yes too, or gives up when their time is over. */
  async #signWithOthers(digest: string, account: string): Promise<void> {
    const { store, changes, clock, stopping } = this.#context;
    for (;;) {
      const row = store.one('transactions', { digest, account });
      if (row?.state !== 'accepted') return;
      const done = await signTogether(this.#context, digest);
      if (done.outcome === 'signed') return;
      if (done.outcome !== 'waits') return this.#settle(digest, done.outcome, done.reason, done.account);
      stopping.throwIfAborted();
      const rows = store.all('transactions', { digest });
      if (allAccepted(rows)) continue;
      const left = row.expires_at - TIME_TO_SEND - clock.now();
      if (left <= 0) {
        return this.#settle(digest, 'expired', `${missingFrom(rows).join(', ')} did not say yes in time`);
      }
      await changes.next(digest, left * 1000);
    }
  }

  /**
   * No for one is no for all, who are asked no more.
   * @param account whose no it is, where it is somebody's
   */
  #settle(digest: string, state: Failure, reason: string, account?: string): void {
    const { store, clock, changes, logger } = this.#context;
    const rows = store.all('transactions', { digest });
    const why = account === undefined ? reason : naming(rows, account, reason);
    const open = rows.filter((row) => row.state === 'pending' || row.state === 'accepted');
    for (const row of open) {
      const change = { state, reason: why, settled_at: clock.now() };
      store.change('transactions', { digest, account: row.account }, change);
      if (row.requests === '{}') continue;
      withdraw(this.#context, JSON.parse(row.requests) as Requests).catch((err: unknown) =>
        logger.warn({ err }, 'a question was not taken back'),
      );
    }
    changes.tell(digest);
  }
}

type Failure = 'rejected' | 'refused' | 'expired';

function isFailure(state: TransactionState): state is Failure {
  return state === 'rejected' || state === 'refused' || state === 'expired';
}

/** What a new row begins with: refused by the policy, or no more than what others have said no to already. */
function firstState(
  verdict: PolicyVerdict,
  failed: TransactionRow | undefined,
  named: (reason: string) => string,
): Pick<TransactionRow, 'state' | 'reason'> {
  if (failed !== undefined) return { state: failed.state, reason: failed.reason };
  if (verdict.allowed) return { state: 'pending', reason: null };
  return { state: 'refused', reason: named(`${verdict.rule}: ${verdict.message}`) };
}

/** A reason, with whose it is where several accounts must say yes. */
function naming(rows: readonly TransactionRow[], account: string, reason: string): string {
  const several = rows.length > 1 || rows.some((row) => missingFrom([row]).some((name) => name !== account));
  return several ? `${account}: ${reason}` : reason;
}

/** With the signatures that came with it when it was posted for others. */
function withSignatures(posted: SignedTransaction, rows: readonly TransactionRow[]): SignedTransaction {
  const before = rows.flatMap(
    ({ transaction_json }) => (JSON.parse(transaction_json) as { signatures: string[] }).signatures,
  );
  return { ...posted, signatures: [...new Set([...posted.signatures, ...before])] };
}

function viewOf(rows: readonly TransactionRow[]): Cosigned {
  const { digest, id, expires_at: expiresAt } = rows[0]!;
  const common = { digest, id, expiresAt };
  const failed = rows.find(({ state }) => isFailure(state));
  if (failed !== undefined) {
    const { state, reason } = failed as TransactionRow & { state: Failure };
    return { ...common, state, ...(reason === null ? {} : { reason }), waitsFor: [] };
  }
  if (rows.some(({ state }) => state !== 'signed')) {
    return { ...common, state: 'pending', waitsFor: missingFrom(rows) };
  }
  const signatures = rows.flatMap((row) => JSON.parse(row.signatures ?? '[]') as string[]);
  return { ...common, state: 'signed', signatures, waitsFor: [] };
}
