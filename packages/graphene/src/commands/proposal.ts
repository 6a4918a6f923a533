/**
 * `countersign cosign proposal`: the other route, where a transaction waits on the chain for its approvals. What an
 * account’s own key has approved its providers ask about by themselves.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import ms from 'ms';
import { formatAmount } from '../amounts.ts';
import { buildTransaction, checkFees, operationsOf } from '../build-transaction.ts';
import type { ChainAccount, ChainProposal } from '../chain-client.ts';
import { proposedIn, requiredBy } from '../proposal-standing.ts';
import { type OperationJson, requiredAuthorities } from '../required-authorities.ts';
import type { Transaction } from '../transaction.ts';
import { checkAuthority } from '../wallet/check-authority.ts';
import {
  type ApprovalChange,
  changeApprovals,
  createProposal,
  deleteProposal,
  proposalMadeBy,
  proposalNamed,
} from '../wallet/proposals.ts';
import { NODE, openWallet, type Shell, saysYes, type Wallet } from './context.ts';
import { approvalsOf, approvedHere, ownAccounts, payerOf } from './proposal-approvals.ts';
import { endOf, endText, proposalsFor, showProposal, viewOf } from './proposal-list.ts';
import { gatherAndSend, showOperations, transactionIn, transferOf } from './sign.ts';

const PAYS = [
  '--by <account>',
  'who pays; by default an account of this wallet that its keys alone can speak for',
] as const;
const YES = ['--yes', 'say yes beforehand, where nobody can be asked'] as const;

interface Options {
  readonly by?: string;
  readonly yes?: true;
}

/** Seconds in `10m`, `1h`, `1d`. */
function duration(text: string): number {
  const value = text === '' ? Number.NaN : ms(text as ms.StringValue);
  if (!(value >= 60_000)) throw new InvalidArgumentError('like 10m, 1h or 1d, and a minute at least');
  return Math.floor(value / 1000);
}

export function addProposalCommands(program: Command, shell: Shell): void {
  const proposal = program
    .command('proposal')
    .description(
      'transactions that wait on the chain for their approvals, and are executed once they have them',
    );
  proposal
    .command('create')
    .description(
      'put a transaction on the chain as a proposal, and approve it with this wallet’s keys; providers then ask by themselves',
    )
    .argument('[file]', 'a transaction in the chain’s JSON, or - for standard input')
    .option('--from <account>', 'in the place of a file: a transfer from this account')
    .option('--to <account>', 'whom it goes to')
    .option('--amount <amount>', 'like "10.5 BTS"')
    .addOption(
      new Option('--expires <duration>', 'how long it waits for its approvals, like 1h or 2d')
        .argParser(duration)
        .default(86_400, '1d'),
    )
    .option('--no-approve', 'propose only, and approve nothing')
    .option(...PAYS)
    .option(...YES)
    .option(...NODE)
    .action(async (file: string | undefined, options) => {
      await using wallet = await openWallet(shell, options);
      await create(shell, wallet, file, options);
    });
  proposal
    .command('list')
    .description(
      'proposals that need some accounts: what they do, who has approved, who must still, when they end',
    )
    .argument('[account...]', 'by default those that this wallet has keys of')
    .option('--json', 'print JSON')
    .option(...NODE)
    .action(async (accounts: readonly string[], options) => {
      await using wallet = await openWallet(shell, options);
      await list(shell, wallet, accounts, options.json === true);
    });
  proposal
    .command('approve')
    .description('approve a proposal with what counts of this wallet’s; it is shown first')
    .argument('<id>', 'like 1.10.5')
    .option(...PAYS)
    .option(...YES)
    .option(...NODE)
    .action(async (id: string, options) => {
      await using wallet = await openWallet(shell, options);
      await approve(shell, wallet, id, options);
    });
  proposal
    .command('veto')
    .description(
      'remove a proposal for everybody, where it needs an account of this wallet; else take back what this wallet approved',
    )
    .argument('<id>', 'like 1.10.5')
    .option('--approval-only', 'take back this wallet’s approval, and leave the proposal there')
    .option(...PAYS)
    .option(...YES)
    .option(...NODE)
    .action(async (id: string, options) => {
      await using wallet = await openWallet(shell, options);
      await veto(shell, wallet, id, options);
    });
}

