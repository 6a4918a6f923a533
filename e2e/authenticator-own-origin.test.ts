/**
 * The authenticator at an origin that is not its broker's: built for it, served by real nginx as `deploy/nginx` has it,
 * and a broker that serves no pages.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@countersign/client';
import { noticeId, parseAccountLink, parseDeviceLink } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { buildForOwnOrigin } from '../packages/web/own-origin.ts';
import { letAsk, makeAccount, PHONE, pastGuard } from './authenticator-world.ts';
import { startChromium } from './chromium.ts';
import { freePort } from './free-port.ts';
import { type NginxProcess, runNginx } from './gate-processes.ts';
import { makeParty, startTestBroker, type TestBroker } from './parties.ts';
import { temporaryFolder } from './processes.ts';
import { type PushService, startPushService } from './push-service.ts';
import { PATIENCE_MS, until } from './until.ts';

const SERVER = fileURLToPath(new URL('../deploy/nginx/countersign-authenticator.conf', import.meta.url));
const BUILD = fileURLToPath(new URL('../packages/web/own-origin.ts', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pages: string;
let push: PushService;
let home: TestBroker;
let nginx: NginxProcess;
let browser: Browser;
let serial = 0;
const contexts: BrowserContext[] = [];
const failures: string[] = [];

before(async () => {
  folder = await temporaryFolder();
  push = await startPushService(folder.path);
  setDefaultCACertificates([...getCACertificates(), await readFile(push.certificate, 'utf8')]);
  const [port, brokerPort] = [await freePort(), await freePort()];
  // A site of its own: browsers take each name under localhost for one, and for this machine.
  pages = `http://authenticator.localhost:${port}`;
  home = await startTestBroker(systemClock, {
    port: brokerPort,
    origin: `http://localhost:${brokerPort}`,
    webOrigins: [pages],
    pushServices: [push.origin],
  });
  const built = join(folder.path, 'authenticator');
  await buildForOwnOrigin(built, home.origin);
  const server = (await readFile(SERVER, 'utf8')).replace('/var/www/countersign-authenticator', built);
  nginx = await runNginx(folder.path, port, `listen 127.0.0.1:${port};\n${server}`);
  browser = await startChromium();
});

after(async () => {
  for (const context of contexts) await context.close();
  await browser?.close();
  await nginx?.stop();
  await home?.[Symbol.asyncDispose]();
  await push?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
  assert.deepEqual(failures, []);
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function open(at = pages): Promise<{ page: Page; called: Set<string> }> {
  const context = await browser.newContext({
    viewport: PHONE,
    locale: 'en-GB',
    permissions: ['notifications'],
  });
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => failures.push(String(error)));
  const called = new Set<string>();
  page.on('request', (request) => called.add(new URL(request.url()).origin));
  page.on('websocket', (socket) => called.add(new URL(socket.url()).origin));
  await page.goto(at);
  return { page, called };
}

async function acquainted() {
  const { page, called } = await open();
  const name = `alice${++serial}@example.com`;
  await makeAccount(page, name);
  await page.goto(`${pages}/#account`);
  const link = parseAccountLink(await page.getByTestId('own-link').inputValue());
  const host = await makeParty(home.origin, `host${++serial}@example.com`, systemClock);
  await letAsk({ page, link }, host, pages);
  return { page, called, name, link, host };
}

describe('the authenticator at an origin of its own', () => {
  test('makes an account with its broker, answers, and speaks to nobody else', async () => {
    const { page, called, name, link, host } = await acquainted();
    assert.equal(link.broker, home.origin);
    const asked = await host.enquirer.ask({ account: name, text: 'Deploy 4.2 to production?' });
    await page.getByRole('heading', { name: 'Deploy 4.2 to production?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    await page.goto(`${pages}/#history`);
    await page.getByText('1 shown').waitFor();
    const stream = home.origin.replace('http', 'ws');
    assert.deepEqual([...called].sort(), [pages, home.origin, stream].sort());

    // A way in that it gives leads to it, and not to the broker, which has no page.
    await page.goto(`${pages}/#devices`);
    await button(page, 'Make a link').click();
    const invitation = await page.getByTestId('invitation').inputValue();
    assert.equal(parseDeviceLink(invitation).broker, home.origin);
    const second = await open(`${pages}/#${invitation}`);
    await button(second.page, 'Ask to be let in').click();
    await second.page.getByRole('heading', { name: 'This device must be let in' }).waitFor();
    await page.getByRole('heading', { name: 'A new device wants in' }).waitFor();
    assert.equal((await fetch(home.origin)).status, 404);
  });

  test('is told by Web Push, and its service worker shows it', async () => {
    const { page, name, host } = await acquainted();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    const cdp = await page.context().newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [first] }) => {
        if (first !== undefined) resolve(first.registrationId);
      });
    });
    await cdp.send('ServiceWorker.enable');
    const registrationId = await registered;
    // The push service of the browser's maker can't be reached here: it gets a subscription of ours.
    await page.evaluate((given) => {
      let taken = false;
      const own = { toJSON: () => given, unsubscribe: async () => true } as unknown as PushSubscription;
      PushManager.prototype.subscribe = async () => {
        taken = true;
        return own;
      };
      PushManager.prototype.getSubscription = async () => (taken ? own : null);
    }, push.subscription());
    await page.goto(`${pages}/#account`);
    await button(page, 'Turn on').click();
    await page.getByText('This device is told that something waits, and nothing more.').waitFor();
    const front = await page.context().newPage();
    await front.goto(`${pages}/icon.svg`);
    await page.goto('about:blank');
    const asked = await host.enquirer.ask({ account: name, text: 'Transfer 500 EUR?' });
    await push.until(1);
    const { opened: data } = push.pushed.at(-1)!;
    // As `shownOn` of the notices' tests: a list that is asked for while a notice is being shown takes that away.
    const shown = await until(async () => {
      await cdp.send('ServiceWorker.deliverPushMessage', { origin: pages, registrationId, data });
      await front.waitForTimeout(1000);
      return front.evaluate(async () => {
        const [first] = await (await navigator.serviceWorker.ready).getNotifications();
        return first?.body;
      });
    });
    assert.equal(shown, 'Something waits for your answer.');
    await page.goto(pages);
    await page.getByRole('heading', { name: 'Transfer 500 EUR?' }).waitFor();
    assert.deepEqual(JSON.parse(data), { id: await noticeId(webCrypto, asked.hash) });
  });

  test('opens without a line, and goes on when there is one', async () => {
    const { page } = await acquainted();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText(/^Offline/).waitFor();
    await page.context().setOffline(false);
    await page.getByText('Nothing waits for your answer.').waitFor();
  });

  test('is served with what no page can say of itself, and obeys what its page says', async () => {
    for (const [path, policy, kept] of [
      ['/', "frame-ancestors 'none'", 'no-cache'],
      ['/sw.js', "default-src 'none'; connect-src 'self'", 'no-cache'],
    ] as const) {
      const { headers, status } = await fetch(`http://127.0.0.1:${nginx.port}${path}`);
      assert.equal(status, 200);
      assert.equal(headers.get('content-security-policy'), policy);
      assert.equal(headers.get('cache-control'), kept);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
      assert.match(headers.get('strict-transport-security') ?? '', /^max-age/);
    }
    for (const path of ['/console', '/nginx.conf', '/assets/']) {
      assert.ok((await fetch(`http://127.0.0.1:${nginx.port}${path}`)).status >= 400, path);
    }
    const { page } = await open();
    await button(page, 'Make an account').waitFor();
    const reached = (url: string) =>
      page.evaluate((at) => fetch(at, { mode: 'no-cors' }).then(Boolean, () => false), url);
    assert.equal(await reached(`${home.origin}/.well-known/countersign`), true);
    assert.equal(await reached(`http://127.0.0.1:${nginx.port}/`), false);
    assert.equal(await reached(`${push.origin}/`), false);
    const refused = await page.evaluate(() => {
      try {
        document.body.innerHTML = '<b>markup</b>';
        return '';
      } catch (error) {
        return (error as Error).name;
      }
    });
    assert.equal(refused, 'TypeError');
  });
});

test('a broker lets pages of a named origin call what devices and enquirers call, and nothing else', async () => {
  const allowed = async (path: string, origin: string, method = 'GET') => {
    const { headers } = await fetch(home.origin + path, {
      method,
      headers: { origin, ...(method === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {}) },
    });
    return headers.get('access-control-allow-origin');
  };
  for (const path of ['/.well-known/countersign', '/v1/accounts/a@example.com/log', '/tlog/checkpoint']) {
    assert.equal(await allowed(path, pages), pages, path);
    assert.notEqual(await allowed(path, 'https://evil.example'), 'https://evil.example');
  }
  for (const path of ['/v1/requests', '/v1/accounts/a@example.com/push', '/v1/contacts']) {
    assert.equal(await allowed(path, pages, 'OPTIONS'), pages, path);
    assert.notEqual(await allowed(path, 'https://evil.example', 'OPTIONS'), 'https://evil.example');
  }
  for (const path of [
    '/health',
    '/openapi.json',
    '/v1/sessions',
    '/v1/sessions/open',
    '/v1/signatures',
    '/',
  ]) {
    assert.equal(await allowed(path, pages), null, path);
    assert.equal(await allowed(path, pages, 'OPTIONS'), null, path);
  }
  // A page of an origin that was not named has no broker.
  const { page } = await open(pages.replace('authenticator.', 'other.'));
  await button(page, 'Make an account').click();
  await page.getByLabel(/^Account/).fill('nobody@example.com');
  await button(page, 'Make the account').click();
  await page.getByText('The server does not answer.').waitFor();
});

test('the command that builds it empties no folder of anything else', async () => {
  const build = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, ...words], { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const own = join(folder.path, 'built');
  const broker = ['--broker', 'https://confirm.example.com'];
  for (let i = 0; i < 2; i++) {
    const { status, stdout, stderr } = build(own, ...broker);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /--web-origin/);
  }
  assert.match(
    await readFile(join(own, 'index.html'), 'utf8'),
    /connect-src https:\/\/confirm\.example\.com wss:\/\/confirm\.example\.com wss:;/,
  );
  const other = join(folder.path, 'other');
  await mkdir(other);
  await writeFile(join(other, 'index.html'), 'somebody’s');
  assert.match(build(other, ...broker).stderr, /has other files in it/);
  assert.equal(await readFile(join(other, 'index.html'), 'utf8'), 'somebody’s');
  assert.match(build(own, '--broker', 'https://confirm.example.com/').stderr, /is an origin/);
  assert.match(build(own).stderr, /name a folder and a broker/);
  assert.equal(build(own).status, 1);
});
