import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createFreeze, createRightsChange, createThaw } from '../src/account-entries.ts';
import { encodeBase64url } from '../src/base64url.ts';
import {
  applyContact,
  type ContactList,
  ContactStatement,
  createContact,
  NO_CONTACTS,
  type Policy,
  parseContact,
  verifyContact,
} from '../src/contact.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { grown, NOW, newAccount, newDevice, signing, type TestAccount, withoutDevice } from './fixtures.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';
import { type Loose, payloadOf, tamper } from './tamper.ts';

const contact = (n: number) => ({
  name: `shop${n}@example.com`,
  identity: encodeBase64url(new Uint8Array(32).fill(n)),
});

let alice: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
});

const change = (list: ContactList, n: number, policy: Policy, by = alice.devices[0]!) =>
  createContact(webCrypto, by.signer, alice.log, list, contact(n), policy, NOW);

async function read(jws: string, account = alice) {
  return verifyContact(
    webCrypto,
    await parseContact(webCrypto, jws),
    account.log,
    (seq) => account.log.hashes[seq],
  );
}

describe('the list of contacts', () => {
  test('begins empty, and is what its changes made of it', async () => {
    let list = NO_CONTACTS;
    for (const [n, policy] of [
      [1, 'allow'],
      [2, 'block'],
      [3, 'allow'],
      [1, 'block'],
      [3, 'forget'],
    ] as const) {
      list = applyContact(list, await read((await change(list, n, policy)).jws));
    }
    assert.equal(list.seq, 5);
    assert.deepEqual(
      [...list.contacts.values()],
      [
        { ...contact(1), policy: 'block' },
        { ...contact(2), policy: 'block' },
      ],
    );
    assert.equal(NO_CONTACTS.contacts.size, 0);
  });

  test('may be changed by any of the account’s devices', async () => {
    for (const device of alice.devices) await read((await change(NO_CONTACTS, 1, 'allow', device)).jws);
  });

  test('takes changes in their order only: none twice, none left out', async () => {
    const first = await change(NO_CONTACTS, 1, 'block');
    const list = applyContact(NO_CONTACTS, first);
    const second = await change(list, 1, 'allow');
    assert.throws(() => applyContact(list, first), refused('contact-conflict'));
    assert.throws(() => applyContact(NO_CONTACTS, second), refused('contact-conflict'));
    assert.throws(() => applyContact(applyContact(list, second), first), refused('contact-conflict'));
  });

  test('of two changes made at once takes one', async () => {
    const [one, two] = [
      await change(NO_CONTACTS, 1, 'allow', alice.devices[0]),
      await change(NO_CONTACTS, 1, 'block', alice.devices[1]),
    ];
    assert.throws(() => applyContact(applyContact(NO_CONTACTS, one), two), refused('contact-conflict'));
  });

  test('says of each contact what the last change said', async () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom('allow', 'block', 'forget')), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        let list = NO_CONTACTS;
        for (const [n, policy] of all) list = applyContact(list, await change(list, n, policy));
        for (let n = 0; n < 4; n++) {
          const last = all.findLast(([one]) => one === n)?.[1] ?? 'forget';
          assert.equal(list.contacts.get(contact(n).identity)?.policy ?? 'forget', last);
        }
      }),
      RUNS,
    );
  });
});