interface CreateOptions extends Options {
  readonly from?: string;
  readonly to?: string;
  readonly amount?: string;
  readonly expires: number;
  readonly approve: boolean;
}

async function create(
  shell: Shell,
  wallet: Wallet,
  file: string | undefined,
  { from, to, amount, expires, approve: approves, by, yes }: CreateOptions,
): Promise<void> {
  const { client } = wallet;
  const transaction =
    file === undefined
      ? (await transferOf(client, { from, to, amount })).transaction
      : transactionIn(file, await client.chain());
  const proposed = operationsOf(transaction);
  for (const operation of proposed) await checkAuthority(wallet, operation);
  const { active, owner } = requiredAuthorities(proposed);
  const payer = await payerOf(wallet, by, [...owner, ...active]);
  const { time: now } = await client.head();
  const end = now + expires;
  const asked = createProposal(payer.id, proposed, end);
  const whole = await buildTransaction(client, [asked]);
  await showOperations(shell, wallet, whole);
  shell.print(`It ends ${endText(end, now)}, unless it is executed or vetoed before.`);
  if (!(await saysYes(shell, approves ? 'Propose and approve this?' : 'Propose this?', yes === true))) return;
  await gatherAndSend(shell, wallet, { transaction: whole });
  const made = await proposalMadeBy(client, operationsOf(whole)[0]!);
  if (made === undefined) {
    throw new CountersignError('cosign-unknown', 'it was proposed, and is not on the chain any more', {
      hint: 'somebody may have approved or vetoed it; the account’s history tells',
    });
  }
  shell.print(`Proposed as ${made.id}.`);
  if (!approves) return;
  const approval = await approvalOf(wallet, made, payer);
  if (approval === undefined) shell.print('No key of this wallet counts for it: others must approve it.');
  else await sendApproval(shell, wallet, made.id, approval);
}

async function list(shell: Shell, wallet: Wallet, named: readonly string[], json: boolean): Promise<void> {
  const { client } = wallet;
  const accounts = named.length > 0 ? await client.accounts(named) : await ownAccounts(wallet);
  const { time: now } = await client.head();
  const views = [];
  for (const proposal of await proposalsFor(wallet, accounts))
    views.push(await viewOf(wallet, proposal, now));
  if (json) {
    shell.print(JSON.stringify({ proposals: views }, null, 2));
    return;
  }
  for (const view of views) showProposal(shell, view);
  if (views.length === 0) shell.print('No proposal needs these accounts.');
}

async function approve(shell: Shell, wallet: Wallet, id: string, { by, yes }: Options): Promise<void> {
  const { client } = wallet;
  const proposal = await proposalNamed(client, id);
  for (const operation of proposedIn(proposal)) await checkAuthority(wallet, operation);
  const { time: now } = await client.head();
  const view = await viewOf(wallet, proposal, now);
  if (view.unshown !== undefined) {
    throw new CountersignError(
      'transaction-invalid',
      `nobody should approve what is not shown: ${view.unshown}`,
    );
  }
  showProposal(shell, view);
  const payer = await payerOf(wallet, by, requiredBy(proposal));
  const approval = await approvalOf(wallet, proposal, payer);
  if (approval === undefined) {
    if (Object.values(await approvedHere(wallet, proposal)).flat().length === 0) {
      throw await noPart(wallet, proposal);
    }
    shell.print('This wallet has approved it already.');
    return sayWhatIsNext(shell, wallet, id);
  }
  await showFee(shell, wallet, approval, payer);
  if (!(await saysYes(shell, 'Approve this?', yes === true))) return;
  await sendApproval(shell, wallet, id, approval);
}

/** A transaction that adds what counts of this wallet's; undefined where nothing does, or not any more. */
async function approvalOf(
  wallet: Wallet,
  proposal: ChainProposal,
  payer: ChainAccount,
): Promise<Transaction | undefined> {
  const change = await approvalsOf(wallet, proposal, payer);
  if (change === undefined) return undefined;
  return buildTransaction(wallet.client, [changeApprovals(payer.id, proposal.id, change)]);
}

