/**
 * Web sign-on in a real browser, behind real nginx, with every part a process of its own.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { flipFirst } from '../packages/core/test/tamper.ts';
import { startChromium } from './chromium.ts';
import { countersignGate, type NginxProcess } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { createGateWorld } from './gate-world.ts';
import { PATIENCE_MS } from './until.ts';

const world = createGateWorld({ name: 'app.example' });
const { data } = world;
let nginx: NginxProcess;
let browser: Browser;
let alice: TestValidator;

before(async () => {
  await world.ready();
  alice = await pairValidator(data, 'alice');
  nginx = await world.site('nginx', { args: ['--gate', '12', '--acknowledge', '10'] });
  browser = await startChromium();
  world.ends.defer(() => browser.close());
});

/** A person's browser, and all that goes over its line. */
async function open(
  path = '/report?of=june&by=month',
): Promise<{ page: Page; context: BrowserContext; seen: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const seen: string[] = [];
  // What is under way when the page closes has nothing to show any more.
  const note = (text: Promise<string>) => void text.then((line) => seen.push(line)).catch(() => {});
  page.on('request', (request) => {
    const body = request.postData() ?? '';
    note(request.allHeaders().then((headers) => `${request.url()} ${JSON.stringify(headers)} ${body}`));
  });
  page.on('response', (response) => {
    note(response.allHeaders().then((headers) => JSON.stringify(headers)));
    note(response.text());
  });
  await page.goto(nginx.origin + path);
  return { page, context, seen };
}

async function begin(page: Page, user = 'alice'): Promise<string> {
  await page.getByLabel('User name').fill(user);
  await page.getByRole('button', { name: 'Sign on' }).click();
  const shown = await page.locator('.passcode').innerText();
  return shown.replace(/\s/g, '');
}

test('the five steps, in order, without a line of script', async () => {
  const { page, context, seen } = await open();
  // 1. a page that prompts for a user name, and for nothing else
  assert.match(page.url(), /\/countersign\/\?next=/);
  assert.equal(await page.locator('input:not([type=hidden])').count(), 1);
  // 2. the name is submitted, and the gate opens there; 3. a page with the passcode, as digits and as a QR code
  const passcode = await begin(page);
  assert.match(passcode, /^\d{6}$/);
  assert.equal(await page.locator('svg.qr').count(), 1);
  assert.equal(await page.locator('script').count(), 0);
  // no secret is in the browser: nothing that would be the session, and no page may keep anything
  const cookies = await context.cookies();
  assert.deepEqual(
    cookies.map(({ name }) => name),
    ['__Host-countersign-browser'],
  );
  assert.ok(cookies.every(({ httpOnly, secure, sameSite }) => httpOnly && secure && sameSite === 'Lax'));
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length]), [0, 0]);
  const before = [...seen];
  // 4. the validator: the page tells that it is waited for
  let url = '';
  const { end } = await alice.signOn(passcode, async ({ message }) => {
    await page.getByRole('heading', { name: 'Look at your validator' }).waitFor();
    url = page.url();
    assert.equal(message.context.service, 'web');
    assert.equal(message.context.address, '127.0.0.1');
    return { answer: 'accept', by: 'person' };
  });
  assert.equal(end.outcome, 'granted');
  // 5. the browser is redirected by itself, to where it wanted to go; the proxy passes on who it is
  await page.waitForURL(`${nginx.origin}/report?of=june&by=month`);
  assert.equal(await page.locator('body').innerText(), 'you are alice at /report?of=june&by=month');
  const [session, ...others] = await context.cookies();
  assert.deepEqual([session?.name, others], ['__Host-countersign-session', []]);
  assert.ok(before.length > 0 && url !== '');
  for (const text of [...before, url]) {
    assert.ok(!text.includes(session!.value));
    for (const secret of await alice.secrets()) assert.ok(!text.includes(secret));
  }
  await context.close();
});

