import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { AccountBook, BrokerApi, newEpoch } from '@countersign/client';
import {
  CountersignError,
  createCheckpoint,
  createEpoch,
  createGenesis,
  DeviceAddEntry,
  DeviceStatement,
  extendLog,
  ResponseStatement,
  type Signer,
  signStatement,
  type VerifiedReceipt,
  verifyReceipt,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { alterMember, alterPayload, type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { addDevice, introduce, makeParty, type Party, refused, revokeDevice, TestClock } from './parties.ts';

const clock = new TestClock();
let evil: MaliciousBroker;
let alice: Party;
let host: Party;
let serial = 0;

/** Fresh parties for every test: the limits of one pair are not those of the next. */
async function fresh(): Promise<void> {
  serial++;
  [alice, host] = await Promise.all([
    makeParty(evil.origin, `alice${serial}@example.com`, clock),
    makeParty(evil.origin, `host${serial}@example.com`, clock),
  ]);
  await introduce(alice, host);
}

const isState = (path: string) => /^\/v1\/requests\/[^/?]+(\?|$)/.test(path);
const isLogOf = (party: Party) => (path: string) =>
  path.startsWith(`/v1/accounts/${encodeURIComponent(party.name)}/log`);

async function ask(options: Partial<Parameters<Party['enquirer']['ask']>[0]> = {}) {
  return host.enquirer.ask({ account: alice.name, text: 'Log in to Host1', ...options });
}

async function accept(options: Partial<Parameters<Party['device']['answer']>[1]> = {}): Promise<void> {
  const { requests } = await alice.device.pending();
  await alice.device.answer(requests.at(-1)!, { decision: 'accept', shown: 'caller', ...options });
}

before(async () => {
  evil = await startMaliciousBroker(clock);
});
after(() => evil[Symbol.asyncDispose]());
afterEach(() => evil.behave());

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
    const asked = await ask({ lifetime: 3 });
    await accept();
    evil.tamper(
      (path, body) => isState(path) && { hash: body.hash, state: 'pending', expires_at: body.expires_at },
    );
    assert.deepEqual(await host.enquirer.wait(asked.hash), { outcome: 'expired' });
  });
});

describe('a log that was longer before', () => {
  test('is a rollback when the broker shows less of it, and a fork when it shows another', async () => {
    await fresh();
    const { session } = alice.device;
    const log = await logOf(alice);
    const entry = async () => {
      const own = await generateSigner('EdDSA');
      return addedDevice(session.keys.signer, own, log);
    };
    const [one, other] = [await entry(), await entry()];
    await session.api.appendLog(alice.name, [one]);
    assert.equal((await host.enquirer.session.book.find(alice.name, -1)).log.head.seq, 1);

    evil.tamper((path, body) => isLogOf(alice)(path) && { ...body, entries: [] });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('log-rollback'));
    evil.tamper((path, body) => isLogOf(alice)(path) && { ...body, entries: [other] });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('log-fork'));
  });
});

