/**
 * Vectors of contacts.
 * @module
 */
import {
  applyContact,
  type ContactList,
  createContact,
  type ErrorCode,
  NO_CONTACTS,
  type Policy,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { newAccount, type TestAccount, withDevice, withoutDevice } from './accounts.ts';
import { ALICE, OTHER_HASH } from './log-vectors.ts';
import type { Memory } from './memory.ts';
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

export async function contact(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const shop = {
    name: 'shop@example.com',
    identity: (await newAccount(memory, 'shop@example.com')).log.identity,
  };
  const bank = {
    name: 'bank@example.com',
    identity: (await newAccount(memory, 'bank@example.com')).log.identity,
  };

  const change = async (
    account: TestAccount,
    list: ContactList,
    contact: typeof shop,
    policy: Policy,
    by = account.devices[0]!,
  ) => {
    const statement = await createContact(webCrypto, by.signer, account.log, list, contact, policy, NOW);
    return { jws: statement.jws, list: applyContact(list, statement) };
  };
  const listed = (list: ContactList) => ({ seq: list.seq, contacts: [...list.contacts.values()] });

  for (const algorithm of ALGORITHMS) {
    const alice = await withDevice(await newAccount(memory, ALICE, algorithm), 'phone');
    const { entries } = alice.log;
    const first = await change(alice, NO_CONTACTS, shop, 'allow');
    const second = await change(alice, first.list, bank, 'allow', alice.devices[1]!);
    const third = await change(alice, second.list, shop, 'block');
    const fourth = await change(alice, third.list, bank, 'forget');
    const all = [first, second, third, fourth].map(({ jws }) => jws);
    vectors.push(
      valid(
        `${algorithm}-first`,
        'a first contact',
        { entries, changes: all.slice(0, 1) },
        listed(first.list),
      ),
      valid(
        `${algorithm}-four`,
        'allow, allow, block, forget',
        { entries, changes: all },
        listed(fourth.list),
      ),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries,
        changes: [flipSignature(first.jws)],
      }),
      ...flipMembers(second.jws, { policy: 'block' }).map(({ path, jws }) =>
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
          { entries, changes: [first.jws, jws] },
        ),
      ),
    );
  }
  const alice = await withDevice(await newAccount(memory, ALICE), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const { entries } = alice.log;
  const first = await change(alice, NO_CONTACTS, shop, 'allow');
  const second = await change(alice, first.list, bank, 'allow');
  const bad = (name: string, comment: string, code: ErrorCode, changes: string[], log = entries) =>
    vectors.push(invalid(name, comment, code, { entries: log, changes }));
  const revoked = await withoutDevice(alice, phone.kid);
  const byPhone = await change(alice, NO_CONTACTS, shop, 'allow', phone);
  vectors.push(
    valid(
      'device-revoked-later',
      'a change stays good when its device is revoked later',
      { entries: revoked.log.entries, changes: [byPhone.jws] },
      listed(byPhone.list),
    ),
  );
  bad('gap', 'a change is left out', 'contact-conflict', [second.jws]);
  bad('repeated', 'a change twice', 'contact-conflict', [first.jws, first.jws]);
  const payload = payloadOf(second.jws);
  const signed = async (
    name: string,
    comment: string,
    code: ErrorCode,
    changed: object,
    by = laptop,
    log = entries,
  ) => bad(name, comment, code, [first.jws, await signLoose(by, 'contact', { ...payload, ...changed })], log);
  await signed('wrong-seq', 'a number is left out', 'contact-conflict', { seq: 3 });
  await signed('wrong-prev', 'it follows another change', 'contact-conflict', { prev: OTHER_HASH });
  await signed('prev-missing', 'it follows none, and is not the first', 'contact-conflict', {
    prev: undefined,
  });
  bad('prev-on-first', 'the first follows none', 'contact-conflict', [
    await signLoose(laptop, 'contact', { ...payloadOf(first.jws), prev: OTHER_HASH }),
  ]);
  await signed('head-older', 'it knew less of the log than the change before', 'contact-conflict', {
    head: { seq: 0, hash: alice.log.hashes[0] },
  });
  const more = await change(revoked, first.list, bank, 'allow');
  bad('head-unknown', 'its device knew a longer log than the one at hand', 'log-rollback', [
    first.jws,
    more.jws,
  ]);
  await signed('head-fork', 'its device knew another log', 'log-fork', {
    head: { seq: 1, hash: OTHER_HASH },
  });
  await signed('other-account', 'a change of another account’s contacts', 'account-mismatch', {
    sub: 'mallory@example.com',
  });
  await signed('other-identity', 'or of another account of the same name', 'account-mismatch', {
    sub_id: OTHER_HASH,
  });
  await signed(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    {},
    await testDevice(memory, 'broker'),
  );
  await signed(
    'before-let-in',
    'by a device that was not yet in the account at that head',
    'device-unknown',
    { head: { seq: 0, hash: alice.log.hashes[0] } },
    phone,
  );
  await signed(
    'revoked-device',
    'by a device that had been revoked at that head',
    'device-revoked',
    { head: revoked.log.head },
    phone,
    revoked.log.entries,
  );
  const asking = await withDevice(await newAccount(memory, ALICE), 'phone', { rights: ['ask'] });
  bad(
    'answer-missing',
    'by a device without the right to answer',
    'device-not-entitled',
    [await signLoose(phone, 'contact', { ...payloadOf(first.jws), head: asking.log.head })],
    asking.log.entries,
  );
  await signed('policy-unknown', 'a policy that there is not', 'statement-malformed', { policy: 'mute' });
  await signed('seq-0', 'changes are counted from 1', 'statement-malformed', { seq: 0 });
  await signed('seq-too-large', 'a number that readers round', 'statement-malformed', { seq: TOO_LARGE });
  await signed('head-seq-too-large', 'so in the head', 'statement-malformed', {
    head: { ...payload.head, seq: TOO_LARGE },
  });
  await signed('contact-not-a-name', 'no account name', 'statement-malformed', { contact: 'shop' });
  await signed('member-more', 'a further member', 'statement-malformed', { note: 'x' });
  bad('wrong-typ', 'the same payload as another kind', 'statement-type', [
    await signLoose(laptop, 'report', payloadOf(first.jws)),
  ]);
  return {
    description:
      'Changes of an account’s contacts: each of `changes` is verified by the log of `entries`, and applied to the list after the ones before.',
    spec: 'contacts.md',
    vectors,
  };
}
