/**
 * Who may ask: the broker's side of an account's contacts.
 * @module
 */
import { CountersignError, parseContact, verifyContact } from '@countersign/core';
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
  const enquirer = await findIdentified(context, contact, contact_id);
  const change = { accountId: account.id, contactId: enquirer.id, seq, policy, jws };
  const { event, shown, refused } = await store.changeContact(change, now());
  streams.publish(account.id, event, undefined);
  for (const { request, event: again } of shown) streams.publish(account.id, again, request);
  for (const settlement of refused) announce(context, settlement);
  return seq;
}
