/**
 * `countersign cosign login`: logs in at a server by the account's own keys and the providers that it needs
 * (spec/wallet-login.md).
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { Command } from 'commander';
import { newPrivateKey } from '../keys.ts';
import { gatherLogin } from '../wallet/gather-login.ts';
import { formatLoginAnswer, parseLogin } from '../wallet-login.ts';
import { NODE, openWallet, type Shell, saysYes, type Wallet } from './context.ts';
import { stepsAloud } from './sign.ts';

export function addLoginCommand(program: Command, shell: Shell): void {
  program
    .command('login')
    .description('log in at a server by a link of the Wallet Login Protocol; its host is shown first')
    .argument('<link>', 'as the server offers it')
    .option('--account <account>', 'as whom, where the link does not say so and this wallet has several')
    .option(...NODE)
    .option('--yes', 'say yes beforehand, where nobody can be asked')
    .action(async (link: string, options) => {
      await using wallet = await openWallet(shell, options);
      await logIn(shell, wallet, link, options);
    });
}

async function logIn(
  shell: Shell,
  wallet: Wallet,
  link: string,
  options: { readonly account?: string; readonly yes?: true },
): Promise<void> {
  const { client, vault } = wallet;
  const chain = await client.chain();
  const request = parseLogin(link, chain);
  const account = asWhom(request.account, options.account, vault.accounts());
  const { host } = new URL(request.callback);
  shell.print(`${host} asks you to log in there as ${account}.`);
  if (!(await saysYes(shell, 'Log in?', options.yes === true))) return;
  const own = newPrivateKey();
  const known = await wallet.known();
  const signatures = await gatherLogin(request, account, own, {
    client,
    vault,
    known,
    onStep: stepsAloud(shell),
  });
  shell.print(`To log in, open this where you began, and give it to nobody:`);
  shell.print(`  ${formatLoginAnswer(request, account, own, signatures, chain)}`);
}

/** @throws `usage` */
function asWhom(asked: string | undefined, named: string | undefined, kept: readonly string[]): string {
  if (asked !== undefined && named !== undefined && asked !== named) {
    throw new CountersignError('usage', `this link is for ${asked}`);
  }
  const account = asked ?? named ?? (kept.length === 1 ? kept[0] : undefined);
  if (account !== undefined) return account;
  throw new CountersignError('usage', 'as whom? name the account: --account alice');
}
