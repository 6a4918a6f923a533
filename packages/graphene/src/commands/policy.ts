/**
 * `countersign cosign policy`: what a provider may be asked to sign.
 * @module
 */
import { readFileSync } from 'node:fs';
import { parseStrictJson } from '@countersign/core';
import type { Command } from 'commander';
import { policyText, signText } from '../challenge.ts';
import {
  EXIT,
  type NamedProvider,
  NODE,
  openWallet,
  providerNamed,
  type Shell,
  type Wallet,
} from './context.ts';

export function addPolicyCommands(program: Command, shell: Shell): void {
  const policy = program.command('policy').description('what a provider may be asked to sign for an account');
  policy
    .command('show')
    .description('print the policy that holds, and one that will')
    .argument('<account>', 'your account on the chain')
    .requiredOption('--provider <name or url>', 'which provider')
    .option(...NODE)
    .action(async (account: string, options) => {
      await using wallet = await openWallet(shell, options);
      const { api } = await providerNamed(wallet, options.provider);
      shell.print(JSON.stringify(await api.policy(account), null, 2));
    });
  policy
    .command('set')
    .description(
      'ask for another policy; you confirm it on your device, and what lets more be signed waits a day',
    )
    .argument('<account>', 'your account on the chain')
    .argument('<file>', 'with the policy in JSON, or - for standard input')
    .requiredOption('--provider <name or url>', 'which provider')
    .option(...NODE)
    .action(async (account: string, file: string, options) => {
      await using wallet = await openWallet(shell, options);
      await setPolicy(shell, wallet, account, file, await providerNamed(wallet, options.provider));
    });
}

async function setPolicy(
  shell: Shell,
  wallet: Wallet,
  account: string,
  file: string,
  { api, name: provider }: NamedProvider,
): Promise<void> {
  const { client, vault } = wallet;
  // One line: as it is sent, so it is signed.
  const text = JSON.stringify(parseStrictJson(readFileSync(file === '-' ? 0 : file, 'utf8')));
  const { version: held, next } = await api.policy(account);
  const version = (next?.version ?? held) + 1;
  const { id: chainId } = await client.chain();
  const { active } = await client.account(account);
  const known = active.key_auths.map(([one]) => one);
  const signed = policyText({ chainId, provider, account, version, policy: text });
  const key = await vault.key(account, vault.holds(account, known) ?? '');
  const change = await api.changePolicy(account, version, text, signText(signed, key));
  shell.print('Confirm on your device …');
  let { state } = await api.policyChange(change);
  while (state === 'asked') ({ state } = await api.policyChange(change));
  const now = await api.policy(account);
  if (state === 'accepted' && now.next?.version === version) {
    shell.print(`Version ${version} holds from ${new Date(now.next.effective_at * 1000).toISOString()} on.`);
  } else {
    shell.print(state === 'accepted' ? `Version ${version} holds now.` : 'The policy stays as it was.');
  }
  if (state !== 'accepted') shell.exit = EXIT.refused;
}
