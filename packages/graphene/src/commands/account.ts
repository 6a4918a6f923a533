/**
 * `countersign cosign`, what changes an account: require a provider, leave.
 * @module
 */
import type { Command } from 'commander';
import { withoutProvider, withProvider } from '../account-change.ts';
import { buildTransaction, checkFees, MAX_FEE, signTransaction } from '../build-transaction.ts';
import { accountsBelow } from '../chain-facts.ts';
import type { OperationJson } from '../required-authorities.ts';
import { checkAuthority } from '../wallet/check-authority.ts';
import { signerOf } from '../wallet/find-providers.ts';
import { broadcast } from '../wallet/gather.ts';
import { NODE, openWallet, providerNamed, readKeys, type Shell, saysYes, type Wallet } from './context.ts';
import { gatherAndSend, showOperations } from './sign.ts';

export function addAccountCommands(program: Command, shell: Shell): void {
  program
    .command('require')
    .description('change your account so that it needs the provider too; what changes is shown first')
    .argument('<account>', 'your account on the chain')
    .requiredOption('--provider <name or url>', 'which provider')
    .option(...NODE)
    .option('--print', 'print what to change, in words and as an operation for any wallet, and do nothing')
    .option('--yes', 'say yes beforehand, where nobody can be asked')
    .option('--link <page>', 'print the provider’s link to a wallet’s page for requests, and do nothing')
    .action(async (account: string, options) => {
      await using wallet = await openWallet(shell, options);
      const { client } = wallet;
      const { api, name } = await providerNamed(wallet, options.provider);
      if (options.link !== undefined) {
        shell.print(await api.requiringLink(account, options.link));
        return;
      }
      // Reckoned here, of what the chain says: the provider's own word for it changes nothing.
      const signer = await signerOf(client, name, account);
      const operation = withProvider(await client.account(account), signer.id);
      await change(shell, wallet, operation, options);
    });

  program
    .command('leave')
    .description('need a provider no more, by your owner key alone; nobody else is asked')
    .argument('<account>', 'your account on the chain')
    .requiredOption('--provider <name>', 'the provider’s account on the chain, like sfactor')
    .requiredOption(
      '--owner-key-file <file>',
      'your owner key in WIF, or - for standard input; it is not kept',
    )
    .option('--max-fee <amount>', 'what it may cost, in the core asset', MAX_FEE)
    .option(...NODE)
    .action(async (account: string, options) => {
      await using wallet = await openWallet(shell, options);
      const { client } = wallet;
      const [signer, now] = await client.accounts([`${options.provider}.${account}`, account]);
      const members = now!.active.account_auths.map(([id]) => id);
      const operation = withoutProvider(now!, signer!.id, await accountsBelow(client, members));
      await checkAuthority(wallet, operation);
      const chain = await client.chain();
      const transaction = await buildTransaction(client, [operation]);
      await checkFees(client, transaction, options.maxFee);
      const signed = readKeys(options.ownerKeyFile).reduce((so, one) => signTransaction(so, one, chain), {
        ...transaction,
        signatures: [] as readonly string[],
      });
      await showOperations(shell, wallet, signed);
      const { block } = await broadcast(client, signed);
      shell.print(`Done, in block ${block}: ${account} needs ${options.provider} no more.`);
    });
}

/** Changes an account: by this wallet's keys and, where it needs some already, its providers. */
async function change(
  shell: Shell,
  wallet: Wallet,
  operation: OperationJson,
  { print, yes = false }: { readonly print?: boolean; readonly yes?: boolean },
): Promise<void> {
  const transaction = await buildTransaction(wallet.client, [operation]);
  await checkAuthority(wallet, operation);
  await showOperations(shell, wallet, transaction);
  if (print) {
    shell.print('Change this in any wallet of yours. As an operation, whose fee the wallet fills in:');
    shell.print(JSON.stringify(operation, null, 2));
    return;
  }
  if (!(await saysYes(shell, 'Sign this?', yes))) return;
  const { block, id } = await gatherAndSend(shell, wallet, { transaction });
  shell.print(`Executed by the chain, in block ${block}: ${id}`);
}
