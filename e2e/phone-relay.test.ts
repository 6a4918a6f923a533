/**
 * A telephone reaches a host that nobody can reach: the host dials out to a broker, and the broker forwards what it
 * can't read. Every part but the broker is a process of its own; the broker is watched from inside.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@countersign/client';
import { takeFrame } from '@countersign/core/m-auth';
import type { Page } from 'playwright-core';
import WebSocket from 'ws';
import { createAuthenticatorWorld } from './authenticator-world.ts';
import { cameraFlags, filmQR } from './fake-camera.ts';
import { freePort } from './free-port.ts';
import { countersignGate, type NginxProcess, startDemultiplexer } from './gate-processes.ts';
import { createGateWorld } from './gate-world.ts';
import { startTestBroker } from './parties.ts';
import { answerContext, contextOn, endOn, pairByCamera, scanPasscode, typePasscode } from './phone.ts';
import { startBrokerProcess } from './processes.ts';
import { checkScreen } from './screens.ts';
import { PATIENCE_MS, until } from './until.ts';

const HOST = 'app.example';
const gateWorld = createGateWorld();
const { data } = gateWorld;
const film = gateWorld.at('camera.y4m');
before(() => filmQR(film));
const world = createAuthenticatorWorld(cameraFlags(film), { relay: true });
let nginx: NginxProcess;
let address: string;

/** The desktop's browser, at the page with the passcode. */
async function desktop(): Promise<{ page: Page; passcode: string }> {
  const context = await world.browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${nginx.origin}/report`);
  await page.getByLabel('User name').fill('alice');
  await page.getByRole('button', { name: 'Sign on' }).click();
  const shown = await page.locator('.passcode').innerText();
  return { page, passcode: shown.replace(/\s/g, '') };
}

/** Notes how durable each transaction is asked to be that writes. */
function watchWrites(): void {
  const writes: string[] = [];
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...words) {
    const made = transaction.apply(this, words);
    if (made.mode === 'readwrite' && made.objectStoreNames.contains('pairs')) writes.push(made.durability);
    if (made.mode === 'readwrite' && made.objectStoreNames.contains('state')) writes.push(made.durability);
    return made;
  };
  Object.assign(globalThis, { writes });
}

/** All that goes through the relay, both ways, as it comes there. */
function capture(page: Page): Buffer[] {
  const seen: Buffer[] = [];
  page.on('websocket', (socket) => {
    if (!socket.url().includes('/v1/relay/')) return;
    socket.on('framesent', ({ payload }) => seen.push(Buffer.from(payload)));
    socket.on('framereceived', ({ payload }) => seen.push(Buffer.from(payload)));
  });
  return seen;
}

describe('by way of a broker', () => {
  before(async () => {
    // The broker's place is the only way that the telephone is told.
    address = await gateWorld.dialOut(HOST, world.home.origin);
    nginx = await gateWorld.site('nginx', { args: ['--gate', '120', '--acknowledge', '120'] });
  });
  after(() => assert.deepEqual(world.failures, []));

  test('a telephone pairs, signs on, denies and ends the pair by way of a broker that can’t read it', async () => {
    const { page } = await world.person('alice');
    await page.addInitScript(watchWrites);
    await page.reload();
    const seen = capture(page);
    await page.getByRole('link', { name: 'Sign on' }).click();
    await page.getByText('No host is paired with this device yet.').waitFor();
    await checkScreen(page, 'validator-none');
    const { erase } = await pairByCamera(page, film, {
      data,
      user: 'alice',
      looked: (name) => checkScreen(page, `validator-${name}`),
    });
    assert.match(erase, /^countersign-erase:all:[A-Z2-7-]+$/);
    await checkScreen(page, 'validator-list');

    const signingOn = await desktop();
    await scanPasscode(page, film, signingOn.passcode);
    const context = await contextOn(page);
    assert.deepEqual(
      [context.Account, context.Host, context.Service, context.Address],
      ['alice', HOST, 'web', '127.0.0.1'],
    );
    await checkScreen(page, 'validator-context');
    await answerContext(page, 'Accept');
    await page.getByText(`Signed on: alice on ${HOST}.`).waitFor();
    await checkScreen(page, 'validator-granted');
    assert.equal((await endOn(page)).outcome, 'granted');
    await signingOn.page.waitForURL(`${nginx.origin}/report`);
    assert.equal(await signingOn.page.locator('body').innerText(), 'you are alice at /report');

    // What the relay saw are frames of M-AUTH, and nothing in them that means anything to it.
    const all = Buffer.concat(seen);
    assert.ok(seen.length >= 10 && all.length > 1500, `${seen.length} messages, ${all.length} bytes`);
    assert.equal(takeFrame(seen[0]!)?.frame.kind, 'validate');
    for (const word of [
      'alice',
      HOST,
      '127.0.0.1',
      '"web"',
      'kind',
      'accept',
      'granted',
      'Chrom',
      signingOn.passcode,
    ]) {
      assert.ok(!all.includes(word), `the relay reads “${word}”`);
    }

    // A step of the ratchet is on the disk before it is said to be.
    const writes = await page.evaluate(() => (globalThis as unknown as { writes: string[] }).writes);
    assert.ok(writes.length >= 5);
    assert.deepEqual([...new Set(writes)], ['strict']);

    // Denied, by typed digits this time.
    const denied = await desktop();
    await typePasscode(page, denied.passcode);
    await contextOn(page);
    await answerContext(page, 'Deny');
    assert.equal((await endOn(page)).outcome, 'answered');
    await denied.page.getByRole('heading', { name: 'Refused', exact: true }).waitFor();

    // A passcode that stands nowhere: the page says so, and nothing was given away.
    await typePasscode(page, denied.passcode);
    const { outcome, text } = await endOn(page);
    assert.equal(outcome, 'not-recognised');
    assert.match(text, /Nothing was given away/);

    // Rules are the person's: this network is not allowed, and nobody is asked.
    await page.getByRole('button', { name: 'Rules and more' }).click();
    await page.getByLabel(/^Only from these networks/).fill('192.0.2.0/24');
    await page.getByRole('button', { name: 'Keep the rules' }).click();
    await page.getByText('Kept.').waitFor();
    await checkScreen(page, 'validator-interface');
    await page.getByRole('button', { name: 'Back' }).click();
    const elsewhere = await desktop();
    await typePasscode(page, elsewhere.passcode);
    assert.match((await endOn(page)).text, /Denied by your rules: not from there/);
    await elsewhere.page.getByRole('heading', { name: 'Refused', exact: true }).waitFor();

    // The pair ends on both sides.
    await page.getByRole('button', { name: 'Rules and more' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('button', { name: 'Yes, remove it' }).click();
    await page.getByText('Removed. The host says that it is gone there too.').waitFor();
    await until(() => gateWorld.gate.lines.some(({ event }) => event === 'erased'));
  });

  test('the records outlive the page, and the host can erase the pair by the statement', async () => {
    const page = await world.open();
    await page.getByRole('button', { name: 'Sign on to hosts with this device' }).click();
    const { erase } = await pairByCamera(page, film, { data, user: 'alice' });
    await page.goto(`${world.home.origin}/?again#validator`);
    const signingOn = await desktop();
    await typePasscode(page, signingOn.passcode);
    await answerContext(page, 'Accept');
    assert.equal((await endOn(page)).outcome, 'granted');
    await page.getByText('sign-ons: 1').waitFor();
    const { status } = await countersignGate(data, ['erase', erase]);
    assert.equal(status, 0);
    const after = await desktop();
    await typePasscode(page, after.passcode);
    assert.equal((await endOn(page)).outcome, 'not-recognised');
    await page.getByRole('button', { name: 'Wipe this validator' }).click();
    // Within the page: a driver takes its own time to click and to look.
    await page.evaluate(() => {
      const marked = globalThis as unknown as { begun: number; wiped: number };
      addEventListener('click', () => (marked.begun = performance.now()), { capture: true, once: true });
      new MutationObserver((_changes, observer) => {
        if (!document.body.innerText.includes('Wiped. Nothing is left here.')) return;
        marked.wiped = performance.now();
        observer.disconnect();
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await page.getByRole('button', { name: 'Yes, wipe everything here' }).click();
    await page.getByText('Wiped. Nothing is left here.').waitFor();
    const took = await page.evaluate(() => {
      const { begun, wiped } = globalThis as unknown as { begun: number; wiped: number };
      return wiped - begun;
    });
    assert.ok(took < 1000, `${took} ms`);
    const left = await page.evaluate(async () => {
      const opened = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open('countersign');
        request.onsuccess = () => resolve(request.result);
      });
      const count = (store: string) =>
        new Promise<number>((resolve) => {
          const request = opened.transaction(store).objectStore(store).count();
          request.onsuccess = () => resolve(request.result);
        });
      return [await count('pairs'), await count('state')];
    });
    assert.deepEqual(left, [0, 0]);
  });

  describe('the relay', () => {
    const connect = (url: string, protocols: string[] = []) => {
      const socket = new WebSocket(url, protocols);
      const status = new Promise<number>((resolve) => {
        socket.once('open', () => resolve(101));
        socket.once('unexpected-response', (_request, response) => {
          resolve(response.statusCode ?? 0);
          response.destroy();
        });
        socket.on('error', () => {});
      });
      return { socket, status };
    };

    test('lets nobody wait at a place who does not know what it is named after', async () => {
      const secret = `relay-secret.${Buffer.alloc(32, 7).toString('base64url')}`;
      assert.equal(await connect(address, ['countersign.relay.v1', secret]).status, 403);
    });

    test('leaves whoever comes to an unknown place without a word, for as long as to a known one', async () => {
      const { socket, status } = connect(address.replace(/[^/]+$/, 'A'.repeat(22)));
      const said: unknown[] = [];
      socket.on('message', (data) => said.push(data));
      const began = performance.now();
      assert.equal(await status, 101);
      await once(socket, 'close');
      assert.ok(performance.now() - began > 1200);
      assert.deepEqual(said, []);
    });

    test('is there only where the operator wants one', async () => {
      const { features } = (await (await fetch(`${world.home.origin}/.well-known/countersign`)).json()) as {
        features: string[];
      };
      assert.ok(features.includes('relay'));
      await using other = await startTestBroker(systemClock, {});
      const there = address.replace(/^.*?(?=\/v1)/, other.origin.replace('http', 'ws'));
      assert.equal(await connect(there).status, 404);
    });

    test('goes on when visitors have held all of the host’s connections', async () => {
      const visitors = [0, 1, 2, 3, 4, 5].map(() => connect(address));
      await Promise.all(visitors.map(({ status }) => status));
      const page = await world.open();
      await page.getByRole('button', { name: 'Sign on to hosts with this device' }).click();
      await pairByCamera(page, film, { data, user: 'bob' });
      for (const { socket } of visitors) socket.terminate();
    });

    test('is found again by the host after a restart, at the same place', async () => {
      const brokerData = gateWorld.at('other-broker');
      const port = await freePort();
      const first = await startBrokerProcess(brokerData, { port, args: ['--relay'] });
      const own = gateWorld.at('other');
      mkdirSync(own);
      const host = await startDemultiplexer(own, {
        args: ['--relay', first.local, '--relay-secret', join(own, 'relay.secret')],
      });
      try {
        const states = () => host.lines.filter(({ event }) => event === 'relay').map(({ up }) => up);
        await until(() => states().at(-1) === true);
        await first.stop();
        await until(() => states().at(-1) === false);
        await using restarted = await startBrokerProcess(brokerData, { port, args: ['--relay'] }).then(
          (broker) => ({ broker, [Symbol.asyncDispose]: () => broker.stop() }),
        );
        assert.equal(restarted.broker.local, first.local);
        await until(() => states().at(-1) === true);
        assert.equal(statSync(join(own, 'relay.secret')).mode & 0o777, 0o600);
      } finally {
        await host.stop();
        await first.stop();
      }
    });
  });
});
