/**
 * The page that a session's link opens, in a real browser, with the organisation's console in another: what goes wrong
 * on the way costs the customer nothing that the promise does not ask for.
 */
import assert from 'node:assert/strict';
import { afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { MOST } from '../packages/web/build.ts';
import { closeDialog } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';
import { checkScreen } from './screens.ts';
import { PATIENCE_MS } from './until.ts';

const NUMBER = '+49 30 1234567';
const PHONE = { width: 390, height: 760 };

const world = createConsoleWorld();
let agent: Page;

before(async () => {
  await world.ready();
  agent = await world.office();
  await agent.getByLabel('Display name').fill('Bank of Examples');
  await agent.getByLabel('Description').fill('Your bank, since 1888');
  await agent.getByLabel(/^Country/).fill('de');
  await agent.getByRole('button', { name: 'Save' }).click();
  await agent.getByText('Organisation profile: Bank of Examples').waitFor();
});
// A test that fails leaves no session to the next one.
afterEach(async () => {
  await agent.goto(`${world.origin}/console`);
  await agent.evaluate(() => sessionStorage.clear());
  await agent.reload();
});

const open = (url: string) => world.open(url, PHONE);

/** Starts a session for a phone number. @returns its link */
async function start(subject = ''): Promise<string> {
  await agent.getByLabel('Template').selectOption({ label: 'Phone number' });
  await agent.getByLabel(/^Expected value/).fill(NUMBER);
  await agent.getByLabel('Subject').fill(subject);
  await agent.getByRole('button', { name: 'Start session' }).click();
  return agent.getByTestId('link').inputValue();
}

/** The page of a customer who has opened the link. */
async function opened(): Promise<Page> {
  const customer = await open(await start());
  await customer.getByRole('button', { name: 'Continue' }).click();
  await customer.getByLabel('Phone number').waitFor();
  return customer;
}

async function fill(page: Page, value: string): Promise<void> {
  await page.getByLabel('Phone number').fill(value);
  await page.getByRole('button', { name: 'Check' }).click();
}

const where = (text: RegExp) => agent.getByTestId('where').getByText(text).waitFor();

describe('a customer’s page', () => {
  test('shows its first screen with the code that it may have', () => {
    const { first } = world.sizes.find(({ page }) => page === 'session')!;
    assert.equal(MOST.session, 25_000);
    assert.ok(first <= MOST.session!, `${first} bytes`);
  });

  test('says at its field that a value is not of its type, and the session stands', async () => {
    const customer = await opened();
    await fill(customer, '030 1234567 ext 5');
    const field = customer.getByLabel('Phone number');
    await customer.getByRole('alert').getByText('Only digits').waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await field.inputValue(), '030 1234567 ext 5');
    await checkScreen(customer, 'session-wrong-field');
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
  });

  test('knows while it is filled in that the organisation is away, is back, and has ended the session', async () => {
    const customer = await opened();
    await agent.goto('about:blank');
    await customer.getByText('Waiting for the organisation').waitFor();
    await agent.goto(`${world.origin}/console`);
    await customer.getByText('Waiting for the organisation').waitFor({ state: 'detached' });
    await agent.getByRole('button', { name: 'Delete' }).click();
    await customer.getByRole('heading', { name: 'Invalid session' }).waitFor();
  });

  test('offline says so, and goes on by itself', async () => {
    const customer = await opened();
    await customer.context().setOffline(true);
    await fill(customer, NUMBER);
    await customer.getByText('The server does not answer').waitFor();
    await customer.context().setOffline(false);
    await customer.getByTestId('passcode').waitFor();
    assert.equal(await customer.getByText('The server does not answer').count(), 0);
    await where(/sees their passcode/);
  });

  test('whose line breaks while its link opens, opens it by itself', async () => {
    const customer = await open(await start());
    let lost = false;
    await customer.route('**/v1/sessions/open', async (route) => {
      if (lost) return route.continue();
      lost = true;
      // The server has opened it, and nobody hears that.
      assert.equal((await route.fetch()).status(), 200);
      await route.abort('connectionreset');
    });
    await customer.getByRole('button', { name: 'Continue' }).click();
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
    assert.ok(lost);
  });

  test('holds to five tries, however often its server opens the link, and over a reload', async () => {
    const customer = await open(await start());
    let answer: string | undefined;
    // A server that plays the organisation's side: each try is a guess for it.
    await customer.route('**/v1/sessions/open', async (route) => {
      answer ??= await (await route.fetch()).text();
      await route.fulfill({ body: answer, contentType: 'application/json' });
    });
    await customer.route('**/v1/sessions/*/read', () => {});
    let guesses = 0;
    await customer.route('**/v1/sessions/*/messages', (route) => {
      guesses++;
      return route.fulfill({ status: 404, body: '{}', contentType: 'application/json' });
    });
    const field = customer.getByLabel('Phone number');
    const invalid = customer.getByRole('heading', { name: 'Invalid session' });
    for (let i = 1; i <= 7; i++) {
      if (i === 4) await customer.reload();
      await customer.getByRole('button', { name: /^(Continue|Try again)$/ }).click();
      if (i > 5) await invalid.waitFor();
      else {
        await field.waitFor();
        await fill(customer, NUMBER);
        await invalid.waitFor();
        assert.equal(guesses, i);
      }
    }
    assert.equal(await field.count(), 0);
    assert.equal(guesses, 5);
  });

  test('that was told nonsense leaves its session open for another try', async () => {
    const customer = await opened();
    let first = true;
    await customer.route('**/read', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { messages: { body: string }[] };
      if (body.messages.length > 0 && first) {
        first = false;
        body.messages[0]!.body = 'not json';
      }
      await route.fulfill({ response: answer, json: body });
    });
    await fill(customer, NUMBER);
    await customer.getByRole('button', { name: 'Try again' }).click();
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
  });

  test('keeps the passcode on the screen where the server does not hear that it is there', async () => {
    const customer = await opened();
    const refused = Promise.withResolvers<void>();
    await customer.route('**/messages', async (route) => {
      if (!route.request().postData()?.includes('seen')) return route.continue();
      await route.fulfill({ status: 404, json: { code: 'session-invalid' } });
      refused.resolve();
    });
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
    await refused.promise;
    await customer.waitForTimeout(200);
    assert.match(await customer.getByTestId('passcode').innerText(), /^\d{6}$/);
  });
});

