import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CancelStatement,
  CountersignError,
  createResponse,
  signStatement,
  verifyReceipt,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addDevice, type Party, refused, revokeDevice } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const { clock, pair, atOffset } = world;

async function only(party: Party) {
  const { requests, suspects } = await party.device.pending();
  assert.deepEqual(suspects, []);
  assert.equal(requests.length, 1);
  return requests[0]!;
}

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  for (const sealed of [true, false]) {
    test(`a question is asked, answered and verified (${algorithm}, ${sealed ? 'sealed' : 'in clear'})`, async () => {
      const [alice, host] = await pair(algorithm);
      const fields = [{ name: 'Amount', value: '12.00 EUR' }];
      const asked = await host.enquirer.ask({
        account: alice.name,
        text: 'Pay',
        kind: 'payment',
        fields,
        sealed,
      });
      assert.equal((await host.enquirer.status(asked.hash)).outcome, 'pending');
      await assert.rejects(host.enquirer.verify(asked.hash), refused('request-not-pending'));
      const request = await only(alice);
      assert.equal(request.id, asked.id);
      assert.deepEqual(request.question.fields, fields);
      const waiting = host.enquirer.wait(asked.hash);
      await alice.device.answer(request, { decision: 'accept', shown: 'screen' });
      const outcome = await waiting;
      assert.equal(outcome.outcome, 'accepted');
      assert.ok('answer' in outcome);
      assert.equal(outcome.answer.device.kid, await alice.device.session.kid());
      assert.equal((await host.enquirer.verify(asked.hash)).decision.decision, 'accept');
      const receipt = await host.enquirer.receipt(asked.hash);
      assert.equal((await verifyReceipt(webCrypto, receipt)).response.decision.decision, 'accept');
      const hers = await alice.device.receipt(asked.hash);
      assert.equal((await verifyReceipt(webCrypto, hers)).request.statement.hash, asked.hash);
    });
  }
}

test('a rejection is signed too, and so is a report of fraud, which pauses the asker', async () => {
  const [alice, host] = await pair();
  const first = await host.enquirer.ask({ account: alice.name, text: 'One' });
  await alice.device.answer(await only(alice), { decision: 'reject', shown: 'screen' });
  assert.equal((await host.enquirer.wait(first.hash)).outcome, 'rejected');
  const second = await host.enquirer.ask({ account: alice.name, text: 'Two' });
  await alice.device.answer(await only(alice), { decision: 'fraud', shown: 'screen' });
  assert.equal((await host.enquirer.wait(second.hash)).outcome, 'fraud');
  await assert.rejects(host.enquirer.ask({ account: alice.name, text: 'Three' }), refused('too-often'));
});

describe('one question has one answer', () => {
  test('an accept leaves pending at once on every device, and a second answer is refused', async () => {
    const [alice, host] = await pair();
    const tablet = await addDevice(alice, 'alice’s tablet');
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const [seen, also] = [await only(alice), await only(tablet)];
    await alice.device.answer(seen, { decision: 'accept', shown: 'screen' });
    assert.deepEqual((await tablet.device.pending()).requests, []);
    assert.deepEqual((await alice.device.pending()).requests, []);
    await assert.rejects(
      tablet.device.answer(also, { decision: 'reject', shown: 'screen' }),
      refused('request-not-pending'),
    );
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    const [past] = await tablet.device.history();
    assert.equal(past?.state, 'answered');
  });

  test('of two answers at once, exactly one counts', async () => {
    const [alice, host] = await pair();
    const tablet = await addDevice(alice, 'alice’s tablet');
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const seen = [await only(alice), await only(tablet)] as const;
    const results = await Promise.allSettled([
      alice.device.answer(seen[0], { decision: 'accept', shown: 'screen' }),
      tablet.device.answer(seen[1], { decision: 'reject', shown: 'screen' }),
    ]);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    const expected = results[0].status === 'fulfilled' ? 'accepted' : 'rejected';
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, expected);
  });

  test('sending the same answer again changes nothing', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    await alice.device.answer(await only(alice), { decision: 'accept', shown: 'screen' });
    const { api } = alice.device.session;
    const { response } = await api.readState(asked.hash);
    assert.equal((await api.postResponse(asked.hash, response!)).state, 'answered');
  });
});

describe('time', () => {
  test('an answer after expiry is refused though its signature is good: by the device, the broker, the asker', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', lifetime: 30 });
    const request = await only(alice);
    const { session } = alice.device;
    const late = await createResponse(
      webCrypto,
      {
        signer: session.keys.signer,
        account: await session.ownLog(),
        enquirer: await host.device.session.ownLog(),
        now: request.expiresAt - 1,
      },
      request.open,
      { decision: 'accept', shown: 'screen' },
    );
    await atOffset(31, async () => {
      await assert.rejects(
        alice.device.answer(request, { decision: 'accept', shown: 'screen' }),
        refused('request-expired'),
      );
      await assert.rejects(
        session.api.postResponse(asked.hash, late.statement.jws),
        refused('request-expired'),
      );
      assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'expired');
    });
  });

  test('an expired question is settled by the broker, and its word is labelled so', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', lifetime: 3 });
    assert.deepEqual(await host.enquirer.wait(asked.hash), { outcome: 'expired' });
    const state = await host.enquirer.session.api.readState(asked.hash, 3);
    assert.equal(state.state, 'expired');
    assert.deepEqual((await alice.device.pending()).requests, []);
  });

  test('a question that stands longer than its kind allows is not made', async () => {
    const [alice, host] = await pair();
    await assert.rejects(
      host.enquirer.ask({ account: alice.name, text: 'Log in', lifetime: 601 }),
      refused('request-lifetime'),
    );
  });
});

