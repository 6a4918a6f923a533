import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import decodeQR from 'qr/decode.js';
import { startChat } from '../examples/chat/server.ts';
import { openPage, picture, startChromium, type Watched } from './chromium.ts';
import { freePort } from './free-port.ts';
import { type BrokerProcess, countersign, startBrokerProcess, temporaryFolder } from './processes.ts';

const PASSWORD = 'correct horse battery';
const EMAIL = 'alice@example.com';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: BrokerProcess;
let chat: Awaited<ReturnType<typeof startChat>>;
let browser: Browser;
const watched: Watched[] = [];

before(async () => {
  folder = await temporaryFolder();
  const port = await freePort();
  broker = await startBrokerProcess(join(folder.path, 'broker'), {
    args: ['--web-origin', `http://127.0.0.1:${port}`],
  });
  chat = await startChat({ port, broker: broker.origin });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await chat?.close();
  await broker?.stop();
  await folder[Symbol.asyncDispose]();
});

async function open(): Promise<Page> {
  const one = await openPage(browser, chat.origin);
  watched.push(one);
  return one.page;
}

async function fillIn(page: Page, button: 'Sign in' | 'Create account', email = EMAIL): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: button }).click();
  if (button === 'Create account') await writeDown(page);
}

/** The recovery code of an account that was just made. */
async function writeDown(page: Page): Promise<void> {
  await page
    .getByTestId('recovery-code')
    .getByText(/^([A-Z2-7]{4}-){6}[A-Z2-7]{4}$/)
    .waitFor();
  await page.getByRole('button', { name: 'I have written it down' }).click();
}

const say = async (page: Page, text: string) => {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('log').getByText(text, { exact: true }).waitFor();
};

async function makeRoom(page: Page, name: string, people = ''): Promise<void> {
  await page.getByText('New room').click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel(/^With/).fill(people);
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('heading', { name }).waitFor();
}

async function facts(page: Page): Promise<Record<string, string>> {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll<HTMLElement>('[data-fact]')].map((fact) => [
        fact.dataset.fact!,
        fact.innerText,
      ]),
    ),
  );
}

/** Reads a QR code of so many modules a side, drawn as a path that begins each dark one with `M`. */
function scan(path: string, size: number): string {
  const SCALE = 4;
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)/g)) {
    for (let dy = 0; dy < SCALE; dy++) {
      const start = ((Number(y) * SCALE + dy) * width + Number(x) * SCALE) * 4;
      for (let dx = 0; dx < SCALE; dx++) data.fill(0, start + dx * 4, start + dx * 4 + 3);
    }
  }
  return decodeQR({ width, height: width, data });
}

/** Tries every way to read the private keys that IndexedDB holds. */
async function exportKeys(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open('countersign');
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    const kept = await new Promise<{ signing: CryptoKeyPair; sealing: CryptoKeyPair }>((resolve) => {
      const reading = database.transaction('keys').objectStore('keys').get('default');
      reading.onsuccess = () => resolve(reading.result);
    });
    const tries: string[] = [];
    for (const { privateKey } of [kept.signing, kept.sealing]) {
      for (const format of ['jwk', 'pkcs8', 'raw'] as const) {
        tries.push(
          await crypto.subtle.exportKey(format, privateKey).then(
            () => 'exported',
            (error: DOMException) => error.name,
          ),
        );
      }
    }
    return tries;
  });
}