test('a link is opened by no program that looks at it, nor by a browser that shows its page', async () => {
  const link = await start();
  const { pathname, hash } = new URL(link);
  assert.equal(await (await fetch(link)).text(), await (await fetch(world.origin + pathname)).text());
  for (const name of ['Slackbot-LinkExpanding 1.0', 'facebookexternalhit/1.1', 'WhatsApp/2.23']) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(link, { method, headers: { 'user-agent': name } });
      assert.deepEqual(
        [answer.status, answer.headers.get('content-type')],
        [200, 'text/html; charset=utf-8'],
      );
    }
  }
  const previewer = await open(link);
  await previewer.getByRole('button', { name: 'Continue' }).waitFor();
  assert.ok(previewer.url().endsWith(hash), 'with all that it needs to open it');
  await previewer.waitForLoadState('networkidle');
  await where(/has not been opened/);
  const customer = await open(link);
  await customer.getByRole('button', { name: 'Continue' }).click();
  await fill(customer, NUMBER);
  await customer.getByTestId('passcode').waitFor();
});

test('neither page sends the value, or the passcode, or what could be tried for them', async () => {
  const sent: string[] = [];
  const note = (page: Page) =>
    page.on('request', (request) => {
      sent.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`);
    });
  note(agent);
  const link = await start();
  const customer = await open('about:blank');
  note(customer);
  await customer.goto(link);
  await customer.getByRole('button', { name: 'Continue' }).click();
  await fill(customer, '(+49) 30 123 45 67');
  const passcode = await customer.getByTestId('passcode').innerText();
  await where(/sees their passcode/);
  await agent.getByRole('button', { name: 'Reveal passcode' }).click();
  assert.equal(await agent.getByTestId('passcode').innerText(), passcode);
  const { t: token } = Object.fromEntries(new URLSearchParams(new URL(link).hash.slice(1)));
  // The capture has seen both pages: each posted its share.
  for (const kind of ['share', 'answer']) assert.ok(sent.some((one) => one.includes(`kind\\":\\"${kind}`)));
  for (const secret of [NUMBER, '(+49) 30 123 45 67', '+49301234567', '49301234567', '1234567', passcode]) {
    for (const form of [secret, encodeURIComponent(secret), btoa(secret), btoa(secret).replaceAll('=', '')]) {
      assert.ok(!sent.some((one) => one.includes(form)), form);
    }
  }
  const carried = sent.filter((one) => one.includes(token!)).map((one) => one.split(' ')[0]);
  assert.deepEqual(
    carried,
    [`${world.origin}/v1/sessions/open`],
    'the token goes to one place, in no address',
  );
});

describe('an older browser', () => {
  /** A customer's page in a browser that lacks something. */
  async function without(script: () => void): Promise<Page> {
    const link = await start();
    const page = await (await world.browser.newContext({ viewport: PHONE })).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(script);
    await page.goto(link);
    await page.getByRole('button', { name: 'Continue' }).click();
    return page;
  }

  test('without methods of 2025 shows the passcode', async () => {
    const customer = await without(() => {
      Reflect.deleteProperty(Uint8Array, 'fromBase64');
      Reflect.deleteProperty(Uint8Array.prototype, 'toBase64');
    });
    await customer.getByRole('heading', { name: 'Bank of Examples', exact: true }).waitFor();
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
    await where(/sees their passcode/);
  });

  test('that can’t do it says so, and opens nothing', async () => {
    const customer = await without(() => {
      Reflect.deleteProperty(String.prototype, 'isWellFormed');
    });
    await customer.getByText('this browser is too old').waitFor();
    await where(/has not been opened/);
    const newer = await open(customer.url());
    await newer.getByRole('button', { name: 'Continue' }).click();
    await fill(newer, NUMBER);
    await newer.getByTestId('passcode').waitFor();
  });
});

/** Whether a link opens: an ended one does not. */
async function assertOver(link: string): Promise<void> {
  const late = await open(link);
  await late.getByRole('button', { name: 'Continue' }).click();
  await late.getByRole('heading', { name: 'Invalid session' }).waitFor();
}

describe('the agent’s page', () => {
  test('prefills a link where it is asked to: its customer types nothing, and the history says so', async () => {
    await agent.getByLabel('Prefill session').check();
    const customer = await open(await start('prefilled'));
    await customer.getByRole('button', { name: 'Continue' }).click();
    await customer.getByTestId('passcode').waitFor();
    await closeDialog(agent);
    await agent.getByLabel('Prefill session').uncheck();
    assert.doesNotMatch(await start('typed'), /1234567/);
    const prefilled = (subject: string) =>
      agent.locator('tr').filter({ hasText: subject }).locator('td').nth(5).innerText();
    assert.deepEqual([await prefilled('prefilled'), await prefilled('typed')], ['yes', 'no']);
  });

  test('saves a template under a name, with its version, and removes it', async () => {
    const template = agent.getByRole('combobox', { name: 'Template' });
    const options = () => template.locator('option').allInnerTexts();
    await template.waitFor();
    const before = await options();
    for (const version of [2, 3]) {
      await template.selectOption({ label: 'From scratch' });
      await agent.getByLabel('Field name').fill('Mobile');
      await agent.getByLabel(/^Expected value/).fill('a');
      await agent.getByLabel('Save as template').check();
      await agent.getByLabel('Name it').fill('Phone number');
      await agent.getByRole('button', { name: 'Start session' }).click();
      await closeDialog(agent);
      await agent.getByRole('cell', { name: `Phone number ${version}` }).waitFor();
    }
    await agent.reload();
    await template.locator('option').filter({ hasText: 'version 3' }).waitFor({ state: 'attached' });
    const own = 'Phone number, version 3';
    assert.deepEqual(
      (await options()).sort(),
      [...before.filter((one) => one !== 'Phone number'), own].sort(),
    );
    await template.selectOption({ label: own });
    await agent.getByLabel('Expected value: Mobile').waitFor();
    await agent.getByRole('button', { name: 'Remove this one' }).click();
    await template.locator('option').filter({ hasText: 'version 3' }).waitFor({ state: 'detached' });
    assert.deepEqual(await options(), before);
  });

  test('that closes a session ends it', async () => {
    const link = await start('to be closed');
    await closeDialog(agent);
    const row = agent.getByRole('row').filter({ hasText: 'to be closed' });
    await row.getByRole('cell', { name: 'deleted' }).waitFor();
    await assertOver(link);
  });

  test('that recreates a session ends the one before', async () => {
    const link = await start();
    await agent.getByRole('button', { name: 'Recreate' }).click();
    await agent.waitForFunction(
      (before) => document.querySelector<HTMLInputElement>('[data-testid=link]')?.value !== before,
      link,
    );
    await assertOver(link);
    const customer = await open(await agent.getByTestId('link').inputValue());
    await customer.getByRole('button', { name: 'Continue' }).click();
    await fill(customer, NUMBER);
    await customer.getByTestId('passcode').waitFor();
  });

  test('ends in the history what was left by another page', async () => {
    const link = await start('to be left');
    await agent.evaluate(() => sessionStorage.clear());
    await agent.reload();
    const row = agent.getByRole('row').filter({ hasText: 'to be left' });
    await row.getByRole('button', { name: 'End now' }).click();
    await row.getByRole('cell', { name: 'deleted' }).waitFor();
    assert.equal(await row.getByRole('button').count(), 0);
    await assertOver(link);
  });

  test('offline until the session’s time is over says that too, and can be closed', async () => {
    await agent.getByLabel('Duration in seconds').fill('30');
    await start('out of time');
    await agent.context().setOffline(true);
    await where(/does not answer/);
    await where(/time of this session is over/);
    await checkScreen(agent, 'session-gone');
    await closeDialog(agent);
    await agent.context().setOffline(false);
  });

  test('offline says so, and answers a customer who came meanwhile', async () => {
    const customer = await open(await start());
    await agent.context().setOffline(true);
    await customer.getByRole('button', { name: 'Continue' }).click();
    await fill(customer, NUMBER);
    await where(/does not answer/);
    await agent.context().setOffline(false);
    await customer.getByTestId('passcode').waitFor();
    await where(/sees their passcode/);
  });
});