describe('ending a question without an answer', () => {
  test('its enquirer cancels it, and only its enquirer can', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const request = await only(alice);
    const { keys, clock: time, api } = alice.device.session;
    const forged = await signStatement(webCrypto, CancelStatement, keys.signer, {
      req: asked.hash,
      iat: time.now(),
    });
    await assert.rejects(api.postCancel(asked.hash, forged.jws), refused('device-unknown'));
    await host.enquirer.cancel(asked.hash);
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'cancelled-by-enquirer');
    await assert.rejects(
      alice.device.answer(request, { decision: 'accept', shown: 'screen' }),
      refused('request-not-pending'),
    );
  });

  test('a block refuses what is pending, and stays', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const waiting = host.enquirer.wait(asked.hash);
    await alice.device.contacts.change(host.device.session.keys, 'block');
    assert.deepEqual(await waiting, { outcome: 'refused' });
    await assert.rejects(host.enquirer.ask({ account: alice.name, text: 'Again' }), refused('not-permitted'));
    await atOffset(7200, () =>
      assert.rejects(host.enquirer.ask({ account: alice.name, text: 'Again' }), refused('not-permitted')),
    );
  });
});

describe('passcodes', () => {
  test('the right one is needed, and the asker checks it again', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
    assert.match(asked.passcode ?? '', /^\d{6}$/);
    const request = await only(alice);
    const accept = { decision: 'accept', shown: 'screen' } as const;
    await assert.rejects(alice.device.answer(request, accept), refused('passcode-needed'));
    await assert.rejects(
      alice.device.answer(request, { ...accept, passcode: wrong(asked.passcode!) }),
      refused('passcode-wrong'),
    );
    await alice.device.answer(request, {
      ...accept,
      passcode: ` ${asked.passcode!.replace(/^.../, '$&-')} `,
    });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('a modified device that leaves it out, or guesses, convinces nobody', async () => {
    const [alice, host] = await pair();
    for (const [passcode, code] of [
      [undefined, 'passcode-missing'],
      ['000000', 'passcode-wrong'],
    ] as const) {
      const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
      if (asked.passcode === passcode) continue;
      const request = await only(alice);
      const { session } = alice.device;
      const { statement } = await createResponse(
        webCrypto,
        {
          signer: session.keys.signer,
          account: await session.ownLog(),
          enquirer: await host.device.session.ownLog(),
          now: clock.now(),
        },
        request.open,
        { decision: 'accept', shown: 'screen', ...(passcode === undefined ? {} : { passcode }) },
      );
      await session.api.postResponse(asked.hash, statement.jws);
      await assert.rejects(host.enquirer.wait(asked.hash), refused(code));
    }
  });

  test('three wrong tries end it with a signed answer; the count survives a new question', async () => {
    const [alice, host] = await pair();
    const failures: number[] = [];
    for (let round = 0; round < 2; round++) {
      const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
      const request = await only(alice);
      const guess = { decision: 'accept', shown: 'screen', passcode: wrong(asked.passcode!) } as const;
      await assert.rejects(alice.device.answer(request, guess), refused('passcode-wrong'));
      await assert.rejects(alice.device.answer(request, guess), refused('passcode-wrong'));
      assert.equal(await alice.device.answer(request, guess), 'passcode-failed');
      const outcome = await host.enquirer.wait(asked.hash);
      assert.equal(outcome.outcome, 'passcode-failed');
      assert.ok('answer' in outcome && outcome.answer.decision.decision === 'passcode-failed');
      failures.push(outcome.answer.decision.failures);
    }
    assert.deepEqual(failures, [3, 6]);
  });

  test('no try of a request comes back: not by a cut line, nor by adding the asker once more', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
    const request = await only(alice);
    const type = (passcode: string) =>
      alice.device.answer(request, { decision: 'accept', shown: 'screen', passcode });
    const { api } = alice.device.session;
    const { postResponse } = api;
    api.postResponse = () => Promise.reject(new CountersignError('broker-unreachable', 'a cut line'));
    for (const code of ['passcode-wrong', 'passcode-wrong', 'broker-unreachable'] as const) {
      await assert.rejects(type(wrong(asked.passcode!)), refused(code));
      await alice.device.contacts.change(host.device.session.keys, 'allow');
    }
    await assert.rejects(type(asked.passcode!), refused('broker-unreachable'));
    await alice.state.delete('answered', asked.hash);
    api.postResponse = postResponse;
    assert.equal(await type(asked.passcode!), 'passcode-failed');
    const outcome = await host.enquirer.wait(asked.hash);
    assert.ok('answer' in outcome && outcome.answer.decision.decision === 'passcode-failed');
    assert.equal(outcome.answer.decision.failures, 3);
  });

  test('twelve wrong ones in a row stop an asker, until it is removed and added again', async () => {
    const [alice, host] = await pair();
    for (let round = 0; round < 4; round++) {
      const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
      const request = await only(alice);
      const guess = { decision: 'accept', shown: 'screen', passcode: wrong(asked.passcode!) } as const;
      await assert.rejects(alice.device.answer(request, guess), refused('passcode-wrong'));
      await assert.rejects(alice.device.answer(request, guess), refused('passcode-wrong'));
      await alice.device.answer(request, guess);
    }
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
    const type = async () =>
      alice.device.answer(await only(alice), {
        decision: 'accept',
        shown: 'screen',
        passcode: asked.passcode!,
      });
    await alice.device.contacts.change(host.device.session.keys, 'allow');
    await assert.rejects(type(), refused('passcode-locked'));
    await alice.device.contacts.change(host.device.session.keys, 'forget');
    await alice.device.contacts.change(host.device.session.keys, 'allow');
    await atOffset(61, async () => {
      const again = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
      await alice.device.answer(await only(alice), {
        decision: 'accept',
        shown: 'screen',
        passcode: again.passcode!,
      });
      assert.equal((await host.enquirer.wait(again.hash)).outcome, 'accepted');
    });
  });

  test('a right one ends the row of wrong ones when its answer is taken, and not before', async () => {
    const [alice, host] = await pair();
    const question = async () => {
      const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in', passcode: true });
      const request = await only(alice);
      const type = (passcode: string) =>
        alice.device.answer(request, { decision: 'accept', shown: 'screen', passcode });
      const mistype = () => type(wrong(asked.passcode!));
      await assert.rejects(mistype(), refused('passcode-wrong'));
      return { asked, mistype, typeRight: () => type(asked.passcode!) };
    };
    const failuresOfNext = async () => {
      const { asked, mistype } = await question();
      await assert.rejects(mistype(), refused('passcode-wrong'));
      await mistype();
      const outcome = await host.enquirer.wait(asked.hash);
      assert.ok('answer' in outcome && outcome.answer.decision.decision === 'passcode-failed');
      return outcome.answer.decision.failures;
    };
    const lost = await question();
    await host.enquirer.cancel(lost.asked.hash);
    await assert.rejects(lost.typeRight(), refused('request-not-pending'));
    assert.equal(await failuresOfNext(), 4);
    await (await question()).typeRight();
    assert.equal(await failuresOfNext(), 3);
  });
});