describe('the chat', () => {
  let first: Page;
  let second: Page;

  test('lets its first browser in, and is talked in', async () => {
    first = await open();
    await picture(first, '1-sign-in');
    await fillIn(first, 'Create account');
    await makeRoom(first, 'Lunch');
    await say(first, 'Said before the second browser was there');
    await picture(first, '2-first-browser');
  });

  test('shows a second browser the wall, whatever password it has', async () => {
    second = await open();
    await second.getByLabel('E-mail').fill(EMAIL);
    await second.getByLabel('Password').fill('wrong password');
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.getByRole('alert').getByText('no user has this address and password').waitFor();
    await fillIn(second, 'Sign in');
    await second.getByRole('heading', { name: 'This device must be approved' }).waitFor();
    await picture(second, '3-the-wall');
    const qr = second.getByRole('img', { name: 'The same code, as a QR code' });
    const path = (await qr.locator('path').getAttribute('d'))!;
    const size = Number((await qr.getAttribute('viewBox'))!.split(' ')[2]);
    assert.equal(scan(path, size), await second.getByTestId('code').innerText());
  });

  test('shows the first browser the same details at once', async () => {
    await first.getByRole('dialog').waitFor();
    await picture(first, '4-a-new-device');
    const [asked, shown] = [await facts(second), await facts(first)];
    assert.deepEqual(Object.keys(asked), ['kid', 'name', 'model', 'os', 'address', 'time']);
    assert.deepEqual(shown, asked);
  });

  test('lets it in by its code, and shows it what was said before', async () => {
    const code = (await second.getByTestId('code').innerText()).trim();
    await first.getByLabel('Code that the new device shows').fill('AAAA-AAAA');
    await first.getByRole('button', { name: 'Let it in' }).click();
    await first
      .getByRole('alert')
      .getByText(/wrong code: 2 more tries/)
      .waitFor();
    await first.getByLabel('Code that the new device shows').fill(code.toLowerCase());
    await first.getByRole('button', { name: 'Let it in' }).click();
    await second.getByText('Said before the second browser was there').waitFor();
    await say(second, 'Said on the second browser');
    await first.getByText('Said on the second browser').waitFor();
    const authors = await first.getByRole('log').locator('strong').allInnerTexts();
    assert.deepEqual(authors, [EMAIL, EMAIL]);
    await picture(second, '5-second-browser');
  });

  test('keeps private keys where they were made', async () => {
    for (const page of [first, second]) {
      assert.deepEqual(await exportKeys(page), Array(6).fill('InvalidAccessError'));
    }
  });

  test('has a command line in the same account', async () => {
    const profile = join(folder.path, 'cli');
    await first.getByText(/^Devices/).click();
    const link = await first.evaluate(
      async (credentials) => {
        const answer = await fetch('/sign-in', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(credentials),
        });
        return ((await answer.json()) as { link: string }).link;
      },
      { email: EMAIL, password: PASSWORD },
    );
    const asked = await countersign(profile, [
      'device',
      'request',
      link,
      '--no-wait',
      '--json',
      '--device',
      'server',
    ]);
    assert.equal(asked.status, 0, asked.stderr);
    const { code, kid } = JSON.parse(asked.stdout) as { code: string; kid: string };
    await first.getByRole('dialog').getByText(kid).waitFor();
    await first.getByLabel('Code that the new device shows').fill(code);
    await first.getByRole('button', { name: 'Let it in' }).click();
    await first.getByRole('dialog').waitFor({ state: 'detached' });
    const done = await countersign(profile, ['device', 'complete', '--wait']);
    assert.equal(done.status, 0, done.stderr);
    const { stdout } = await countersign(profile, ['device', 'list', '--json']);
    const { devices } = JSON.parse(stdout) as { devices: { state: string; own: boolean }[] };
    assert.deepEqual(
      devices.map(({ state, own }) => [state, own]),
      [
        ['active', false],
        ['active', false],
        ['active', true],
      ],
    );
  });

  test('shows the second browser out: it reads nothing new, and says so', async () => {
    first.on('dialog', (dialog) => void dialog.accept());
    await picture(first, '6-devices');
    await first.getByRole('listitem').nth(1).getByRole('button', { name: 'Show out' }).click();
    await second.getByRole('heading', { name: 'This device was shown out' }).waitFor();
    await picture(second, '7-shown-out');
    await say(first, 'Said after the second browser was shown out');
    await second.reload();
    await second.getByRole('heading', { name: 'This device was shown out' }).waitFor();
    assert.equal(await second.getByText('Said after').count(), 0);
  });

  for (const [what, path] of [
    ['the broker', /\/v1\/accounts$/],
    ['its own server', /\/link$/],
  ] as const) {
    test(`makes an account by signing in, where ${what} did not answer when it was made`, async () => {
      const { page } = await openPage(browser, chat.origin);
      let cut = 0;
      await page.route(path, (route) => (cut++ === 0 ? route.abort() : route.continue()));
      const email = `${path.source.includes('link') ? 'carol' : 'bob'}@example.com`;
      await page.getByLabel('E-mail').fill(email);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByRole('alert').waitFor();
      await fillIn(page, 'Sign in', email);
      await writeDown(page);
      await makeRoom(page, 'Dinner');
      await page.close();
    });
  }

  test('is readable again after the browser was closed and opened, by the same keys', async () => {
    await first.reload();
    await first.getByText('Said before the second browser was there').waitFor();
    await first.getByText('Said after the second browser was shown out').waitFor();
  });

  test('had no failure on any page', () => {
    assert.deepEqual(
      watched.flatMap(({ failures }) => failures),
      [],
    );
  });
});
