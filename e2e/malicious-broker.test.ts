import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createCheckpoint,
  createResponse,
  ResponseStatement,
  type VerifiedReceipt,
  verifyReceipt,
} from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { alterMember, alterPayload } from './malicious-broker.ts';
import {
  accept,
  accountOfItsOwn,
  alice,
  answered,
  ask,
  clock,
  evil,
  forge,
  fresh,
  host,
  isLogOf,
  isState,
  logOf,
  serial,
  withDeviceOfItsOwn,
} from './malicious-scene.ts';
import { addDevice, makeParty, refused } from './parties.ts';

describe('an enquirer detects a broker that', () => {
  test('forges an answer with a key of its own', async () => {
    await fresh();
    const asked = await ask({ sealed: false });
    const mallet = await generateSigner('EdDSA');
    evil.tamper(async (path, body) => isState(path) && answered(body, await forge(mallet, asked.hash)));
    await assert.rejects(host.enquirer.wait(asked.hash), refused('device-unknown'));
  });

  test('forges an answer in the name of a real device', async () => {
    await fresh();
    const asked = await ask({ sealed: false });
    const mallet = await generateSigner('EdDSA');
    const kid = await alice.device.session.kid();
    evil.tamper(async (path, body) => {
      if (!isState(path)) return;
      const [, payload, signature] = (await forge(mallet, asked.hash)).split('.');
      const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: ResponseStatement.typ, kid })).toString(
        'base64url',
      );
      return answered(body, [header, payload, signature].join('.'));
    });
    await assert.rejects(host.enquirer.wait(asked.hash), refused('signature-invalid'));
  });

  for (const [what, member, code] of [
    ['the decision', 'decision', 'statement-malformed'],
    ['the request that it answers', 'req', 'request-mismatch'],
    ['the time', 'iat', 'signature-invalid'],
    ['the passcode', 'passcode', 'signature-invalid'],
    ['the way it was shown', 'shown', 'statement-malformed'],
    ['the account’s identity', 'iss_id', 'account-mismatch'],
    ['the log that the device knew', 'hash', 'signature-invalid'],
  ] as const) {
    test(`alters one character of ${what}`, async () => {
      await fresh();
      const asked = await ask({ sealed: false, passcode: true });
      await accept({ passcode: asked.passcode! });
      evil.tamper(
        (path, body) => isState(path) && answered(body, alterPayload(body.response, alterMember(member))),
      );
      await assert.rejects(host.enquirer.wait(asked.hash), refused(code));
      evil.behave();
      assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    });
  }

  test('turns a signed no into a yes', async () => {
    await fresh();
    const asked = await ask({ sealed: false });
    const { requests } = await alice.device.pending();
    await alice.device.answer(requests[0]!, { decision: 'reject', shown: 'caller' });
    evil.tamper(
      (path, body) =>
        isState(path) &&
        answered(
          body,
          alterPayload(body.response, (text) => text.replace('"reject"', '"accept"')),
        ),
    );
    await assert.rejects(host.enquirer.wait(asked.hash), refused('signature-invalid'));
  });

  test('alters one character of a sealed answer', async () => {
    await fresh();
    const asked = await ask();
    await accept();
    evil.tamper(
      (path, body) => isState(path) && answered(body, alterPayload(body.response, alterMember('box'))),
    );
    await assert.rejects(host.enquirer.wait(asked.hash), refused('signature-invalid'));
  });

  test('replays an old answer for a new question', async () => {
    await fresh();
    const first = await ask();
    await accept();
    const { response } = await host.enquirer.session.api.readState(first.hash);
    const second = await ask();
    evil.tamper((path, body) => isState(path) && answered(body, response!));
    await assert.rejects(host.enquirer.wait(second.hash), refused('request-mismatch'));
  });

  test('holds a good answer back until the question’s time is over', async () => {
    await fresh();
    const asked = await ask({ lifetime: 60 });
    await accept();
    clock.offset += 70;
    try {
      await assert.rejects(host.enquirer.wait(asked.hash), refused('response-late'));
    } finally {
      clock.offset -= 70;
    }
  });

  test('says that it was answered, and shows no answer', async () => {
    await fresh();
    const asked = await ask();
    evil.tamper((path, body) => isState(path) && { ...body, state: 'answered', settled_at: clock.now() });
    await assert.rejects(host.enquirer.wait(asked.hash), refused('broker-answer-invalid'));
  });

  test('adds a device of its own to the log', async () => {
    await fresh();
    evil.tamper(async (path, body) => isLogOf(alice)(path) && (await withDeviceOfItsOwn(body)));
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('log-invalid'));
  });

  test('swaps the account for one of its own', async () => {
    await fresh();
    evil.tamper(async (path, body) => isLogOf(alice)(path) && (await accountOfItsOwn(body)));
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('account-changed'));
  });

  test('swaps the account at first contact, where the link names its identity', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    evil.tamper(async (path, body) => isLogOf(bob)(path) && (await accountOfItsOwn(body)));
    const { name, identity } = bob.device.session.keys;
    await assert.rejects(host.enquirer.session.book.bind(name, identity, 'link'), refused('account-changed'));
  });

  test('shows an old checkpoint', async () => {
    await fresh();
    const { signer, origins } = evil.broker.context;
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice)(path)) return;
      const log = await logOf(alice);
      const old = await createCheckpoint(webCrypto, signer, origins[0], log, clock.now() - 7200);
      return { ...body, checkpoint: old.jws };
    });
    clock.offset += 3700;
    try {
      await assert.rejects(ask(), refused('checkpoint-stale'));
    } finally {
      clock.offset -= 3700;
    }
  });

  test('withholds a revocation for longer than an hour', async () => {
    await fresh();
    const phone = await addDevice(alice, 'alice’s phone', ['answer']);
    await ask();
    const before = await logOf(alice);
    const { checkpoint } = await host.enquirer.session.book.find(alice.name, 0);
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
    // What it said before the revocation, and nothing newer.
    evil.tamper((path, body) => {
      if (!isLogOf(alice)(path)) return;
      const from = Number(/from=(\d+)/.exec(path)![1]);
      return { ...body, entries: before.entries.slice(from), checkpoint };
    });
    // Within the hour its old copy is good enough for a login, by the asker's own choice; after it, it is not.
    assert.equal(
      (await host.enquirer.session.book.find(alice.name, 3600)).log.devices.get(
        await phone.device.session.kid(),
      )!.revokedAt,
      undefined,
    );
    clock.offset += 3600 + 120;
    try {
      await assert.rejects(ask(), refused('checkpoint-stale'));
      await assert.rejects(host.enquirer.session.book.find(alice.name, 3600), refused('checkpoint-stale'));
    } finally {
      clock.offset -= 3600 + 120;
    }
  });

  test('withholds a revocation from an asker that wants no word older than an hour, with an answer by that device', async () => {
    await fresh();
    const phone = await addDevice(alice, 'alice’s phone', ['answer']);
    const approval = { kind: 'approval', lifetime: 80_000 } as const;
    // The account's log as it was, for both questions.
    const lenient = await ask(approval);
    const strict = await ask({ ...approval, maxCheckpointAge: 3600 });
    const log = await logOf(alice);
    const { checkpoint } = await host.enquirer.session.book.find(alice.name, 0);
    const { requests } = await phone.device.pending();
    const enquirer = await host.device.session.ownLog();
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
    clock.offset += 3600 + 120;
    try {
      const responses = new Map<string, string>();
      for (const { hash, open } of requests) {
        const { signer } = phone.device.session.keys;
        const by = { signer, account: log, enquirer, now: clock.now() };
        const decided = { decision: 'accept', shown: 'screen' } as const;
        responses.set(hash, (await createResponse(webCrypto, by, open, decided)).statement.jws);
      }
      evil.tamper((path, body) => {
        if (isState(path)) return answered(body, responses.get(body.hash)!);
        if (!isLogOf(alice)(path)) return;
        const from = Number(/from=(\d+)/.exec(path)![1]);
        return { ...body, entries: log.entries.slice(from), checkpoint };
      });
      // By the choice of who asks: a day is what an approval allows.
      assert.equal((await host.enquirer.status(lenient.hash)).outcome, 'accepted');
      await assert.rejects(host.enquirer.status(strict.hash), refused('checkpoint-stale'));
      await assert.rejects(ask({ ...approval, maxCheckpointAge: 3600 }), refused('checkpoint-stale'));
    } finally {
      clock.offset -= 3600 + 120;
    }
    evil.behave();
    await assert.rejects(
      phone.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' }),
      refused('device-revoked'),
    );
  });

  test('signs checkpoints with another key than before', async () => {
    await fresh();
    const other = await generateSigner('EdDSA');
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice)(path)) return;
      const made = await createCheckpoint(webCrypto, other, evil.origin, await logOf(alice), clock.now());
      return { ...body, checkpoint: made.jws };
    });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('broker-changed'));
  });

  test('shows a checkpoint for another head', async () => {
    await fresh();
    const { signer } = evil.broker.context;
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice)(path)) return;
      const log = { ...(await logOf(alice)), head: { seq: 0, hash: 'A'.repeat(43) } };
      return {
        ...body,
        checkpoint: (await createCheckpoint(webCrypto, signer, evil.origin, log, clock.now())).jws,
      };
    });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('checkpoint-invalid'));
  });

  for (const [state, code] of [
    ['refused', 'statement-type'],
    ['cancelled-by-enquirer', 'statement-type'],
  ] as const) {
    test(`says ${state}, and shows no statement that says so`, async () => {
      await fresh();
      const asked = await ask();
      const other = (await alice.device.session.ownLog()).entries[0];
      evil.tamper(
        (path, body) => isState(path) && { ...body, state, settled_at: clock.now(), statement: other },
      );
      await assert.rejects(host.enquirer.wait(asked.hash), refused(code));
    });
  }

  test('says refused, by the change that let us ask', async () => {
    await fresh();
    const asked = await ask();
    const { keys, api } = alice.device.session;
    const [statement] = await api.readContacts(keys.signer, alice.name, 1);
    evil.tamper(
      (path, body) => isState(path) && { ...body, state: 'refused', settled_at: clock.now(), statement },
    );
    await assert.rejects(host.enquirer.wait(asked.hash), refused('broker-answer-invalid'));
  });

  test('does not wait where it is asked to, and is not asked without a pause', async () => {
    await fresh();
    const asked = await ask({ lifetime: 3 });
    let calls = 0;
    evil.tamper((path) => {
      if (isState(path)) calls++;
    });
    await host.enquirer.wait(asked.hash);
    assert.ok(calls < 15, `${calls} calls in three seconds`);
  });

  test('dates its checkpoints ahead, so that they seem fresh: what is read anew is read', async () => {
    await fresh();
    const { signer } = evil.broker.context;
    let reads = 0;
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice)(path)) return;
      reads++;
      const ahead = await createCheckpoint(
        webCrypto,
        signer,
        evil.origin,
        await logOf(alice),
        clock.now() + 50,
      );
      return { ...body, checkpoint: ahead.jws };
    });
    const { book } = host.enquirer.session;
    for (let i = 0; i < 3; i++) await book.find(alice.name, 0);
    assert.equal(reads, 3);
  });

  test('withholds: the question expires, and that is a no', async () => {
    await fresh();
    const asked = await ask({ lifetime: 6 });
    await accept();
    evil.tamper(
      (path, body) => isState(path) && { hash: body.hash, state: 'pending', expires_at: body.expires_at },
    );
    assert.deepEqual(await host.enquirer.wait(asked.hash), { outcome: 'expired' });
  });
});

test('a receipt that a malicious broker had a hand in is refused, by its own distinct codes', async () => {
  await fresh();
  const asked = await ask();
  await accept();
  const receipt = await host.enquirer.receipt(asked.hash);
  const verify = (change: object): Promise<VerifiedReceipt> =>
    verifyReceipt(webCrypto, { ...receipt, ...change });
  await assert.doesNotReject(verify({}));
  const other = await ask();
  await accept();
  const second = await host.enquirer.receipt(other.hash);
  await assert.rejects(verify({ response: second.response }), refused('request-mismatch'));
  await assert.rejects(verify({ disclosed: second.disclosed }), refused('digest-mismatch'));
  await assert.rejects(verify({ account_log: receipt.enquirer_log }), refused('account-mismatch'));
  await assert.rejects(verify({ account_log: [] }), refused('receipt-invalid'));
});
