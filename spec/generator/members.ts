/**
 * Vectors of an organisation's members.
 * @module
 */
import {
  applyMember,
  createMember,
  createRevocation,
  createThaw,
  type DeviceLog,
  type ErrorCode,
  judgeMembers,
  type MemberList,
  type MemberPayload,
  NO_MEMBERS,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { extended, newAccount, withDevice, withoutDevice } from './accounts.ts';
import { OTHER_HASH } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { frozen, signing } from './recoverable.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  TOO_LARGE,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, NOW, signLoose, type TestDevice, testDevice } from './world.ts';

const BANK = 'bank@example.com';

type Statements = readonly { readonly jws: string }[];

export async function member(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const person = async (name: string) => ({
    name,
    identity: (await newAccount(memory, name)).log.identity,
  });
  const [alice, bob, carol] = await Promise.all(
    ['alice@example.com', 'bob@example.com', 'carol@example.com'].map(person),
  );
  type Organisation = Awaited<ReturnType<typeof newAccount>>;
  const change = async (
    bank: Organisation,
    list: MemberList,
    who: typeof alice,
    role: MemberPayload['role'],
    by = bank.devices[0]!,
    now = NOW,
  ) => {
    const statement = await createMember(webCrypto, by.signer, bank.log, list, who!, role, now);
    return { jws: statement.jws, statement };
  };
  const listed = ({ seq, members }: MemberList) => ({
    seq,
    members: [...members.values()].map(({ by: _, ...member }) => member),
  });

  for (const algorithm of ALGORITHMS) {
    const bank = await withDevice(await newAccount(memory, BANK, algorithm), 'phone', { rights: ['admit'] });
    const { entries } = bank.log;
    const all: string[] = [];
    let list = NO_MEMBERS;
    for (const [who, role] of [
      [alice, 'owner'],
      [bob, 'agent'],
      [carol, 'auditor'],
      [bob, 'owner'],
      [alice, 'none'],
    ] as const) {
      const by = bank.devices[all.length % 2]!;
      const { jws, statement } = await change(bank, list, who, role, by, NOW + all.length);
      list = applyMember(list, statement);
      all.push(jws);
      vectors.push(
        valid(
          `${algorithm}-${all.length}`,
          `after ${all.length}: the last is ${role}`,
          { entries, changes: [...all] },
          listed(list),
        ),
      );
    }
    vectors.push(
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries,
        changes: [flipSignature(all[0]!)],
      }),
      ...flipMembers(all[1]!, { role: 'owner' }).map(({ path, jws }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          path.startsWith('sub')
            ? 'account-mismatch'
            : path === 'head.seq'
              ? 'log-rollback'
              : path === 'head.hash'
                ? 'log-fork'
                : 'signature-invalid',
          { entries, changes: [all[0]!, jws] },
        ),
      ),
    );
  }

  const bank = await withDevice(await newAccount(memory, BANK), 'phone', { rights: ['admit'] });
  const [laptop, phone] = bank.devices as [TestDevice, TestDevice];
  const { entries } = bank.log;
  const first = await change(bank, NO_MEMBERS, alice, 'owner');
  const one = applyMember(NO_MEMBERS, first.statement);
  const second = await change(bank, one, bob, 'agent');
  const bad = (name: string, comment: string, code: ErrorCode, changes: string[], log = entries) =>
    vectors.push(invalid(name, comment, code, { entries: log, changes }));
  const payload = payloadOf(second.jws);
  const signed = async (
    name: string,
    comment: string,
    code: ErrorCode,
    changed: object,
    by = laptop,
    log = entries,
  ) => bad(name, comment, code, [first.jws, await signLoose(by, 'member', { ...payload, ...changed })], log);
  const revoked = await withoutDevice(bank, phone.kid);
  const byPhone = await change(bank, NO_MEMBERS, alice, 'owner', phone);
  const later = async (reason: 'retired' | 'lost' | 'undone') => {
    const out = await createRevocation(bank.crypto, bank.log, laptop.signer, phone.kid, reason, NOW - 80_000);
    return (await extended(bank, out.jws)).log;
  };
  const judged = (name: string, comment: string, log: DeviceLog, changes: Statements, list: MemberList) =>
    vectors.push(
      valid(
        name,
        comment,
        { entries: log.entries, changes: changes.map(({ jws }) => jws) },
        listed(judgeMembers(list, log)),
      ),
    );
  const named = applyMember(NO_MEMBERS, byPhone.statement);
  judged(
    'device-retired-later',
    'a role stays when the device that gave it is retired later',
    await later('retired'),
    [byPhone],
    named,
  );
  for (const reason of ['lost', 'undone'] as const) {
    judged(
      `device-${reason}-later`,
      `a role is none when the device that gave it is revoked later, as ${reason}`,
      await later(reason),
      [byPhone],
      named,
    );
  }
  const lost = { ...bank, log: await later('lost') };
  const anew = await change(lost, named, bob, 'agent');
  const both = applyMember(named, anew.statement);
  judged(
    'device-lost-followed',
    'a change that knows of the loss vouches for none before it, and counts',
    lost.log,
    [byPhone, anew],
    both,
  );
  const again = await change(lost, both, alice, 'owner');
  judged(
    'device-lost-given-again',
    'a role that was given by a device that was lost, and then by another',
    lost.log,
    [byPhone, anew, again],
    applyMember(both, again.statement),
  );
  const two = applyMember(one, second.statement);
  const taken = await change(bank, two, bob, 'none', phone);
  const demoted = await change(bank, two, bob, 'auditor', phone);
  judged(
    'device-lost-changed',
    'a device that was lost later changed a role: its member has none',
    lost.log,
    [first, second, demoted],
    applyMember(two, demoted.statement),
  );
  judged(
    'device-lost-removed',
    'a device that was lost later removed a member, who is none all the same',
    lost.log,
    [first, second, taken],
    applyMember(two, taken.statement),
  );
  const stopped = await frozen(bank, laptop, phone.kid);
  judged(
    'device-frozen-later',
    'a role is none while the device that gave it is frozen',
    stopped.log,
    [byPhone],
    named,
  );
  const thaw = await createThaw(bank.crypto, signing(stopped, laptop), phone.kid);
  judged(
    'device-thawed-later',
    'and is one again when that is thawed',
    (await extended(stopped, thaw.jws)).log,
    [byPhone],
    named,
  );
  bad('first-not-owner', 'the first is no owner', 'last-owner', [
    (await change(bank, NO_MEMBERS, bob, 'agent')).jws,
  ]);
  bad('last-owner-removed', 'the last owner goes', 'last-owner', [
    first.jws,
    (await change(bank, one, alice, 'none')).jws,
  ]);
  bad('last-owner-demoted', 'the last owner becomes an agent', 'last-owner', [
    first.jws,
    (await change(bank, one, alice, 'agent')).jws,
  ]);
  bad('gap', 'a change is left out', 'member-conflict', [second.jws]);
  bad('repeated', 'a change twice', 'member-conflict', [first.jws, first.jws]);
  await signed('wrong-seq', 'a number is left out', 'member-conflict', { seq: 3 });
  await signed('wrong-prev', 'it follows another change', 'member-conflict', { prev: OTHER_HASH });
  await signed('prev-missing', 'it follows none, and is not the first', 'member-conflict', {
    prev: undefined,
  });
  await signed('earlier', 'it is older than the change before', 'member-conflict', { iat: NOW - 1 });
  await signed('head-older', 'it knew less of the log than the change before', 'member-conflict', {
    head: { seq: 0, hash: bank.log.hashes[0] },
  });
  await signed('head-fork', 'its device knew another log', 'log-fork', {
    head: { seq: 1, hash: OTHER_HASH },
  });
  await signed('other-account', 'a change of another organisation’s members', 'account-mismatch', {
    sub: 'mallory@example.com',
  });
  await signed(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    {},
    await testDevice(memory, 'broker'),
  );
  await signed(
    'revoked-device',
    'by a device that had been revoked at that head',
    'device-revoked',
    { head: revoked.log.head },
    phone,
    revoked.log.entries,
  );
  const answering = await withDevice(await newAccount(memory, BANK), 'phone', { rights: ['ask', 'answer'] });
  bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    [await signLoose(phone, 'member', { ...payloadOf(first.jws), head: answering.log.head })],
    answering.log.entries,
  );
  await signed('role-unknown', 'a role that there is not', 'statement-malformed', { role: 'admin' });
  await signed('seq-0', 'changes are counted from 1', 'statement-malformed', { seq: 0 });
  await signed('seq-too-large', 'a number that readers round', 'statement-malformed', { seq: TOO_LARGE });
  await signed('member-not-a-name', 'no account name', 'statement-malformed', { member: 'bob' });
  await signed('member-more', 'a further member', 'statement-malformed', { note: 'x' });
  bad('wrong-typ', 'the same payload as another kind', 'statement-type', [
    await signLoose(laptop, 'contact', payloadOf(first.jws)),
  ]);
  return {
    description:
      'Changes of an organisation’s members: each of `changes` is verified by the log of `entries`, and applied to the list after the ones before; `members` are those whose role stands by that log.',
    spec: 'members.md#member',
    vectors,
  };
}
