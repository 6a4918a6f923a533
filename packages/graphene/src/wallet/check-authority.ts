/**
 * What a wallet never signs, whoever asks for it: a change after which nobody could use the account any more, or
 * everybody could.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type Authority, authorityFlaw } from '../authority.ts';
import type { ChainClient } from '../chain-client.ts';
import { accountsBelow } from '../chain-facts.ts';
import type { OperationJson } from '../required-authorities.ts';

const ACCOUNT_UPDATE = 6;

/**
 * Nobody is to lock themselves out.
 * @throws `authority-missing` naming what is wrong with the new authority, active or owner
 */
export async function checkAuthority(
  { client }: { readonly client: ChainClient },
  [kind, { owner, active }]: OperationJson,
): Promise<void> {
  if (kind !== ACCOUNT_UPDATE) return;
  for (const after of [owner, active] as (Authority | undefined)[]) {
    if (after === undefined) continue;
    const accounts = await accountsBelow(
      client,
      after.account_auths.map(([id]) => id),
    );
    const flaw = authorityFlaw(after, accounts);
    if (flaw === undefined) continue;
    throw new CountersignError(
      'authority-missing',
      `the account could not be used any more: its authority is ${flaw}`,
    );
  }
}
