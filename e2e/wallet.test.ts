import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { startWallet } from '../examples/wallet/server.ts';
import { startShop } from '../examples/wallet/shop.ts';
import { decodeArguments, encodeArguments, formatWif } from '../packages/graphene/src/index.ts';
import { openPage, startChromium, type Watched } from './chromium.ts';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';
import { checkScreen } from './screens.ts';

const PROVIDERS = ['sfactor', 'guardian'] as const;

const stack = new AsyncDisposableStack();
const urls: Record<string, string> = {};
let world: CosignProcesses;
let wallet: Awaited<ReturnType<typeof startWallet>>;
let shop: Awaited<ReturnType<typeof startShop>>;
let browser: Browser;
let watched: Watched;

before(async () => {
  world = stack.use(await startCosignProcesses());
  for (const [earlier, provider] of PROVIDERS.entries()) {
    urls[provider] = await world.require(provider, earlier);
  }
  wallet = await startWallet({ port: 0, nodes: [world.node] });
  stack.defer(() => wallet.close());
  shop = await startShop({
    ...{ port: 0, nodes: [world.node], wallet: wallet.origin },
    ...{ account: 'bob', key: world.bob.active, customer: 'alice' },
  });
  stack.defer(() => shop.close());
  browser = await startChromium();
  stack.defer(() => browser.close());
  watched = await openPage(browser, wallet.origin, { width: 700, height: 800 });
});
after(async () => {
  await stack.disposeAsync();
  assert.deepEqual(watched?.failures, []);
});

const balance = async (name: string) => world.client.balance((await world.client.account(name)).id, '1.3.0');
const signature = (page: Page, who: string, state: string) =>
  page.locator(`.signatures li[data-state="${state}"]`).filter({ hasText: who });

async function pay(page: Page, amount: string): Promise<void> {
  await page.getByLabel('To').fill('bob');
  await page.getByLabel('Amount').fill(amount);
  await page.getByRole('button', { name: 'Show the transaction' }).click();
  await page.getByRole('heading', { name: 'This will be signed' }).waitFor();
}

