/**
 * Signed confirmations in the history of an organisation's sessions: what the broker takes from whom.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readHistory } from '@countersign/client';
import { sessionRecords } from '@countersign/core';
import {
  introduce,
  makeParty,
  type Party,
  refused,
  startTestBroker,
  type TestBroker,
  TestClock,
} from './parties.ts';
import { until } from './until.ts';

const clock = new TestClock();
let home: TestBroker;
let bank: Party;
let alice: Party;

before(async () => {
  home = await startTestBroker(clock);
  bank = await makeParty(home.origin, 'support@bank.example', clock);
  alice = await makeParty(home.origin, 'alice@example.com', clock);
  await introduce(bank, alice);
});
after(async () => {
  clock.offset = 0;
  await home?.[Symbol.asyncDispose]();
});

/** Asks Alice, and puts it into the history. */
async function ask(): Promise<string> {
  const { hash } = await bank.enquirer.ask({
    account: 'alice@example.com',
    kind: 'approval',
    text: 'Is it you?',
    lifetime: 300,
  });
  const { api, keys } = bank.device.session;
  await api.noteTwoWay(keys.signer, keys.name, hash);
  return hash;
}

function end(hash: string, answer?: string, { device }: Party = bank): Promise<void> {
  const { api, keys } = device.session;
  return api.endTwoWay(keys.signer, keys.name, hash, answer);
}

async function answer(hash: string): Promise<void> {
  const shown = (await alice.device.pending()).requests.find((one) => one.hash === hash)!;
  await alice.device.answer(shown, { decision: 'reject', shown: 'screen' });
}

/** Of one confirmation: who was asked, how it is done, and how it ended. */
async function record(hash: string) {
  const { entries } = await readHistory(bank.device.session);
  const { created, ended } = sessionRecords(entries).find(({ created: { sid } }) => sid === hash)!;
  return { ...created, outcome: ended?.outcome };
}

describe('a signed confirmation in the history of sessions', () => {
  test('says who was asked, by which device and how long, and nothing of what', async () => {
    const hash = await ask();
    const { seq: _, prev: __, at: ___, ...said } = await record(hash);
    assert.deepEqual(said, {
      event: 'created',
      sid: hash,
      by: await bank.device.session.kid(),
      fields: [],
      subject: 'alice@example.com',
      template: null,
      duration: 300,
      prefilled: false,
      mode: 'two-way',
      outcome: undefined,
    });
    await bank.enquirer.cancel(hash);
    await end(hash, 'accepted');
    // The broker knows better.
    assert.equal((await record(hash)).outcome, 'cancelled');
  });

  test('ends once it is settled, once, and by the organisation that asked alone', async () => {
    const hash = await ask();
    await end(hash, 'accepted');
    assert.equal((await record(hash)).outcome, undefined);
    await answer(hash);
    await assert.rejects(end(hash, 'accepted', alice), refused('request-unknown'));
    const { api, keys } = alice.device.session;
    await assert.rejects(api.noteTwoWay(keys.signer, keys.name, hash), refused('request-unknown'));
    await end(hash, 'rejected');
    await end(hash, 'accepted');
    assert.equal((await record(hash)).outcome, 'rejected');
    await assert.rejects(end(hash, 'answered'), refused('input-invalid'));
  });

  test('ends by the broker’s word where nobody says how, a quarter of an hour after its time', async () => {
    const [answered, silent] = [await ask(), await ask()];
    await answer(answered);
    await end(answered);
    clock.offset += 301;
    await end(silent);
    assert.equal((await record(answered)).outcome, undefined);
    clock.offset += 900;
    const over = async () => (await record(answered)).outcome;
    assert.equal(await until(over), 'answered');
    assert.equal((await record(silent)).outcome, 'expired');
  });
});