describe('every other end is a page that says so, and no session', () => {
  const expectEnd = async (page: Page, context: BrowserContext, title: string) => {
    await page.getByRole('heading', { name: title, exact: true }).waitFor();
    assert.equal((await context.cookies()).length, 0);
    await context.close();
  };

  test('refused on the validator', async () => {
    const { page, context } = await open();
    const passcode = await begin(page);
    await alice.signOn(passcode, async () => ({ answer: 'deny', by: 'person' }));
    await expectEnd(page, context, 'Refused');
  });

  test('too late', async () => {
    const { page, context } = await open();
    const passcode = await begin(page);
    await page.getByRole('heading', { name: 'Too late' }).waitFor();
    assert.equal((await alice.signOn(passcode)).end.outcome, 'not-recognised');
    await expectEnd(page, context, 'Too late');
  });

  test('an unknown user sees what everybody sees', async () => {
    const { page, context } = await open();
    assert.match(await begin(page, 'nobody-here'), /^\d{6}$/);
    await expectEnd(page, context, 'Too late');
  });

  test('cancelled in the browser: the passcode opens nothing', async () => {
    const { page, context } = await open();
    const passcode = await begin(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByLabel('User name').waitFor();
    assert.equal((await alice.signOn(passcode)).end.outcome, 'not-recognised');
    await context.close();
  });

  test('try again has a new passcode', async () => {
    const { page, context } = await open();
    const first = await begin(page);
    await page.getByRole('heading', { name: 'Too late' }).waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    const second = (await page.locator('.passcode').innerText()).replace(/\s/g, '');
    assert.notEqual(second, first);
    assert.equal((await alice.signOn(second)).end.outcome, 'granted');
    await page.waitForURL(`${nginx.origin}/report?of=june&by=month`);
    await context.close();
  });
});

describe('who else would like to come in', () => {
  test('a second browser that replays the page’s address gets nothing, and the first goes on', async () => {
    const { page, context } = await open();
    const passcode = await begin(page);
    const address = await waitAddress(page);
    const stranger = await browser.newContext({ ignoreHTTPSErrors: true });
    const other = await stranger.newPage();
    await other.goto(nginx.origin + address);
    await other.getByRole('heading', { name: 'Nothing here' }).waitFor();
    await Promise.all([alice.signOn(passcode), page.waitForURL(`${nginx.origin}/report?of=june&by=month`)]);
    await other.goto(nginx.origin + address);
    await other.getByRole('heading', { name: 'Nothing here' }).waitFor();
    assert.equal((await stranger.cookies()).length, 0);
    await stranger.close();
    await context.close();
  });

  test('a tampered state gets nothing', async () => {
    const { page, context } = await open();
    await begin(page);
    const address = await waitAddress(page);
    const [cookie] = await context.cookies();
    const get = async (state: string, cookieValue = cookie!.value) => {
      const url = new URL(`http://127.0.0.1:${world.gate.webPort}${address}`);
      url.searchParams.set('state', state);
      url.searchParams.set('seen', 'none');
      const response = await fetch(url, { headers: { cookie: `${cookie!.name}=${cookieValue}` } });
      return { status: response.status, text: await response.text() };
    };
    const state = new URL(nginx.origin + address).searchParams.get('state')!;
    assert.equal((await get(state)).status, 200);
    const nothing = await get('');
    assert.equal(nothing.status, 403);
    const [body, mac] = state.split('.') as [string, string];
    const other = { ...JSON.parse(String(Buffer.from(body, 'base64url'))), user: 'root' };
    const forged = Buffer.from(JSON.stringify(other)).toString('base64url');
    for (const bad of [`${forged}.${mac}`, `${body}.${flipFirst(mac)}`, body, `${state}.x`, `${body}.`]) {
      assert.deepEqual(await get(bad), nothing, bad);
    }
    assert.deepEqual(await get(state, 'AAAAAAAAAAAAAAAAAAAAAA'), nothing);
    await context.close();
  });

  test('a session ends when its user is disabled, and when they sign out', async () => {
    const { page, context } = await open('/');
    const passcode = await begin(page);
    await Promise.all([alice.signOn(passcode), page.waitForURL(`${nginx.origin}/`)]);
    await countersignGate(data, ['disable', 'alice']);
    try {
      await page.goto(`${nginx.origin}/again`);
      await page.getByLabel('User name').waitFor();
    } finally {
      await countersignGate(data, ['enable', 'alice']);
    }
    await context.close();

    const back = await open('/');
    await Promise.all([alice.signOn(await begin(back.page)), back.page.waitForURL(`${nginx.origin}/`)]);
    const [session] = await back.context.cookies();
    const cookie = `${session!.name}=${session!.value}`;
    const check = async () =>
      (await fetch(`http://127.0.0.1:${world.gate.webPort}/countersign/check`, { headers: { cookie } }))
        .status;
    assert.equal(await check(), 204);
    const headers = { cookie, origin: nginx.origin, 'sec-fetch-site': 'same-origin' };
    const url = `http://127.0.0.1:${world.gate.webPort}/countersign/sign-out`;
    await fetch(url, { method: 'POST', headers, redirect: 'manual' });
    assert.equal(await check(), 401);
    await back.context.close();
  });

  test('a form of another site signs nobody on', async () => {
    const post = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${world.gate.webPort}/countersign/`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: 'user=alice',
      });
    const own = { origin: nginx.origin };
    assert.equal((await post({ ...own, 'sec-fetch-site': 'cross-site' })).status, 403);
    assert.equal((await post({ origin: 'https://evil.example' })).status, 403);
    assert.equal((await post({})).status, 403);
    assert.equal((await post({ ...own, 'sec-fetch-site': 'same-origin' })).status, 200);
  });

  test('the way back is a path of this site, whatever was asked for', async () => {
    for (const next of ['//evil.example', 'https://evil.example/', '/\\evil.example', '/a\nb']) {
      const url = `http://127.0.0.1:${world.gate.webPort}/countersign/?${new URLSearchParams({ next })}`;
      const text = await (await fetch(url)).text();
      assert.match(text, /name="next" value="\/"/);
    }
  });
});

async function waitAddress(page: Page): Promise<string> {
  const content = await page.locator('meta[http-equiv=refresh]').getAttribute('content');
  return content!.replace(/^1;url=/, '');
}
