/**
 * Answers and the asker's own devices: one that was shown out opens none that is given later.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freezeByCode } from '@countersign/client';
import { createResponse, openContent, parseResponse } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addDevice, introduce, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();

/** Alice, who has answered the host before, and a second device of the host's. */
async function scene() {
  const [alice, host] = await world.pair();
  const laptop = await addDevice(host, 'host’s laptop', ['ask']);
  const before = await ask(alice, host);
  await accept(alice);
  assert.equal((await host.enquirer.wait(before.hash)).outcome, 'accepted');
  return { alice, host, laptop };
}

const ask = (alice: Party, host: Party) => host.enquirer.ask({ account: alice.name, text: 'Log in' });

async function accept({ device }: Party): Promise<void> {
  const { requests } = await device.pending();
  await device.answer(requests.at(-1)!, { decision: 'accept', shown: 'screen' });
}

const showOut = async (host: Party, { device }: Party) =>
  host.device.devices.revoke(await device.session.kid(), 'lost');

/** Opens an answer by all the keys that a device ever had. */
async function open({ device }: Party, jws: string): Promise<string> {
  const { payload } = await parseResponse(webCrypto, jws);
  assert.ok('sealed' in payload);
  const opener = await device.session.epochOpener(0);
  return openContent(
    webCrypto,
    opener!,
    'countersign response 1',
    [payload.req, payload.iss_id],
    payload.sealed,
  );
}

describe('a device of the asker’s that was shown out', () => {
  test('opens no later answer, also where the answerer knew the log from before', async () => {
    const { alice, host, laptop } = await scene();
    const early = await ask(alice, host);
    await accept(alice);
    await open(laptop, (await host.enquirer.session.api.readState(early.hash)).response!);
    await showOut(host, laptop);
    const asked = await ask(alice, host);
    await accept(alice);
    const { response } = await host.enquirer.session.api.readState(asked.hash);
    await assert.rejects(open(laptop, response!), refused('seal-broken'));
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    assert.equal((await alice.device.receipt(asked.hash)).response, response);
  });

  test('opens none that a broker takes which would take any', async () => {
    const { alice, host, laptop } = await scene();
    await showOut(host, laptop);
    await world.atOffset(61, async () => {
      await ask(alice, host);
      const { api } = alice.device.session;
      const taken: string[] = [];
      api.postResponse = async (hash, jws) => {
        taken.push(jws);
        return api.readState(hash);
      };
      await accept(alice);
      assert.equal(taken.length, 1);
      await assert.rejects(open(laptop, taken[0]!), refused('seal-broken'));
    });
  });

  test('is sealed to by nobody: the broker refuses such an answer, and the next try seals it anew', async () => {
    const { alice, host, laptop } = await scene();
    const asked = await ask(alice, host);
    const { requests } = await alice.device.pending();
    const { session } = alice.device;
    const enquirer = (await session.book.find(host.name, 3600)).log;
    await showOut(host, laptop);
    const account = await session.ownLog();
    const now = world.clock.now();
    const by = { signer: session.keys.signer, account, enquirer, now };
    const decided = { decision: 'reject', shown: 'screen' } as const;
    const { statement } = await createResponse(webCrypto, by, requests[0]!.open, decided);
    await assert.rejects(session.api.postResponse(asked.hash, statement.jws), refused('epoch-stale'));
    // Signed while the line was cut, sent once it is back.
    const honest = session.api.postResponse.bind(session.api);
    const sent: string[] = [];
    session.api.postResponse = async (hash, jws) => {
      sent.push(jws);
      return honest(hash, sent.length === 1 ? statement.jws : jws);
    };
    await alice.device.answer(requests[0]!, decided);
    assert.equal(sent.length, 2);
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'rejected');
    assert.equal((await alice.device.history())[0]!.decision, 'reject');
  });

  test('keeps answers away until the asker has a new key', async () => {
    const { party: host, code } = await world.partyWithCode('host');
    const alice = await world.party('alice');
    await introduce(alice, host);
    const laptop = await addDevice(host, 'host’s laptop', ['ask']);
    const asked = await ask(alice, host);
    const { name, identity, broker } = host.device.session.keys;
    const kid = await laptop.device.session.kid();
    const machine = { state: laptop.state, crypto: webCrypto, clock: world.clock };
    await freezeByCode({ name, identity, broker }, code, () => kid, machine);
    await assert.rejects(accept(alice), refused('epoch-stale'));
    await host.device.devices.beginEpoch();
    await accept(alice);
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });
});