async function sendApproval(
  shell: Shell,
  wallet: Wallet,
  id: string,
  transaction: Transaction,
): Promise<void> {
  await checkFees(wallet.client, transaction);
  const { block } = await gatherAndSend(shell, wallet, { transaction });
  shell.print(`Approved, in block ${block}.`);
  await sayWhatIsNext(shell, wallet, id);
}

/** What the approval or the veto itself costs. @throws `chain-answer-invalid` where it is more than may be paid unasked */
async function showFee(
  shell: Shell,
  { client }: Wallet,
  transaction: Transaction,
  { name }: ChainAccount,
): Promise<void> {
  const [core] = await client.assets(['1.3.0']);
  const fee = formatAmount(await checkFees(client, transaction), core!);
  shell.print(`  ${'Fee of this'.padEnd(16)} ${fee}, paid by ${name}`);
}

async function noPart({ client }: Wallet, proposal: ChainProposal): Promise<CountersignError> {
  const names = (await client.accounts(requiredBy(proposal))).map(({ name }) => name).join(' ');
  return new CountersignError('authority-missing', `no key of this wallet counts for ${proposal.id}`, {
    hint: `who must approve it: countersign cosign proposal list ${names}`,
  });
}

async function sayWhatIsNext(shell: Shell, wallet: Wallet, id: string): Promise<void> {
  const { client } = wallet;
  const [now] = await client.proposalsById([id]);
  if (now == null) {
    shell.print(`${id} has all its approvals: executed by the chain.`);
    return;
  }
  const { state, needs } = await viewOf(wallet, now, (await client.head()).time);
  if (state === 'approved') {
    shell.print(
      `${id} has all its approvals, and the chain could not execute it yet; it tries again at the end.`,
    );
  }
  for (const { account, of } of needs) shell.print(`Still needed for ${account}: ${of.join(', ')}`);
  if (needs.length > 0) shell.print('Providers among them ask on your device by themselves.');
  shell.print(`It ends ${endText(endOf(now), (await client.head()).time)}.`);
}

async function veto(
  shell: Shell,
  wallet: Wallet,
  id: string,
  { by, yes, approvalOnly }: Options & { readonly approvalOnly?: true },
): Promise<void> {
  const { client } = wallet;
  const proposal = await proposalNamed(client, id);
  const mine = await ownAccounts(wallet);
  const required = requiredBy(proposal);
  const deletes = approvalOnly !== true && mine.some((one) => required.includes(one.id));
  const payer = await payerOf(wallet, by, deletes ? required : [], deletes);
  const operation = deletes
    ? deleting(proposal, payer)
    : changeApprovals(payer.id, id, await toTakeBack(wallet, proposal));
  const transaction = await buildTransaction(client, [operation]);
  showProposal(shell, await viewOf(wallet, proposal, (await client.head()).time));
  await showFee(shell, wallet, transaction, payer);
  const question = deletes ? 'Remove this proposal for everybody?' : 'Take your approval of this back?';
  if (!(await saysYes(shell, question, yes === true))) return;
  const { block } = await gatherAndSend(shell, wallet, { transaction });
  shell.print(
    deletes
      ? `Vetoed, in block ${block}: ${id} is gone.`
      : `Taken back, in block ${block}: ${id} is still there.`,
  );
}

/** The chain takes a veto of any account that the proposal needs. */
function deleting(proposal: ChainProposal, { id, name }: ChainAccount): OperationJson {
  if (!requiredBy(proposal).includes(id)) {
    throw new CountersignError(
      'authority-missing',
      `${proposal.id} does not need ${name}, who cannot veto it`,
    );
  }
  return deleteProposal(id, proposal.id, !proposal.required_active_approvals.includes(id));
}

async function toTakeBack(wallet: Wallet, proposal: ChainProposal): Promise<ApprovalChange> {
  const approved = await approvedHere(wallet, proposal);
  if (Object.values(approved).flat().length > 0) return approved;
  throw new CountersignError('authority-missing', `this wallet has approved nothing of ${proposal.id}`, {
    hint: 'only an account that a proposal needs can veto it',
  });
}
