/**
 * A telephone's pairs are killed from another device: its page keeps the erase statement, sealed for the account's
 * other devices, and one of them sends it. A broker that relays, a host, Chromium, and the command line.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { createAuthenticatorWorld } from './authenticator-world.ts';
import { cameraFlags, filmQR } from './fake-camera.ts';
import { createGateWorld } from './gate-world.ts';
import { pairByCamera } from './phone.ts';
import { countersign } from './processes.ts';
import { checkScreen } from './screens.ts';

const HOST = 'app.example';
const gateWorld = createGateWorld();
const film = gateWorld.at('camera.y4m');
before(() => filmQR(film));
const world = createAuthenticatorWorld(cameraFlags(film), { relay: true });

/** What a person does on their laptop. */
async function laptop(...words: string[]): Promise<string> {
  const env = { COUNTERSIGN_BROKER: world.home.origin };
  const { status, stdout, stderr } = await countersign(gateWorld.at('laptop'), words, { env });
  assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
  return stdout.trim();
}

describe('a telephone that is lost', () => {
  before(async () => {
    await gateWorld.dialOut(HOST, world.home.origin);
    await gateWorld.serve({ origin: `https://${HOST}` });
  });
  after(() => assert.deepEqual(world.failures, []));

  /** A page that is a device of the laptop's account. */
  async function joined(rights: string): Promise<{ page: Page; kid: string }> {
    const link = await laptop('device', 'pin', '--rights', rights, '--uri');
    const page = await world.open();
    await page.goto(`${world.home.origin}/?join#${link}`);
    await page.getByRole('button', { name: 'Ask to be let in' }).click();
    const kid = (await page.locator('[data-fact=kid]').innerText()).trim();
    await laptop('device', 'accept', kid);
    await page.getByText('Nothing waits for your answer.').waitFor();
    return { page, kid };
  }

  /** Pairs with users of the host, and keeps what erases that. */
  async function pairAndKeep(page: Page, ...users: string[]): Promise<void> {
    await page.getByRole('link', { name: 'Sign on' }).click();
    const keep = page.getByRole('button', { name: 'Keep it sealed for my other devices' });
    // Each pair has a statement of its own, so it is offered after each pairing.
    for (const user of users) {
      await pairByCamera(page, film, {
        data: gateWorld.data,
        user,
        async looked(name) {
          if (name !== 'pair-erase') return;
          await keep.click();
          await page.getByText('Kept for your other devices.').waitFor();
          await checkScreen(page, 'validator-kept');
        },
      });
      assert.equal(await gateWorld.pairs(user), 1);
    }
  }

  /** Once is not enough, since it is for good. */
  async function tellHosts(row: Locator): Promise<void> {
    await row.getByRole('button', { name: 'Tell its hosts' }).click();
    await row.getByRole('button', { name: 'Yes, have its hosts erase it for good' }).click();
  }

  before(() => laptop('account', 'create', 'alice@example.com'));

  test('what a telephone has kept for its person’s laptop kills its pairs, each of them', async () => {
    const { page, kid } = await joined('answer');
    await pairAndKeep(page, 'alice', 'root');
    const lost = JSON.parse(await laptop('device', 'lost', kid, '--json'));
    assert.deepEqual(
      [lost.frozen, lost.erased.toSorted(), lost.unconfirmed],
      [true, [`alice@${HOST}`, `root@${HOST}`], []],
    );
    assert.deepEqual([await gateWorld.pairs('alice'), await gateWorld.pairs('root')], [0, 0]);
  });

  test('and so it does from the page of another telephone, again where a host did not hear it', async () => {
    const { page: other } = await joined('ask,answer,pay,admit');
    const { page, kid } = await joined('answer');
    await pairAndKeep(page, 'alice', 'root');
    await gateWorld.gate.stop();
    await other.getByRole('link', { name: 'Devices' }).click();
    const row = other.locator(`[data-kid="${kid}"]`);
    await row.getByRole('button', { name: 'Lost' }).click();
    await tellHosts(row);
    await row.getByText(`alice@${HOST}: the host has not said that the pair is gone.`).waitFor();
    await row.getByText(`root@${HOST}: the host has not said that the pair is gone.`).waitFor();
    await checkScreen(other, 'devices-lost-untold');
    assert.deepEqual([await gateWorld.pairs('alice'), await gateWorld.pairs('root')], [1, 1]);
    await gateWorld.serve({ origin: `https://${HOST}` });
    // Whoever comes back later finds the way again.
    await other.reload();
    await tellHosts(row);
    await row.getByText(`alice@${HOST}: erased there.`).waitFor();
    await row.getByText(`root@${HOST}: erased there.`).waitFor();
    await checkScreen(other, 'devices-lost-told');
    assert.deepEqual([await gateWorld.pairs('alice'), await gateWorld.pairs('root')], [0, 0]);
  });

  test('of a device that has kept nothing, that is said', async () => {
    const { page: other } = await joined('ask,answer,pay,admit');
    const { kid } = await joined('answer');
    await other.getByRole('link', { name: 'Devices' }).click();
    const row = other.locator(`[data-kid="${kid}"]`);
    await row.getByRole('button', { name: 'Lost' }).click();
    await tellHosts(row);
    await row.getByText('It has kept nothing for your other devices').waitFor();
    // Stopped once more, it is asked once more.
    await row.getByRole('button', { name: 'Found again' }).click();
    await row.getByRole('button', { name: 'Lost' }).click();
    await row.getByRole('button', { name: 'Tell its hosts' }).waitFor();
    assert.equal(await row.getByText('It has kept nothing for your other devices').count(), 0);
  });

  test('who has no other device is offered paper alone', async () => {
    const { page } = await world.person('bob');
    await page.getByRole('link', { name: 'Sign on' }).click();
    await pairByCamera(page, film, {
      data: gateWorld.data,
      user: 'bob',
      async looked(name) {
        if (name !== 'pair-erase') return;
        await page.waitForLoadState('networkidle');
        assert.equal(await page.getByRole('button', { name: /^Keep it sealed/ }).count(), 0);
      },
    });
  });
});