describe('a wallet in a browser, for an account that needs two providers', () => {
  test('takes the account’s own key and no other', async () => {
    const { page } = watched;
    await page.getByLabel('Account on the chain').fill('alice');
    await page.getByLabel('Its active key, in WIF').fill(formatWif(world.bob.active));
    await page.getByRole('button', { name: 'Keep the key' }).click();
    await page.getByRole('alert').getByText('no active key of alice').waitFor();
    await checkScreen(page, 'wallet-set-up');
    await page.getByLabel('Its active key, in WIF').fill(formatWif(world.alice.active));
    await page.getByRole('button', { name: 'Keep the key' }).click();
    await page.getByRole('heading', { name: 'Wallet of alice' }).waitFor();
  });

  test('finds the providers by itself, by the account’s authority and the addresses on the chain', async () => {
    const { page } = watched;
    for (const provider of PROVIDERS) {
      await page
        .getByRole('listitem')
        .filter({ hasText: `${provider} at ${urls[provider]}` })
        .waitFor();
    }
    assert.equal(await page.locator('[data-fact="balance"]').innerText(), '9999.99800 TEST');
    await checkScreen(page, 'wallet-home');
  });

  test('gathers exactly the signatures that count, goes on after a reload, and sends', async () => {
    const { page } = watched;
    const before = await balance('bob');
    await pay(page, '10');
    await page.getByRole('heading', { name: 'Transfer 10 TEST from alice to bob' }).waitFor();
    await checkScreen(page, 'wallet-preview');
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByLabel('To').fill('nobody-of-this-name');
    await page.getByLabel('Asset').fill('USD');
    await page.getByRole('button', { name: 'Show the transaction' }).click();
    await page.getByRole('alert').getByText('no account nobody-of-this-name').waitFor();
    assert.equal(await page.getByLabel('Amount').inputValue(), '10');
    assert.equal(await page.getByLabel('Asset').inputValue(), 'USD');
    await page.getByLabel('Asset').fill('TEST');
    await pay(page, '10');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await signature(page, 'Your key of alice', 'signed').waitFor();
    // At the same time: both are asked before anybody has answered.
    for (const provider of PROVIDERS) await signature(page, provider, 'pending').waitFor();
    assert.equal((await world.pending()).length, 2);

    await world.answer('accept');
    await page.locator('.signatures li[data-state="signed"] .quiet').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Gathering signatures' }).waitFor();
    await page.locator('.signatures li[data-state="signed"] .quiet').waitFor();
    await page.locator('.signatures li[data-state="pending"]').waitFor();
    assert.equal((await world.pending()).length, 1, 'nobody is asked twice');
    await checkScreen(page, 'wallet-gathering');

    await world.answer('accept');
    await page.getByRole('status').getByText('Executed by the chain, in block').waitFor();
    await checkScreen(page, 'wallet-done');
    assert.equal(await balance('bob'), before + 1_000_000n);
    const said = await page.getByRole('status').innerText();
    const Block = v.looseObject({
      transactions: v.array(v.looseObject({ signatures: v.array(v.string()) })),
    });
    const number = Number(/block (\d+)/.exec(said)![1]);
    const { transactions } = await world.client.ask('database', 'get_block', [number], Block);
    assert.deepEqual(
      transactions.map(({ signatures }) => signatures.length),
      [3],
    );
    await page.getByRole('button', { name: 'Back to the wallet' }).click();
    await page.getByLabel('To').waitFor();
  });

  test('says who refused, and sends nothing', async () => {
    const { page } = watched;
    const before = await balance('bob');
    await pay(page, '20');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    for (const provider of PROVIDERS) await signature(page, provider, 'pending').waitFor();
    await world.answer('reject');
    await page.getByRole('alert').getByText('rejected').waitFor();
    await page.getByRole('heading', { name: 'Not sent' }).waitFor();
    await page.getByText('rejected on the device').waitFor();
    await checkScreen(page, 'wallet-refused');
    await page.reload();
    await page.getByRole('alert').getByText('rejected').waitFor();
    await page.getByRole('button', { name: 'Give it up' }).click();
    await page.getByLabel('To').waitFor();
    await world.answer('accept');
    assert.equal(await balance('bob'), before);
  });

  test('opens a link for a payment, is asked by both providers, and brings the answer back', async () => {
    const { page } = watched;
    const before = await balance('bob');
    await page.goto(shop.origin);
    const link = (await page.getByRole('link', { name: 'Pay' }).getAttribute('href'))!;
    await page.getByRole('link', { name: 'Pay' }).click();
    await page.getByRole('heading', { name: 'bob asks you to sign for alice' }).waitFor();
    await page.getByRole('heading', { name: 'Transfer 2.5 TEST from alice to bob' }).waitFor();
    await page.getByText(`The answer goes to ${new URL(shop.origin).host}.`).waitFor();
    await checkScreen(page, 'wallet-link');
    await page.getByRole('button', { name: 'Sign and send' }).click();
    for (const provider of PROVIDERS) await signature(page, provider, 'pending').waitFor();
    await world.answer('accept');
    await world.answer('accept');
    await page.getByRole('status').getByText('Executed by the chain, in block').waitFor();
    await page.getByRole('link', { name: 'Back to' }).click();
    await page.getByText('Paid, in block').waitFor();
    assert.equal(await balance('bob'), before + 250_000n);

    await page.goto(link);
    await page.getByRole('alert').getByText('answered already').waitFor();
    await page.getByRole('button', { name: 'To the wallet' }).click();
    await page.getByLabel('To').waitFor();
    assert.equal(page.url(), `${wallet.origin}/`);
    assert.equal(await balance('bob'), before + 250_000n);
  });

  test('opens a link to log in, and refuses one that was changed on its way', async () => {
    const { page } = watched;
    await page.goto(shop.origin);
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'asks you to log in there as alice' }).waitFor();
    await checkScreen(page, 'wallet-login');
    for (const provider of PROVIDERS) await world.mayAsk(provider);
    await page.getByRole('button', { name: 'Log in' }).click();
    for (const provider of PROVIDERS) await signature(page, provider, 'pending').waitFor();
    await world.answer('accept');
    await world.answer('accept');
    await page.getByRole('link', { name: 'Back to' }).click();
    await page.getByText('You are alice.').waitFor();

    await page.goto(shop.origin);
    const [address, argumentsText] = (await page
      .getByRole('link', { name: 'Pay' })
      .getAttribute('href'))!.split('#') as [string, string];
    const said = decodeArguments(argumentsText) as { expires: number };
    await page.goto(`${address}#${encodeArguments({ ...said, expires: said.expires - 1 })}`);
    await page.getByRole('alert').getByText('not by bob, or was changed on its way').waitFor();
    await page.goto(`${wallet.origin}/transaction#nothing`);
    await page.getByRole('alert').getByText('the link is damaged').waitFor();
    await page.getByRole('button', { name: 'To the wallet' }).click();
    assert.deepEqual(await world.pending(), []);
  });

  test('keeps the key so that no text of it lies in the browser', async () => {
    const kept = await watched.page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open('countersign-wallet');
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      const all = <T>(store: string) =>
        new Promise<T[]>((resolve) => {
          const reading = database.transaction(store).objectStore(store).getAll();
          reading.onsuccess = () => resolve(reading.result as T[]);
        });
      const [seal] = await all<CryptoKey>('seal');
      const [row] = await all<{ account: string; sealed: ArrayBuffer }>('keys');
      const exported = await crypto.subtle.exportKey('raw', seal!).then(
        () => 'exported',
        (error: DOMException) => error.name,
      );
      return { exported, account: row!.account, sealed: [...new Uint8Array(row!.sealed)] };
    });
    assert.equal(kept.exported, 'InvalidAccessError');
    assert.equal(kept.account, 'alice');
    assert.ok(!Buffer.from(kept.sealed).includes(formatWif(world.alice.active)));
  });

  test('forgets the key when it is told to', async () => {
    const { page } = watched;
    await page.getByRole('button', { name: 'Forget the key in this browser' }).click();
    await page.getByLabel('Account on the chain').waitFor();
    await page.reload();
    await page.getByLabel('Account on the chain').waitFor();
  });
});