describe('of two look-ups at a time, a broker that answers one late', () => {
  /** Another process of the same profile. */
  const otherBook = () => new AccountBook(new BrokerApi(evil.origin), webCrypto, host.state, clock);

  /** The first log of a party that is read from now on is another one, and comes when it is let go. */
  function holdBack(party: Party, other: (body: unknown, path: string) => Promise<object>) {
    const { promise, resolve } = Promise.withResolvers<void>();
    let first = true;
    evil.tamper(async (path, body) => {
      if (!first || !isLogOf(party)(path)) return;
      first = false;
      await promise;
      return other(body, path);
    });
    return resolve;
  }

  test('does not replace an account that was bound by its link', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    const letGo = holdBack(bob, accountOfItsOwn);
    const early = otherBook().find(bob.name, 3600);
    early.catch(() => {});
    await untilHeld();
    const { name, identity } = bob.device.session.keys;
    await host.enquirer.session.book.bind(name, identity, 'link');
    letGo();
    await assert.rejects(early, refused('account-changed'));
    const { log, binding } = await host.enquirer.session.book.find(name, 3600);
    assert.deepEqual([log.identity, binding], [identity, 'link']);
  });

  test('does not replace a log that shows a revocation by a longer one', async () => {
    await fresh();
    const thief = await addDevice(alice, 'stolen phone', ['ask', 'answer', 'pay', 'admit', 'recover']);
    const kid = await thief.device.session.kid();
    await host.enquirer.session.book.find(alice.name, 0);
    const before = await alice.device.session.ownLog(0);
    const { signer } = thief.device.session.keys;
    let fork = before;
    for (let i = 0; i < 4; i++) {
      const entry = await createEpoch(webCrypto, fork, signer, await newEpoch(), clock.now());
      fork = await extendLog(webCrypto, fork, [entry.jws]);
    }
    await revokeDevice(alice, kid);
    const letGo = holdBack(alice, async (body, path) => {
      const from = Number(/from=(\d+)/.exec(path)![1]);
      const { signer: own } = evil.broker.context;
      const checkpoint = await createCheckpoint(webCrypto, own, evil.origin, fork, clock.now());
      return { ...(body as object), entries: fork.entries.slice(from), checkpoint: checkpoint.jws };
    });
    const early = otherBook().find(alice.name, 0);
    early.catch(() => {});
    await untilHeld();
    await host.enquirer.session.book.find(alice.name, 0);
    letGo();
    await assert.rejects(early, refused('log-fork'));
    const { log } = await host.enquirer.session.book.find(alice.name, 3600);
    assert.notEqual(log.devices.get(kid)!.revokedAt, undefined);
  });

  test('does not replace a longer log by a shorter one', async () => {
    await fresh();
    const tablet = await addDevice(alice, 'tablet');
    const short = await alice.device.session.ownLog(0);
    const { signer } = evil.broker.context;
    const letGo = holdBack(alice, async (body) => {
      const checkpoint = await createCheckpoint(webCrypto, signer, evil.origin, short, clock.now());
      return { ...(body as object), entries: short.entries, checkpoint: checkpoint.jws };
    });
    const early = otherBook().find(alice.name, 0);
    await untilHeld();
    await revokeDevice(alice, await tablet.device.session.kid());
    const { head } = await alice.device.session.ownLog(0);
    await host.enquirer.session.book.find(alice.name, 0);
    letGo();
    assert.deepEqual((await early).log.head, head);
    assert.deepEqual((await host.enquirer.session.book.find(alice.name, 3600)).log.head, head);
  });

  test('does not leave another account bound where the program ends before it can say so', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    evil.tamper(async (path, body) => isLogOf(bob)(path) && (await accountOfItsOwn(body)));
    const { name, identity } = bob.device.session.keys;
    const kept = () => host.state.get('log', `${evil.origin} ${name}`);
    const { update } = host.state;
    host.state.update = (kind, key, change) => {
      assert.notEqual(kind, 'log', 'nothing is stored that was not compared');
      return update.call(host.state, kind, key, change as never) as never;
    };
    await assert.rejects(otherBook().bind(name, identity, 'link'), refused('account-changed'));
    host.state.update = update;
    assert.equal(await kept(), undefined);
  });

  /** The held look-up is on its way. */
  async function untilHeld(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
});

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

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
function answered(body: any, response: string): object {
  return { ...body, state: 'answered', settled_at: clock.now(), response };
}

async function forge(signer: Signer, req: string): Promise<string> {
  const log = await logOf(alice);
  const forged = await signStatement(webCrypto, ResponseStatement, signer, {
    req,
    iss: log.name,
    iss_id: log.identity,
    iat: clock.now(),
    head: log.head,
    content: { decision: 'accept', shown: 'screen', salt: 'A'.repeat(22) },
  });
  return forged.jws;
}

function logOf(party: Party) {
  return party.device.session.ownLog(Number.POSITIVE_INFINITY);
}

async function addedDevice(
  admitting: Signer,
  own: Signer,
  log: Awaited<ReturnType<typeof logOf>>,
): Promise<string> {
  const enc = (await generateOpener()).publicKey;
  const now = clock.now();
  const device = await signStatement(webCrypto, DeviceStatement, own, {
    sub: log.name,
    sub_id: log.identity,
    iat: now,
    sig: own.publicKey,
    enc,
    name: 'another device',
  });
  const { jws } = await signStatement(webCrypto, DeviceAddEntry, admitting, {
    sub: log.name,
    iat: now,
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device: device.jws,
    rights: ['answer'],
    sealed: 'AAAA',
  });
  return jws;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
async function withDeviceOfItsOwn(body: any): Promise<object> {
  const mallet = await generateSigner('EdDSA');
  return { ...body, entries: [...body.entries, await addedDevice(mallet, mallet, await logOf(alice))] };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
async function accountOfItsOwn(body: any): Promise<object> {
  const genesis = await createGenesis(webCrypto, {
    name: body.name,
    signer: await generateSigner('EdDSA'),
    enc: (await generateOpener()).publicKey,
    deviceName: 'alice’s phone',
    epoch: await newEpoch(),
    now: clock.now(),
  });
  const log = { name: body.name, identity: genesis.hash, head: { seq: 0, hash: genesis.hash } };
  const { signer } = evil.broker.context;
  const checkpoint = await createCheckpoint(webCrypto, signer, evil.origin, log, clock.now());
  return { ...body, identity: genesis.hash, entries: [genesis.jws], checkpoint: checkpoint.jws };
}
