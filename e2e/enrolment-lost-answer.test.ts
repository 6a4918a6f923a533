import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ENROLMENT_LIFE } from '@countersign/core';
import { startFaultProxy } from './fault-proxy.ts';
import { makeParty, newcomer, refused, startTestBroker, TestClock } from './parties.ts';
import { countersign, temporaryFolder } from './processes.ts';

const POST = 'POST /v1/accounts/alice%40example.com/enrolments ';

/** Alice at a broker behind a line that can be cut, and a phone of hers with a PIN. */
async function behindALine() {
  const clock = new TestClock();
  const line = await startFaultProxy();
  const home = await startTestBroker(clock, { origin: line.origin });
  line.target(home.broker.local);
  const alice = await makeParty(line.origin, 'alice@example.com', clock);
  return {
    clock,
    line,
    alice,
    phone: newcomer(clock),
    link: await alice.device.devices.invite('admit', { rights: ['answer'] }),
    async [Symbol.asyncDispose]() {
      clock.offset = 0;
      await home[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}

describe('a new device whose line was cut', () => {
  for (const when of ['before', 'after'] as const) {
    const what = when === 'before' ? 'its request arrived' : 'the answer came';
    test(`before ${what}: keeps its keys, and the same again is one enrolment`, async () => {
      await using scene = await behindALine();
      const { line, alice, phone, link } = scene;
      line.cut(POST, when);
      await assert.rejects(phone.knock(link), refused('broker-unreachable'));
      assert.equal(line.cuts(), 1);
      const keys = (await phone.keyStore.load())!;
      assert.equal((await alice.device.devices.door()).waiting.length, when === 'before' ? 0 : 1);
      const { facts } = await phone.knock(link);
      assert.deepEqual((await phone.keyStore.load())!.signer.publicKey, keys.signer.publicKey);
      const { waiting, notices } = await alice.device.devices.door();
      assert.deepEqual([waiting.map((one) => one.facts), notices], [[facts], []]);
      await alice.device.devices.accept(waiting[0]!, undefined);
      assert.deepEqual(await phone.complete(), { outcome: 'complete' });
    });
  }

  test('goes on by itself, where it only waits on', async () => {
    await using scene = await behindALine();
    const { line, alice, phone, link } = scene;
    line.cut(POST, 'before');
    await assert.rejects(phone.knock(link), refused('broker-unreachable'));
    assert.deepEqual(await phone.complete(), { outcome: 'waiting' });
    await alice.device.devices.accept((await alice.device.devices.door()).waiting[0]!, undefined);
    assert.deepEqual(await phone.complete(), { outcome: 'complete' });
  });

  for (const how of ['waits on', 'does the same again'] as const) {
    test(`goes in where it was let in meanwhile, however late it ${how}`, async () => {
      await using scene = await behindALine();
      const { clock, line, alice, phone, link } = scene;
      line.cut(POST, 'after');
      await assert.rejects(phone.knock(link), refused('broker-unreachable'));
      await alice.device.devices.accept((await alice.device.devices.door()).waiting[0]!, undefined);
      clock.offset += 2 * ENROLMENT_LIFE;
      if (how === 'does the same again') await phone.knock(link);
      assert.deepEqual(await phone.complete(), { outcome: 'complete' });
    });
  }

  test('begins anew where it was turned away meanwhile', async () => {
    await using scene = await behindALine();
    const { line, alice, phone } = scene;
    const link = await alice.device.devices.invite('knock');
    line.cut(POST, 'after');
    await assert.rejects(phone.knock(link), refused('broker-unreachable'));
    const [first] = (await alice.device.devices.door()).waiting;
    await alice.device.devices.reject(first!);
    const { facts } = await phone.knock(link);
    assert.notEqual(facts.kid, first!.facts.kid);
    const { waiting } = await alice.device.devices.door();
    assert.deepEqual(
      waiting.map((one) => one.facts),
      [facts],
    );
  });

  test('begins anew where its request never arrived and is too old by now', async () => {
    await using scene = await behindALine();
    const { clock, line, alice, phone, link } = scene;
    line.cut(POST, 'before');
    await assert.rejects(phone.knock(link), refused('broker-unreachable'));
    clock.offset += ENROLMENT_LIFE / 2;
    const { facts } = await phone.knock(link);
    const { waiting } = await alice.device.devices.door();
    assert.deepEqual(
      waiting.map((one) => one.facts),
      [facts],
    );
  });

  test('begins anew with another PIN, and forgets its keys where the broker refuses', async () => {
    await using scene = await behindALine();
    const { line, alice, phone, link } = scene;
    line.cut(POST, 'after');
    await assert.rejects(phone.knock(link), refused('broker-unreachable'));
    const old = (await phone.keyStore.load())!;
    const wrong = { ...link, pin: 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA' };
    await assert.rejects(phone.knock(wrong), refused('pin-wrong'));
    assert.equal(await phone.keyStore.load(), undefined);
    const { facts } = await phone.knock(await alice.device.devices.invite('knock'));
    const { waiting } = await alice.device.devices.door();
    assert.deepEqual(
      waiting.map((one) => one.facts.kid === facts.kid),
      [false, true],
    );
    assert.notDeepEqual((await phone.keyStore.load())!.signer.publicKey, old.signer.publicKey);
  });
});

test('the command line says so, and the same command goes on', async () => {
  await using scene = await behindALine();
  await using folder = await temporaryFolder();
  const { line, alice, link } = scene;
  const run = (...words: string[]) => countersign(join(folder.path, 'phone'), words);
  const request = ['device', 'request', link.name, '--pin', link.pin, '--broker', link.broker, '--no-wait'];
  line.cut(POST, 'after');
  const cut = await run(...request);
  assert.equal(cut.status, 69);
  assert.match(cut.stderr, /may have arrived: its keys are kept; do the same again to go on/);
  const again = await run(...request, '--json');
  assert.equal(again.status, 0, again.stderr);
  const { waiting } = await alice.device.devices.door();
  assert.deepEqual(
    waiting.map(({ facts }) => facts.kid),
    [JSON.parse(again.stdout).kid],
  );
  await alice.device.devices.accept(waiting[0]!, undefined);
  assert.equal((await run('device', 'complete')).status, 0);
});
