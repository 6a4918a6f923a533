/**
 * Organisation signatures, in a real browser and on the command line: made in the console, checked by whoever has
 * the link, with nothing of the text on the wire.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { createTextSignature, formatTextSignatureLink } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Page } from 'playwright-core';
import { picture } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';
import { makeParty, type Party, TestClock } from './parties.ts';
import { countersign } from './processes.ts';

const TEXT = 'Our new account is DE02 1203 0000 0000 2020 51';
const ALTERED = TEXT.replace('51', '52');
const PHONE = { width: 360, height: 740 };

const world = createConsoleWorld();
let consolePage: Page;

before(async () => {
  await world.ready();
  consolePage = await world.office();
  await consolePage.getByRole('heading', { name: 'Organisation signatures' }).waitFor();
});

/** Signs in the console. @param seconds for so many; for good, if absent */
async function sign(text: string, seconds?: number): Promise<string> {
  await consolePage.getByLabel('Text or link to sign').fill(text);
  await consolePage.getByLabel('Holds for good').setChecked(seconds === undefined);
  if (seconds !== undefined) {
    await consolePage.getByLabel('Unit').selectOption('seconds');
    await consolePage.getByLabel('Holds for', { exact: true }).fill(String(seconds));
  }
  const stored = consolePage.waitForResponse((answer) => answer.url().endsWith('/v1/signatures'));
  await consolePage.getByRole('button', { name: 'Sign', exact: true }).click();
  const { hash } = (await (await stored).json()) as { hash: string };
  const link = consolePage.getByTestId('signature-link');
  await consolePage.waitForFunction(
    (wanted) =>
      document.querySelector<HTMLInputElement>('[data-testid=signature-link]')?.value.includes(wanted),
    hash,
  );
  return link.inputValue();
}

async function check(page: Page, text?: string): Promise<string> {
  if (text !== undefined) await page.getByLabel('The text or link').fill(text);
  await page.getByRole('button', { name: 'Check' }).click();
  const verdict = page.locator('[data-verdict]');
  await verdict.waitFor();
  return (await verdict.getAttribute('data-verdict'))!;
}

describe('an organisation’s signature', () => {
  test('is valid for the text, invalid for another, for whoever has the link, again and again', async () => {
    const link = await sign(TEXT);
    await picture(consolePage, 'signature-console');
    for (const person of ['first', 'second']) {
      const page = await world.open(link, PHONE);
      assert.equal(await check(page, ALTERED), 'invalid');
      await picture(page, `signature-invalid-${person}`);
      await page.getByLabel('The text or link').fill(TEXT);
      assert.equal(await page.locator('[data-verdict]').count(), 0, 'no verdict stands beside another text');
      assert.equal(await check(page), 'valid');
      assert.match(await page.locator('[data-verdict]').innerText(), /support@bank\.example signed exactly/);
      await picture(page, `signature-valid-${person}`);
    }
  });

  test('comes with the text, where that was put into the link', async () => {
    await sign('https://bank.example/new-terms');
    await consolePage.getByLabel('Prefill the text').check();
    const link = await consolePage.getByTestId('signature-link').inputValue();
    assert.ok(!new URL(link).search.includes('bank.example'));
    const page = await world.open(link, PHONE);
    assert.equal(await page.getByLabel('The text or link').inputValue(), 'https://bank.example/new-terms');
    assert.equal(await check(page), 'valid');
  });

  test('says expired after its time', async () => {
    const link = await sign(TEXT, 30);
    const page = await world.open(link, PHONE);
    assert.equal(await check(page, TEXT), 'valid');
    await page.clock.setFixedTime(Date.now() + 31_000);
    assert.equal(await check(page, `${TEXT} `), 'expired');
    assert.equal(await check(page, ALTERED), 'invalid');
    assert.equal(await check(page, TEXT), 'expired');
    await picture(page, 'signature-expired');
  });

  test('is made and checked without the text, or a plain hash of it, leaving the page', async () => {
    const secret = `Gate code ${Math.trunc(performance.now())} 4711`;
    const sent: string[] = [];
    const capture = (page: Page) =>
      page.on('request', (request) => {
        sent.push(
          decodeURIComponent(request.url()),
          request.postData() ?? '',
          JSON.stringify(request.headers()),
        );
      });
    capture(consolePage);
    const link = await sign(secret);
    const page = await world.open('about:blank', PHONE);
    capture(page);
    await page.goto(`${link}&t=${encodeURIComponent(secret)}`);
    assert.equal(await check(page), 'valid');
    assert.ok(sent.some((one) => one.includes('/v1/signatures/')));
    const hash = createHash('sha256').update(secret);
    const { payload } = payloadOfPosted(sent);
    for (const known of [secret, 'Gate code', hash.copy().digest('hex'), hash.copy().digest('base64url')]) {
      assert.ok(!sent.some((one) => one.includes(known)), known);
    }
    assert.deepEqual(Object.keys(payload).sort(), ['digest', 'head', 'iat', 'iss', 'iss_id', 'salt']);
  });
});

