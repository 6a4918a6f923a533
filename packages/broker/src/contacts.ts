/**
 * Who may ask: the broker's side of an account's contacts.
 * @module
 */
import {
  type ContactPayload,
  CountersignError,
  parseContact,
  type Statement,
  verifyContact,
} from '@countersign/core';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { announce } from './requests.ts';

/** Records a change; what it lets through is shown, what it stops is refused. */
export async function changeContact(context: BrokerContext, jws: string): Promise<number> {
  const { crypto, store, now, streams } = context;
  const statement = await parseContact(crypto, jws);
  const { sub, sub_id, contact, contact_id, seq, policy, head } = statement.payload;
  const account = await findIdentified(context, sub, sub_id);
  if (head.hash !== account.head.hash) {
    throw new CountersignError('log-conflict', 'the device log has grown since you read it', {
      hint: 'read it again, and repeat',
    });
  }
  await verifyContact(crypto, statement, account, () => account.head.hash);
  await checkFollows(context, account.id, statement);
  const enquirer = await findIdentified(context, contact, contact_id);
  const change = { accountId: account.id, contactId: enquirer.id, seq, head: account.head, policy, jws };
  const { event, shown, refused } = await store.changeContact(change, now());
  streams.publish(account.id, event, undefined);
  for (const { request, event: again } of shown) streams.publish(account.id, again, request);
  for (const settlement of refused) announce(context, settlement);
  return seq;
}

/** Changes are never rewritten: whatever is the one before by now is so when the store takes this one. */
async function checkFollows(
  { crypto, store }: BrokerContext,
  accountId: number,
  { payload }: Statement<ContactPayload>,
): Promise<void> {
  const [jws, further] = payload.seq === 1 ? [] : await store.readContacts(accountId, payload.seq - 1);
  const before = jws === undefined ? undefined : await parseContact(crypto, jws);
  const follows =
    further === undefined &&
    (payload.seq === 1) === (before === undefined) &&
    payload.prev === before?.hash &&
    payload.head.seq >= (before?.payload.head.seq ?? 0);
  if (follows) return;
  throw new CountersignError('contact-conflict', `change ${payload.seq} does not follow the one before`, {
    hint: 'another device changed the contacts: read them again, and repeat',
  });
}
