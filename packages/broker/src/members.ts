/**
 * Members of organisations, the broker's side: it keeps what the organisation's devices sign, and goes by it.
 * @module
 */
import {
  applyMember,
  CountersignError,
  judgeMembers,
  type MemberList,
  type MemberPayload,
  NO_MEMBERS,
  parseMember,
  type Verified,
  verifyMember,
} from '@countersign/core';
import { findAccount, findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { AccountRow } from './store/store.ts';
import { checkTime } from './times.ts';

/**
 * Records a change.
 * @returns its number, and the rows of the organisation and of a member who lost a role by it
 */
export async function changeMember(
  context: BrokerContext,
  jws: string,
): Promise<{ seq: number; accountId: number; lost?: number }> {
  const { crypto, store } = context;
  const statement = await parseMember(crypto, jws);
  const { sub, sub_id, iat, seq, head, member, member_id, role } = statement.payload;
  const account = await findIdentified(context, sub, sub_id);
  if (head.hash !== account.head.hash) {
    throw new CountersignError('log-conflict', 'the device log has grown since you read it', {
      hint: 'read it again, and repeat',
    });
  }
  const verified = await verifyMember(crypto, statement, account, () => account.head.hash);
  const list = await memberList(context, account);
  const next = applyMember(list, verified);
  // A member by whom the list was changed a little ahead of our clock must not stop the next change.
  if (iat !== list.changedAt) checkTime(context, iat);
  const before = list.members.get(member_id)?.role ?? role;
  if (role !== 'none') await findIdentified(context, member, member_id);
  await store.addMemberChange(account.id, seq, jws);
  context.members.set(account.id, next);
  const lost = before === role ? undefined : await store.accountOfIdentity(member_id);
  return { seq, accountId: account.id, ...(lost === undefined ? {} : { lost }) };
}

/** An organisation's members by now. */
export async function memberList(context: BrokerContext, account: AccountRow): Promise<MemberList> {
  return judgeMembers(await signedList(context, account), account);
}

/**
 * Rows of the members who had a role by an organisation's devices as they were, and have none by them as they are: a
 * device that gave it was lost or frozen meanwhile.
 */
export async function fallenSince(context: BrokerContext, before: AccountRow): Promise<number[]> {
  const list = await memberList(context, before);
  const { members } = judgeMembers(list, await findAccount(context, before.name));
  const fallen = [...list.members.keys()].filter((identity) => !members.has(identity));
  const rows = await Promise.all(fallen.map((identity) => context.store.accountOfIdentity(identity)));
  return rows.filter((row) => row !== undefined);
}

/** What the changes say, whatever became of the devices that made them. */
async function signedList(context: BrokerContext, { id }: AccountRow): Promise<MemberList> {
  const { crypto, store, members } = context;
  let list = members.get(id) ?? NO_MEMBERS;
  for (const jws of await store.readMemberChanges(id, list.seq + 1)) {
    // Verified when it was taken.
    list = applyMember(list, (await parseMember(crypto, jws)) as Verified<MemberPayload>);
  }
  members.set(id, list);
  return list;
}
