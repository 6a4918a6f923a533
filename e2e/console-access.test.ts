/**
 * Console, session page and signature page for whoever does not see them, or has a keyboard alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createConsoleWorld } from './console-world.ts';
import { checkScreen } from './screens.ts';

const NUMBER = '+49 30 1234567';
const TEXT = 'Our new account is DE02 1203 0000 0000 2020 51.';
const PHONE = { width: 390, height: 760 };

const world = createConsoleWorld();
const open = (path: string, locale?: string) => world.open(path, PHONE, locale);

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name });

/** What has the focus, by the text that a person reads of it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement: at } = document;
    const label = at instanceof HTMLInputElement ? at.labels?.[0] : at;
    return at === document.body ? '' : (label?.textContent ?? '').trim();
  });
}

async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  for (let i = 0; i < 40; i++) {
    if (wanted.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`the Tab key does not reach ${wanted}`);
}

test('the keyboard alone starts a session, goes through it on both pages, and is told where it is', async () => {
  const agent = await open('/console');
  await button(agent, 'Make the account').waitFor();
  await tabTo(agent, /^Account/);
  await agent.keyboard.type('keys@bank.example');
  await agent.keyboard.press('Enter');
  await heading(agent, 'Auth sessions').waitFor();
  await tabTo(agent, /^Expected value/);
  await agent.keyboard.type(NUMBER);
  await tabTo(agent, /^Start session$/);
  await agent.keyboard.press('Enter');
  const link = await agent.getByTestId('link').inputValue();

  const customer = await open(link);
  await button(customer, 'Continue').waitFor();
  await tabTo(customer, /^Continue$/);
  await customer.keyboard.press('Enter');
  await customer.getByLabel('Phone number').waitFor();
  assert.match(await focused(customer), /^Fill in what/);
  await customer.keyboard.press('Tab');
  await customer.keyboard.type('47');
  await customer.keyboard.press('Enter');
  await heading(customer, 'Invalid session').waitFor();
  assert.equal(await focused(customer), 'Invalid session');
  await tabTo(customer, /^Try again$/);
  await customer.keyboard.press('Enter');
  await customer.getByLabel('Phone number').waitFor();
  await customer.keyboard.press('Tab');
  await customer.keyboard.type(NUMBER);
  await customer.keyboard.press('Enter');
  const passcode = await customer
    .getByRole('status')
    .filter({ hasText: /^\d{6}$/ })
    .innerText();
  assert.equal(await focused(customer), 'Ask them for these digits');

  await agent
    .getByTestId('where')
    .getByText(/sees their passcode/)
    .waitFor();
  await tabTo(agent, /^Reveal passcode$/);
  await agent.keyboard.press('Enter');
  assert.equal(
    await agent
      .getByRole('status')
      .filter({ hasText: /^\d{6}$/ })
      .innerText(),
    passcode,
  );
  await tabTo(agent, /^Delete$/);
  await agent.keyboard.press('Enter');
  await agent.getByTestId('where').getByText(/over/).waitFor();
  await tabTo(agent, /^Close$/);
  await agent.keyboard.press('Enter');
  await agent.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(agent), 'Start session', 'the focus is where it was');
  await heading(agent, 'History').waitFor();
});

test('every screen is accessible in light and dark, fits 320 pixels, and turns round', async () => {
  const agent = await open('/console');
  await button(agent, 'Make the account').waitFor();
  await checkScreen(agent, 'access-console-outside');
  await agent.getByLabel(/^Account/).fill('looked-at@bank.example');
  await button(agent, 'Make the account').click();
  await agent.getByLabel(/^Expected value/).fill(NUMBER);
  await agent.getByLabel('Subject').fill('Invoice 4711');
  await button(agent, 'Start session').click();
  const link = await agent.getByTestId('link').inputValue();
  await checkScreen(agent, 'access-console-session');

  const customer = await open(link);
  await button(customer, 'Continue').waitFor();
  await checkScreen(customer, 'access-session-open');
  await button(customer, 'Continue').click();
  await customer.getByLabel('Phone number').waitFor();
  await checkScreen(customer, 'access-session-fill');
  await customer.getByLabel('Phone number').fill(NUMBER);
  await button(customer, 'Check').click();
  await customer.getByTestId('passcode').waitFor();
  await checkScreen(customer, 'access-session-match');
  const late = await open(link);
  await button(late, 'Continue').click();
  await heading(late, 'Invalid session').waitFor();
  await checkScreen(late, 'access-session-invalid');

  await agent
    .getByTestId('where')
    .getByText(/sees their passcode/)
    .waitFor();
  await button(agent, 'Reveal passcode').click();
  await agent.getByTestId('passcode').waitFor();
  await checkScreen(agent, 'access-console-revealed');
  await button(agent, 'Delete').click();
  await agent.getByTestId('where').getByText(/over/).waitFor();
  await button(agent, 'Close').click();
  await agent.getByRole('cell', { name: 'Invoice 4711' }).waitFor();
  await agent.getByLabel('Text or link to sign').fill(TEXT);
  await button(agent, 'Sign').click();
  const signature = await agent.getByTestId('signature-link').inputValue();
  await checkScreen(agent, 'access-console');

  const reader = await open(signature);
  await reader.getByLabel('The text or link').waitFor();
  await checkScreen(reader, 'access-signature');
  await reader.getByLabel('The text or link').fill(TEXT);
  await button(reader, 'Check').click();
  await reader.locator('[data-verdict=valid]').waitFor();
  await checkScreen(reader, 'access-signature-valid');
});

test('who reads German is told in German what went wrong, and on which page they are', async () => {
  const agent = await open('/console', 'de-DE');
  await agent.getByLabel(/^Konto, wie/).fill('kein Name');
  await button(agent, 'Konto anlegen').click();
  const said = (text: RegExp) => agent.getByRole('alert').filter({ hasText: text }).waitFor();
  await said(/kein Name eines Kontos/);
  assert.equal(await agent.title(), 'Konsole');
  await agent.getByLabel(/^Konto, wie/).fill('deutsch@bank.example');
  await button(agent, 'Konto anlegen').click();
  await agent.getByLabel(/^Erwarteter Wert/).fill('keine Ziffern');
  await button(agent, 'Sitzung beginnen').click();
  await said(/eine Zahl hat Ziffern/i);
  await agent.getByLabel(/^Erwarteter Wert/).fill(NUMBER);
  await button(agent, 'Sitzung beginnen').click();
  const link = await agent.getByTestId('link').inputValue();
  await button(agent, 'Passcode zeigen').click();
  await said(/noch nicht gesehen/);
  const customer = await open(link, 'de-DE');
  await button(customer, 'Weiter').waitFor();
  assert.equal(await customer.title(), 'Sitzung');
  const reader = await open(`${world.origin}/v/none`, 'de-DE');
  await heading(reader, 'Signatur').waitFor();
  assert.equal(await reader.title(), 'Signatur');
});