describe('pages of other origins', () => {
  const call = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { origin: 'https://wallet.example', ...init.headers } });
  const allowed = (answer: Response) => answer.headers.get('access-control-allow-origin');

  test('may call the routes of a transaction and of a login, and read what they refuse', async () => {
    const url = `${urls.sfactor}/v1/transactions`;
    const asked = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const preflight = await call(url, { method: 'OPTIONS', headers: asked });
    assert.equal(preflight.status, 204);
    assert.equal(allowed(preflight), '*');
    assert.equal(preflight.headers.get('access-control-allow-headers'), 'content-type');
    assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET, POST');
    assert.equal(preflight.headers.get('access-control-allow-credentials'), null);
    const unknown = await call(`${url}/${'0'.repeat(64)}?wait=0`);
    assert.equal(unknown.status, 404);
    assert.equal(allowed(unknown), '*');
    const refused = await call(url, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(refused.status, 400);
    assert.equal(allowed(refused), '*');
    const login = await call(`${urls.sfactor}/v1/logins/${'0'.repeat(64)}?wait=0`);
    assert.equal(login.status, 404);
    assert.equal(allowed(login), '*');
  });

  test('may call nothing else', async () => {
    for (const path of [
      '/v1/provider',
      '/v1/registrations',
      '/v1/accounts/alice',
      '/v1/accounts/alice/policy',
    ]) {
      const asked = { 'access-control-request-method': 'POST' };
      const answers = [
        await call(urls.sfactor + path),
        await call(urls.sfactor + path, { method: 'OPTIONS', headers: asked }),
        await call(urls.sfactor + path, {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'application/json' },
        }),
      ];
      assert.deepEqual(answers.map(allowed), [null, null, null], path);
    }
  });
});