describe('devices', () => {
  test('a revoked device reads and answers nothing more; what it answered before stays verifiable', async () => {
    const [alice, host] = await pair();
    const tablet = await addDevice(alice, 'alice’s tablet');
    const earlier = await host.enquirer.ask({ account: alice.name, text: 'Before' });
    await tablet.device.answer(await only(tablet), { decision: 'accept', shown: 'screen' });
    assert.equal((await host.enquirer.wait(earlier.hash)).outcome, 'accepted');

    await revokeDevice(alice, await tablet.device.session.kid());
    const later = await host.enquirer.ask({ account: alice.name, text: 'After' });
    await assert.rejects(tablet.device.pending(), refused('device-revoked'));
    const request = await only(alice);
    await assert.rejects(
      tablet.device.answer(request, { decision: 'accept', shown: 'screen' }),
      refused('device-revoked'),
    );
    assert.equal((await host.enquirer.status(later.hash)).outcome, 'pending');
    assert.equal((await host.enquirer.status(earlier.hash)).outcome, 'accepted');
    await verifyReceipt(webCrypto, await host.enquirer.receipt(earlier.hash));
  });

  test('a device without the right to pay cannot accept a payment', async () => {
    const [alice, host] = await pair();
    const watch = await addDevice(alice, 'alice’s watch', ['answer']);
    await host.enquirer.ask({ account: alice.name, text: 'Pay', kind: 'payment' });
    await assert.rejects(
      watch.device.answer(await only(watch), { decision: 'accept', shown: 'screen' }),
      refused('device-not-entitled'),
    );
  });

  test('where the person must be there, a device that did not check is not enough', async () => {
    const [alice, host] = await pair();
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Deploy', userVerification: true });
    const request = await only(alice);
    await assert.rejects(
      alice.device.answer(request, { decision: 'accept', shown: 'screen' }),
      refused('verification-missing'),
    );
    await alice.device.answer(request, { decision: 'accept', shown: 'screen', userVerified: true });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });
});

function wrong(passcode: string): string {
  return passcode === '000000' ? '000001' : '000000';
}