describe('a change of contacts', () => {
  test('is altered by nobody', async () => {
    const { jws } = await change(NO_CONTACTS, 1, 'block');
    const other = encodeBase64url(new Uint8Array(32));
    const changes: Record<string, (payload: Loose) => void> = {
      sub: (p) => (p.sub = 'bob@example.com'),
      sub_id: (p) => (p.sub_id = other),
      seq: (p) => p.seq++,
      iat: (p) => p.iat++,
      contact: (p) => (p.contact = 'mallory@example.com'),
      contact_id: (p) => (p.contact_id = other),
      policy: (p) => (p.policy = 'allow'),
    };
    await read(tamper(jws, () => {}));
    for (const [member, alter] of Object.entries(changes)) {
      await assert.rejects(
        read(tamper(jws, alter)),
        refused('signature-invalid', 'account-mismatch'),
        member,
      );
    }
  });

  test('of another account is refused, of the same name too', async () => {
    const { jws } = await change(NO_CONTACTS, 1, 'allow');
    for (const name of ['alice@example.com', 'bob@example.com']) {
      await assert.rejects(read(jws, await newAccount(name)), refused('account-mismatch'));
    }
  });

  test('under another name is refused', async () => {
    const payload = payloadOf((await change(NO_CONTACTS, 1, 'allow')).jws);
    const { signer } = alice.devices[0]!;
    const renamed = { ...payload, sub: 'bob@example.com' };
    const { jws } = await signStatement(webCrypto, ContactStatement, signer, renamed);
    await assert.rejects(read(jws), refused('account-mismatch'));
  });

  test('by a stranger’s device is refused', async () => {
    const { jws } = await change(NO_CONTACTS, 1, 'allow', await newDevice());
    await assert.rejects(read(jws), refused('device-unknown'));
  });

  test('by a device that is revoked later stays; by one that was revoked already is refused', async () => {
    const before = await change(NO_CONTACTS, 1, 'allow', alice.devices[1]);
    const later = await withoutDevice(alice, alice.devices[1]!.kid);
    await read(before.jws, later);
    const after = await createContact(
      webCrypto,
      alice.devices[1]!.signer,
      later.log,
      NO_CONTACTS,
      contact(1),
      'allow',
      NOW,
    );
    await assert.rejects(read(after.jws, later), refused('device-revoked'));
  });

  test('is judged by what its device was when it made it', async () => {
    const { kid } = alice.devices[1]!;
    const good = await change(NO_CONTACTS, 1, 'allow', alice.devices[1]);
    const without = await grown(alice, await createRightsChange(webCrypto, signing(alice, 0), kid, ['pay']));
    const again = await grown(
      without,
      await createRightsChange(webCrypto, signing(without, 0), kid, ['answer']),
    );
    await read(good.jws, without);
    const { signer } = alice.devices[1]!;
    const bad = await createContact(webCrypto, signer, without.log, NO_CONTACTS, contact(1), 'allow', NOW);
    await assert.rejects(read(bad.jws, again), refused('device-not-entitled'));
    const frozen = await grown(alice, await createFreeze(webCrypto, signing(alice, 0), kid));
    const thawed = await grown(frozen, await createThaw(webCrypto, signing(frozen, 0), kid));
    await read(good.jws, frozen);
    const stopped = await createContact(webCrypto, signer, frozen.log, NO_CONTACTS, contact(1), 'allow', NOW);
    await assert.rejects(read(stopped.jws, thawed), refused('device-frozen'));
  });

  test('by a revoked device that pretends to know the old log does not follow one that knew the new', async () => {
    const { log: later } = await withoutDevice(alice, alice.devices[1]!.kid);
    const { signer } = alice.devices[0]!;
    const first = await createContact(webCrypto, signer, later, NO_CONTACTS, contact(1), 'block', NOW);
    const list = applyContact(NO_CONTACTS, first);
    const second = await change(list, 1, 'allow', alice.devices[1]);
    assert.throws(() => applyContact(list, second), refused('contact-conflict'));
  });

  test('after another change than the one before it does not follow', async () => {
    const list = applyContact(NO_CONTACTS, await change(NO_CONTACTS, 1, 'block'));
    const other = applyContact(NO_CONTACTS, await change(NO_CONTACTS, 2, 'block'));
    const next = await change(other, 3, 'allow');
    assert.throws(() => applyContact(list, next), refused('contact-conflict'));
  });

  test('is of a known policy and a number from 1', async () => {
    const payload = payloadOf((await change(NO_CONTACTS, 1, 'allow')).jws);
    for (const wrong of [
      { policy: 'trust' },
      { seq: 0 },
      { seq: 1.5 },
      { contact: 'Shop@example.com' },
      { more: 1 },
    ]) {
      const { signer } = alice.devices[0]!;
      const made = signStatement(webCrypto, ContactStatement, signer, { ...payload, ...wrong });
      await assert.rejects(made, refused('statement-malformed'));
    }
  });
});
