/**
 * `countersign cosign open`: a link by the Transaction Request Protocol (spec/transaction-request.md) is shown, with
 * who asks, and signed where the person says so.
 * @module
 */
import type { Command } from 'commander';
import { transactionToJson } from '../transaction.ts';
import {
  carryOutRequest,
  type Desk,
  type OpenedRequest,
  openRequest,
  refuseRequest,
} from '../wallet/open-request.ts';
import { NODE, openWallet, type Shell, saysYes, type Wallet } from './context.ts';
import { showOperations, stepsAloud } from './sign.ts';

export function addOpenCommand(program: Command, shell: Shell): void {
  program
    .command('open')
    .description(
      'a link by the Transaction Request Protocol: shows who asks for what, and signs it if you say yes',
    )
    .argument('<link>', 'as it was given to you')
    .option(...NODE)
    .option('--yes', 'say yes beforehand, where nobody can be asked')
    .action(async (link: string, options) => {
      await using wallet = await openWallet(shell, options);
      await open(shell, wallet, link, options.yes === true);
    });
}

async function open(shell: Shell, wallet: Wallet, link: string, yes: boolean): Promise<void> {
  const desk: Desk = { ...wallet, now: shell.clock.now() };
  const opened = await openRequest(desk, link);
  await show(shell, wallet, opened);
  if (!(await saysYes(shell, 'Sign this?', yes))) {
    // Where nobody was asked nobody has answered; and what was begun before may have been executed.
    if (shell.canAsk && !opened.begun) bringBack(shell, await refuseRequest(desk, opened));
    return;
  }
  const { client, vault } = wallet;
  const known = await wallet.known();
  const done = await carryOutRequest(desk, opened, { client, vault, known, onStep: stepsAloud(shell) });
  if (done.status === 'applied') {
    const where = done.block === 0 ? ' already' : `, in block ${done.block}`;
    shell.print(`Executed by the chain${where}: ${done.id}`);
  } else if (done.address === undefined) {
    shell.print(JSON.stringify(transactionToJson(done.transaction), null, 2));
  }
  bringBack(shell, done.address);
}

async function show(shell: Shell, wallet: Wallet, { request, transaction }: OpenedRequest): Promise<void> {
  const { by, account, apply, callback } = request;
  shell.print(`${by} asks you to sign for ${account}:`);
  await showOperations(shell, wallet, transaction);
  if (!apply) shell.print('It is handed back with your signature, and not sent from here.');
  if (callback !== undefined) shell.print(`The answer goes to ${new URL(callback).host}.`);
}

function bringBack(shell: Shell, address: string | undefined): void {
  if (address !== undefined) {
    shell.print(`To bring the answer to ${new URL(address).host}, open:\n  ${address}`);
  }
}
