/**
 * A telephone reaches a host by itself: the host serves the page, takes the telephone's connection by wss, and vouches for
 * itself by an authority of its own, which the telephone trusts. No broker, and no network but this machine's.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildPages } from '../packages/web/build.ts';
import { PHONE } from './authenticator-world.ts';
import { startChromium } from './chromium.ts';
import { cameraFlags, filmQR } from './fake-camera.ts';
import { freePort } from './free-port.ts';
import { configureGate, gateCommand, type NginxProcess } from './gate-processes.ts';
import { createGateWorld, passcodeOn } from './gate-world.ts';
import { Host, SKIP } from './pam-host.ts';
import { build } from './pam-module.ts';
import { answerContext, contextOn, endOn, pairByCamera, scanPasscode } from './phone.ts';
import { checkScreen } from './screens.ts';
import { PATIENCE_MS } from './until.ts';

const HOST = 'db1.localhost';

describe('directly', () => {
  const world = createGateWorld();
  const { at, data } = world;
  const film = at('camera.y4m');
  const failures: string[] = [];
  let nginx: NginxProcess;
  let browser: Browser;
  let page: Page;
  let origin: string;

  before(async () => {
    await filmQR(film);
    await buildPages(at('pages'));
    await world.command('certificate', HOST, '--out', at('tls'));
    await world.demultiplex(['--tls-cert', at('tls/phone.crt'), '--tls-key', at('tls/phone.key')]);
    const { demultiplexer } = world;
    const phonePort = await freePort();
    origin = `https://${HOST}:${phonePort}`;
    await configureGate(
      data,
      HOST,
      demultiplexer,
      [`127.0.0.1:${demultiplexer.port}`, `wss://${HOST}:${demultiplexer.port}/`],
      ['--page', origin],
    );
    nginx = await world.site('nginx', {
      pam: world.pam,
      args: [
        ...['--gate', '120', '--acknowledge', '120'],
        ...['--phone', `127.0.0.1:${phonePort}`, '--pages', at('pages')],
        ...['--phone-cert', at('tls/phone.crt'), '--phone-key', at('tls/phone.key')],
        ...['--phone-authority', at('tls/authority.crt')],
      ],
    });
    trust(at('home'), at('tls/authority.crt'));
    browser = await startChromium(cameraFlags(film), at('home'));
    world.ends.defer(() => browser.close());
    const context = await browser.newContext({ viewport: PHONE, locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => failures.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) failures.push(message.text());
    });
  });

  after(() => assert.deepEqual(failures, []));

  test('the page is installed from the host itself, pairs by the camera, and signs on to a web page', async () => {
    const called = new Set<string>();
    page.on('request', (request) => called.add(new URL(request.url()).origin));
    page.on('websocket', (socket) => called.add(new URL(socket.url()).origin));
    await page.goto(origin);
    await page.getByText('No host is paired with this device yet.').waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    const cdp = await page.context().newCDPSession(page);
    const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
    // A window without a history is what Playwright's contexts are.
    assert.deepEqual(
      installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'),
      [],
    );
    await pairByCamera(page, film, { data, user: 'alice' });
    await checkScreen(page, 'host-list');

    const desktop = await (await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' })).newPage();
    desktop.setDefaultTimeout(PATIENCE_MS);
    await desktop.goto(`${nginx.origin}/report`);
    await desktop.getByLabel('User name').fill('alice');
    await desktop.getByRole('button', { name: 'Sign on' }).click();
    const passcode = (await desktop.locator('.passcode').innerText()).replace(/\s/g, '');
    await scanPasscode(page, film, passcode);
    const context = await contextOn(page);
    assert.deepEqual([context.Account, context.Host, context.Service], ['alice', HOST, 'web']);
    await answerContext(page, 'Accept');
    assert.equal((await endOn(page)).outcome, 'granted');
    await desktop.waitForURL(`${nginx.origin}/report`);
    assert.equal(await desktop.locator('body').innerText(), 'you are alice at /report');
    // The host is all that it spoke to.
    assert.deepEqual([...called].sort(), [origin, `wss://${HOST}:${world.demultiplexer.port}`].sort());
  });

  test('su goes on when the telephone has answered', { skip: SKIP }, async () => {
    build(world.folder, ['pam_countersign.so']);
    await using host = await Host.start();
    host.stack('su', world.line('mode=gate'));
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await scanPasscode(page, film, await passcodeOn(terminal));
    const context = await contextOn(page);
    assert.deepEqual([context.Account, context.Host, context.Service], ['alice', HOST, 'su']);
    await answerContext(page, 'Accept');
    assert.equal((await endOn(page)).outcome, 'granted');
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('what a telephone’s own camera opens begins the pairing', async () => {
    const child = gateCommand(data, ['enroll', 'bob', '--json']);
    const closed = once(child, 'close');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { address } = JSON.parse((await lines.next()).value ?? '{}') as { address: string };
    assert.ok(address.startsWith(`${origin}/#countersign-pair:`));
    await page.goto(address);
    await page.getByRole('heading', { name: 'Pair with a host' }).waitFor();
    // What was used stays in no history.
    await page.waitForURL(({ href }) => !href.includes('countersign-pair'));
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Yes, pair' }).click();
    await page.getByTestId('validator-said').getByText('Paired: bob@').waitFor();
    await closed;
  });

  test('it opens without a line, and says that the host does not answer', async () => {
    await page.reload();
    await page.context().setOffline(true);
    await page.reload();
    await page.getByRole('button', { name: 'Sign on', exact: true }).first().click();
    await page.getByLabel('Passcode', { exact: true }).fill('123456');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('The host does not answer.').waitFor();
    await checkScreen(page, 'host-unreachable');
    await page.context().setOffline(false);
  });

  test('the authority can vouch for no other name', async () => {
    const opens = async (name: string) => {
      const files = ['cert', 'key'].map((kind) => at(`${name}.${kind}`)) as [string, string];
      signBy(at('tls'), name, files);
      const [cert, key] = files.map((file) => readFileSync(file));
      const server = createTlsServer({ cert, key }, (_request, response) => response.end('here'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const stranger = await page.context().newPage();
      try {
        await stranger.goto(`https://${name}:${port}/`);
        return 'opened';
      } catch (error) {
        return /ERR_CERT\w+/.exec(String(error))?.[0];
      } finally {
        await stranger.close();
        server.close();
        server.closeAllConnections();
      }
    };
    assert.equal(await opens(HOST), 'opened');
    assert.match((await opens('other.localhost')) ?? '', /^ERR_CERT/);
  });

  test('it speaks German', async () => {
    const context = await browser.newContext({ viewport: PHONE, locale: 'de-DE' });
    const german = await context.newPage();
    german.setDefaultTimeout(PATIENCE_MS);
    await german.goto(origin);
    await german.getByText('Noch ist kein Host mit diesem Gerät gepaart.').waitFor();
    await checkScreen(german, 'host-german');
    await german.getByRole('button', { name: 'Mit einem Host paaren' }).click();
    await checkScreen(german, 'host-german-pair');
    await context.close();
  });

  test('a browser that does not trust the authority opens nothing', async () => {
    const stranger = await startChromium();
    const lost = await stranger.newPage();
    await assert.rejects(lost.goto(origin), /ERR_CERT_AUTHORITY_INVALID/);
    await stranger.close();
  });
});

/** A certificate for a name, by a host's own authority. */
function signBy(folder: string, name: string, [cert, key]: [string, string]): void {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe' });
  writeFileSync(`${cert}.ext`, `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\n`);
  openssl(
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', key, '-out', `${cert}.csr`],
  );
  openssl(
    ...['x509', '-req', '-in', `${cert}.csr`, '-days', '2', '-extfile', `${cert}.ext`, '-out', cert],
    ...['-CA', join(folder, 'authority.crt'), '-CAkey', join(folder, 'authority.key'), '-CAcreateserial'],
  );
}

/** What a person does once in their telephone's settings: trusts an authority for web pages. */
function trust(home: string, authority: string): void {
  for (const place of ['.pki/nssdb', '.local/share/pki/nssdb']) {
    const database = `sql:${join(home, place)}`;
    mkdirSync(join(home, place), { recursive: true });
    execFileSync('certutil', ['-N', '-d', database, '--empty-password'], { stdio: 'pipe' });
    execFileSync('certutil', ['-A', '-d', database, '-t', 'C,,', '-n', 'host', '-i', authority], {
      stdio: 'pipe',
    });
  }
}
