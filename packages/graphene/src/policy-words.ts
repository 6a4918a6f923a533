/**
 * A policy in words, as the person is asked about it on the device.
 * @module
 */
import type { ChainClient } from './chain-client.ts';
import type { Line } from './explain.ts';
import type { Facts } from './explain-facts.ts';
import { Wording } from './explain-values.ts';
import type { Policy } from './policy.ts';

/** Accounts and assets that a policy names. @throws `chain-account-unknown`, `chain-asset-unknown` */
export async function policyFacts(client: ChainClient, policy: Policy): Promise<Facts> {
  const { limits, payees = [], approvers } = policy;
  const people = [...payees, ...limits.flatMap(({ payee }) => payee ?? [])];
  const units = [...limits, ...(approvers?.above ?? [])].map(({ asset }) => asset);
  const accounts = await client.accounts([...new Set(people)]);
  const assets = await client.assets([...new Set(units)]);
  return {
    accounts: new Map(accounts.map((account) => [account.id, account])),
    assets: new Map(assets.map((asset) => [asset.id, asset])),
  };
}

/** All that a policy says, with nothing left out. */
export function policyLines(policy: Policy, facts: Facts): Line[] {
  const say = new Wording(facts);
  const { limits, payees, velocity, approvers, owner_changes } = policy;
  const limit = ({ asset, amount, per, payee }: Policy['limits'][number]) =>
    `${say.units(BigInt(amount), asset)} a ${per} to ${payee === undefined ? 'all together' : say.account(payee)}`;
  return [
    { name: 'Limits', value: limits.map(limit).join('; ') || 'none' },
    {
      name: 'Payees',
      value: payees === undefined ? 'anybody' : payees.map((id) => say.account(id)).join(', ') || 'nobody',
    },
    {
      name: 'Pace',
      value:
        velocity === undefined ? 'any' : `${velocity.transactions} transactions in ${velocity.seconds} s`,
    },
    {
      name: 'Approvers',
      value: approvers === undefined ? 'nobody besides you' : approversWords(approvers, say),
    },
    { name: 'Owner changes', value: owner_changes ? 'are signed' : 'are never signed' },
  ];
}

function approversWords({ accounts, needed, above }: NonNullable<Policy['approvers']>, say: Wording): string {
  const bounds = above.map(({ asset, amount }) => say.units(BigInt(amount), asset));
  const when = bounds.length === 0 ? 'always' : `above ${bounds.join(', ')}`;
  return `${needed} of ${accounts.join(', ')}, ${when}`;
}
