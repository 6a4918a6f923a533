/**
 * Approvers of a policy: whose word is asked for beside the person's. A name is bound to an identity when the policy is
 * asked for, and the person sees to which; nobody else answers under it from then on, whatever the broker says.
 * @module
 */
import { CHECKPOINT_AGE, type Field, statementId } from '@countersign/core';
import type { Policy } from '../policy.ts';
import type { ProviderContext } from './context.ts';

/** Binds the approvers' names, and says by which fingerprints. @throws what `AccountBook.find` throws */
export async function bindApprovers(
  { enquirer, crypto }: ProviderContext,
  { approvers }: Policy,
): Promise<Field[]> {
  const fields: Field[] = [];
  for (const [place, name] of (approvers?.accounts ?? []).entries()) {
    const { log } = await enquirer.session.book.find(name, CHECKPOINT_AGE.approval);
    const id = await statementId(crypto, log.identity);
    fields.push({ name: `Approver ${place + 1}`, value: `${name} ${id}` });
  }
  return fields;
}

/** Whether an account is the one to which its name was bound. */
export async function isBound(
  { enquirer }: ProviderContext,
  { name, identity }: { readonly name: string; readonly identity: string },
): Promise<boolean> {
  const { log } = await enquirer.session.book.find(name, Number.POSITIVE_INFINITY);
  return log.identity === identity;
}
