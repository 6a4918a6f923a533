import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { alterMember, alterPayload } from './malicious-broker.ts';
import { accept, alice, ask, clock, evil, fresh, host, serial } from './malicious-scene.ts';
import { makeParty, refused } from './parties.ts';

describe('a device detects a broker that', () => {
  const onPending = (change: (row: { request: string; hash: string }) => object) => {
    evil.tamper((path, body) =>
      path.includes('/pending')
        ? {
            ...body,
            requests: body.requests.map((row: { request: string; hash: string }) => ({
              ...row,
              ...change(row),
            })),
          }
        : undefined,
    );
  };
  const suspectCode = async () => {
    const { requests, suspects } = await alice.device.pending();
    assert.equal(requests.length, 0, 'nothing that was tampered with is shown');
    return suspects[0]?.error.code;
  };

  for (const [what, member, code] of [
    ['the text', 'text', 'signature-invalid'],
    ['the time it expires', 'exp', 'signature-invalid'],
    ['the asker’s id of it', 'jti', 'signature-invalid'],
    ['the account that is asked', 'sub_id', 'account-mismatch'],
    ['the broker that is meant', 'aud', 'statement-malformed'],
  ] as const) {
    test(`alters one character of ${what}`, async () => {
      await fresh();
      await ask({ sealed: false });
      onPending(({ request }) => ({ request: alterPayload(request, alterMember(member)) }));
      assert.equal(await suspectCode(), code);
    });
  }

  test('alters one character of a sealed question', async () => {
    await fresh();
    await ask();
    onPending(({ request }) => ({ request: alterPayload(request, alterMember('box')) }));
    assert.equal(await suspectCode(), 'signature-invalid');
  });

  test('delivers one request under another’s label', async () => {
    await fresh();
    await ask();
    onPending(() => ({ hash: `${'B'.repeat(42)}A` }));
    assert.equal(await suspectCode(), 'request-mismatch');
  });

  test('takes an answer and does not say so, to have another one', async () => {
    await fresh();
    const asked = await ask();
    const sent: string[] = [];
    const { api } = alice.device.session;
    const { postResponse } = api;
    api.postResponse = async (_hash, jws) => {
      sent.push(jws);
      throw new CountersignError('broker-unreachable', 'no answer');
    };
    await assert.rejects(accept(), refused('broker-unreachable'));
    const { requests } = await alice.device.pending();
    assert.equal(requests[0]?.signed, 'accept');
    await assert.rejects(
      alice.device.answer(requests[0]!, { decision: 'reject', shown: 'screen' }),
      refused('request-replayed'),
    );
    await assert.rejects(accept(), refused('broker-unreachable'));
    assert.deepEqual(new Set(sent).size, 1, 'the same bytes again');
    api.postResponse = postResponse;
    await accept();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    assert.equal((await alice.device.history())[0]?.decision, 'accept');
    await assert.rejects(
      alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' }),
      refused('request-replayed'),
    );
  });

  test('delivers again what was answered', async () => {
    await fresh();
    const asked = await ask();
    const { requests: wire } = await alice.device.session.api.list(
      alice.device.session.keys.signer,
      alice.name,
      'pending',
    );
    await accept();
    evil.tamper((path, body) => path.includes('/pending') && { ...body, requests: wire });
    assert.equal(wire[0]!.hash, asked.hash);
    assert.equal(await suspectCode(), 'request-replayed');
  });

  test('delivers what has expired', async () => {
    await fresh();
    await ask({ lifetime: 60 });
    const { keys, api } = alice.device.session;
    const { requests: wire } = await api.list(keys.signer, alice.name, 'pending');
    evil.tamper((path, body) => path.includes('/pending') && { ...body, requests: wire });
    clock.offset += 61;
    try {
      assert.equal(await suspectCode(), 'request-expired');
    } finally {
      clock.offset -= 61;
    }
  });

  test('lets a stranger’s question through', async () => {
    await fresh();
    const mallet = await makeParty(evil.origin, `mallet${serial}@example.com`, clock);
    const asked = await mallet.enquirer.ask({ account: alice.name, text: 'Trust me' });
    const row = await evil.broker.context.store.findRequest(asked.hash);
    onPending(() => ({ held: false, request: row!.jws }));
    assert.equal(await suspectCode(), 'contact-unknown');
  });

  test('lets a blocked enquirer’s question through', async () => {
    await fresh();
    await ask();
    const { keys, api } = alice.device.session;
    const { requests: wire } = await api.list(keys.signer, alice.name, 'pending');
    await alice.device.contacts.change(host.device.session.keys, 'block');
    evil.tamper((path, body) => path.includes('/pending') && { ...body, requests: wire });
    assert.equal(await suspectCode(), 'not-permitted');
  });

  test('forgets a block', async () => {
    await fresh();
    await ask();
    const { keys, api } = alice.device.session;
    const { requests: wire } = await api.list(keys.signer, alice.name, 'pending');
    await alice.device.contacts.change(host.device.session.keys, 'block');
    evil.tamper((path, body) => {
      if (path.includes('/pending')) return { ...body, requests: wire };
      if (path.includes('/contacts')) return { ...body, changes: [] };
      return undefined;
    });
    assert.equal(await suspectCode(), 'not-permitted');
  });

  test('invents a contact', async () => {
    await fresh();
    const mallet = await makeParty(evil.origin, `mallet${serial}@example.com`, clock);
    const { keys } = mallet.device.session;
    await mallet.device.contacts.change(alice.device.session.keys, 'allow');
    const [forged] = await mallet.device.session.api.readContacts(keys.signer, mallet.name, 1);
    evil.tamper(
      (path, body) => path.includes('/contacts') && { ...body, changes: [...body.changes, forged] },
    );
    await assert.rejects(alice.device.contacts.read(), refused('account-mismatch'));
  });

  test('calls one enquirer by another’s name', async () => {
    await fresh();
    await ask();
    onPending((row) => ({
      ...row,
      enquirer: { name: alice.name, identity: alice.device.session.keys.identity },
    }));
    assert.equal(await suspectCode(), 'request-mismatch');
  });
});