/** The statement that went out last. */
function payloadOfPosted(sent: readonly string[]): { payload: object } {
  const body = sent.findLast((one) => one.startsWith('{"statement"'))!;
  const [, payload] = (JSON.parse(body) as { statement: string }).statement.split('.');
  return { payload: JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object };
}

describe('a server that lies about a signature', () => {
  const clock = new TestClock();
  let bunk: Party;
  before(async () => {
    bunk = await makeParty(world.origin, 'support@bunk.example', clock);
  });

  test('is found out when it shows another one', async () => {
    const [one, other] = [await sign(TEXT), await sign(ALTERED)];
    const hashOf = (link: string) => new URLSearchParams(new URL(link).hash.slice(1)).get('s')!;
    const page = await world.open(one, PHONE);
    const swapped = await (await fetch(`${world.origin}/v1/signatures/${hashOf(other)}`)).text();
    await page.route('**/v1/signatures/*', (route) =>
      route.fulfill({ body: swapped, contentType: 'application/json' }),
    );
    assert.equal(await check(page, ALTERED), 'unknown');
  });

  test('is found out when it shows another organisation’s log under the name', async () => {
    const { session } = bunk.device;
    const log = await session.ownLog(0);
    const forged = await createTextSignature(
      webCrypto,
      session.keys.signer,
      { ...log, name: 'support@bank.example' },
      { text: TEXT, now: clock.now() },
    );
    const honest = new URLSearchParams(new URL(await sign(TEXT)).hash.slice(1));
    // The link of the honest organisation, and all else of the other one.
    const link = formatTextSignatureLink({
      origin: world.origin,
      name: 'support@bank.example',
      identity: honest.get('o')!,
      hash: forged.hash,
    });
    const page = await world.open(link, PHONE);
    await page.route('**/v1/signatures/*', (route) => route.fulfill({ json: { signature: forged.jws } }));
    await page.route('**/v1/accounts/*/log*', async (route) => {
      const url = route.request().url().replace('support%40bank.example', 'support%40bunk.example');
      await route.fulfill({ response: await route.fetch({ url }) });
    });
    assert.equal(await check(page, TEXT), 'unknown');
    await picture(page, 'signature-forged');
  });

  test('takes none from a device that it does not know', async () => {
    const { session } = bunk.device;
    const log = await session.ownLog(0);
    const forged = await createTextSignature(
      webCrypto,
      session.keys.signer,
      { ...log, name: 'support@bank.example' },
      { text: TEXT, now: clock.now() },
    );
    const answer = await fetch(`${world.origin}/v1/signatures`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ statement: forged.jws }),
    });
    assert.equal(((await answer.json()) as { code: string }).code, 'account-changed');
  });
});

describe('`countersign signature`', () => {
  test('makes one and checks it: 0 valid, 8 invalid; unknown links are refused', async () => {
    const profile = join(world.folder, 'cli');
    await countersign(profile, ['account', 'create', 'press@bank.example', '--broker', world.origin]);
    const made = await countersign(profile, ['signature', 'create', TEXT, '--for', '1h']);
    const link = made.stdout.trim();
    assert.equal(made.status, 0, made.stderr);
    const verify = (...words: string[]) => countersign('unused', ['signature', 'verify', ...words]);
    assert.equal((await verify(link, TEXT)).status, 0);
    assert.equal((await verify(link, ALTERED)).status, 8);
    assert.equal((await verify(link)).status, 64, 'no text');
    const prefilled = await countersign(profile, ['signature', 'create', TEXT, '--prefill', '--json']);
    assert.equal((await verify(JSON.parse(prefilled.stdout).link)).status, 0);
    assert.equal((await verify(link.replace(/s=[^&]{43}/, `s=${'A'.repeat(43)}`), TEXT)).status, 9);
    // The console's page takes the same links.
    assert.equal(await check(await world.open(link, PHONE), TEXT), 'valid');
  });
});
