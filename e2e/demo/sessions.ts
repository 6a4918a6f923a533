/**
 * The door **sessions**, in the order and words of the document that it descends from: an organisation's agent and
 * a customer with nothing but a link make sure of each other, in two real browsers.
 * @module
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { buildPages } from '../../packages/web/build.ts';
import { closeDialog, startChromium } from '../chromium.ts';
import { installNeeded } from '../debian-packages.ts';
import { startBrokerProcess, temporaryFolder } from '../processes.ts';
import { note, say } from './narrator.ts';

const NUMBER = '+49 30 1234567';
const BOOKING = 'KX 4711';
const PHONE = { width: 390, height: 760 };

export async function tellSessions(): Promise<void> {
  installNeeded(['chromium']);
  await using folder = await temporaryFolder();
  const pictures = await mkdtemp(join(tmpdir(), 'countersign-pictures-'));
  const pages = join(folder.path, 'pages');
  await buildPages(pages);
  const broker = await startBrokerProcess(join(folder.path, 'broker'), { args: ['--pages', pages] });
  // Each side has a browser process of its own.
  const [agents, customers] = [await startChromium(), await startChromium()];
  try {
    const agent = await open(agents, `${broker.origin}/console`);
    const picture = async (page: Page, name: string) => {
      const path = join(pictures, `${name}.png`);
      await page.screenshot({ path, fullPage: true });
      note(`    ${path}`);
    };

    say('An organisation has an account, made in its agent’s browser, and a profile that customers see.');
    await agent.getByLabel(/^Account/).fill('support@bank.example');
    await agent.getByRole('button', { name: 'Make the account' }).click();
    await agent.getByLabel('Display name').fill('Bank of Examples');
    await agent.getByLabel('Description').fill('Your bank, since 1888');
    await agent.getByLabel(/^Country/).fill('de');
    await agent.getByRole('button', { name: 'Save' }).click();
    await agent.getByText('Organisation profile: Bank of Examples').waitFor();
    await picture(agent, '1-profile');

    say('Auth sessions: select a template from the list, or start from scratch.');
    const choices = agent.locator('select').filter({ hasText: 'From scratch' });
    note(`    ${(await choices.locator('option').allInnerTexts()).join(' · ')}`);
    await choices.selectOption({ label: 'Phone number' });
    await picture(agent, '2-auth-sessions');

    say(
      'From scratch: a field type (Text, Number or Date) and a field name of one’s own; up to three fields.',
    );
    await choices.selectOption({ label: 'From scratch' });
    await agent.locator('[name=type-0]').selectOption({ label: 'Text' });
    await agent.getByLabel('Field name').fill('Booking reference');
    await agent.getByLabel('Expected value').fill(BOOKING);
    await agent.getByLabel('Duration in seconds').fill('300');
    note(`    Text · Booking reference · ${BOOKING} · 300 seconds`);

    say('Save as template: its fields are kept for future use, and never a value.');
    await agent.getByLabel('Save as template').check();
    await agent.getByLabel('Name it').fill('Booking');
    await picture(agent, '3-from-scratch');

    say('Start session: a one-use session is created, and the countdown starts at once.');
    await button(agent, 'Start session').click();
    const before = await agent.getByTestId('link').inputValue();
    note(`    ${before}`);
    note(`    ${(await agent.getByText(/ left$/).innerText()).trim()}`);
    await picture(agent, '4-session');

    say('Reveal passcode is refused: the receiver has not seen theirs.');
    await button(agent, 'Reveal passcode').click();
    note(`    ${await agent.getByRole('alert').last().innerText()}`);

    say('Recreate: the same once more, with a new link and a new clock.');
    await button(agent, 'Recreate').click();
    await agent.waitForFunction(
      (old) => document.querySelector<HTMLInputElement>('[data-testid=link]')?.value !== old,
      before,
    );
    note(`    ${await agent.getByTestId('link').inputValue()}`);

    say('Delete ends a session at once. Its row in the history stays: metadata, and never a value.');
    await button(agent, 'Delete').click();
    await agent.getByTestId('where').getByText('This session is over.').waitFor();
    await closeDialog(agent);
    await agent.getByRole('cell', { name: 'deleted' }).nth(1).waitFor();
    await tellHistory(agent);

    say('From template: a subject that identifies nobody, the expected value, the duration.');
    await choices.selectOption({ label: 'Phone number' });
    await agent.getByLabel(/^Expected value/).fill(NUMBER);
    await agent.getByLabel('Subject').fill('Call about a card');
    await picture(agent, '5-from-template');
    await button(agent, 'Start session').click();
    const link = await agent.getByTestId('link').inputValue();
    note(`    ${link}`);

    say('The agent shares the link. A link preview looks at it: that opens nothing.');
    for (const method of ['GET', 'HEAD']) {
      const { status } = await fetch(link, {
        method,
        headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0' },
      });
      note(`    ${method} ${status}`);
    }

    say('What the end user sees: the session, below the organisation’s profile.');
    const customer = await open(customers, link, PHONE);
    await customer.getByRole('heading', { name: 'Bank of Examples', exact: true }).waitFor();
    await picture(customer, '6-customer');
    await button(customer, 'Continue').click();
    await customer.getByLabel('Phone number').waitFor();
    await picture(customer, '7-empty');

    say('The link can’t be opened twice: whoever comes second sees an invalid session.');
    const second = await open(customers, link, PHONE);
    await button(second, 'Continue').click();
    await second.getByRole('heading', { name: 'Invalid session' }).waitFor();
    await picture(second, '8-second');

    say(
      'Filled, and valid: the customer sees a passcode. Neither value nor passcode went through the server.',
    );
    await customer.getByLabel('Phone number').fill('+49 (30) 123 45 67');
    await picture(customer, '9-filled');
    await button(customer, 'Check').click();
    const theirs = await passcodeOf(customer);
    note(`    the customer sees ${theirs}`);
    await picture(customer, '10-valid');

    say('The customer asks for it. Now the agent may reveal it; both are the same, so both are sure.');
    await reveal(agent, theirs);
    await picture(agent, '11-revealed');
    await closeDialog(agent);

    say('The saved template is in the list from now on.');
    const saved = choices.locator('option').filter({ hasText: 'Booking' });
    await saved.waitFor({ state: 'attached' });
    note(`    ${(await choices.locator('option').allInnerTexts()).join(' · ')}`);
    await choices.selectOption((await saved.getAttribute('value'))!);
    await agent.getByLabel('Expected value: Booking reference').fill(BOOKING);
    await agent.getByLabel('Subject').fill('Change of a booking');

    say(
      'Prefill session: the value is in the link, after the #, which no server sees. Less private, and faster.',
    );
    await agent.getByLabel('Prefill session').check();
    await picture(agent, '12-prefill');
    await button(agent, 'Start session').click();
    const prefilled = await agent.getByTestId('link').inputValue();
    note(`    ${prefilled}`);

    say('The customer opens it and types nothing: what is valid is displayed immediately.');
    const quick = await open(customers, prefilled, PHONE);
    await button(quick, 'Continue').click();
    const quickly = await passcodeOf(quick);
    note(`    the customer sees ${quickly}`);
    await picture(quick, '13-prefilled');
    await reveal(agent, quickly);
    await closeDialog(agent);

    say('Invalid: a value that is not what the agent expects, and the agent’s page says so.');
    await agent.getByLabel('Prefill session').uncheck();
    await agent.getByLabel('Expected value: Booking reference').fill(BOOKING);
    await button(agent, 'Start session').click();
    const stranger = await open(customers, await agent.getByTestId('link').inputValue(), PHONE);
    await button(stranger, 'Continue').click();
    await stranger.getByLabel('Booking reference').fill('ZZ 0000');
    await button(stranger, 'Check').click();
    await stranger.getByRole('heading', { name: 'Invalid session' }).waitFor();
    await picture(stranger, '14-invalid');
    const where = agent.getByTestId('where').filter({ hasText: 'is not what you have' });
    await where.waitFor();
    note(`    the agent sees: ${await where.innerText()}`);
    await button(agent, 'Delete').click();
    await agent.getByTestId('where').getByText('This session is over.').waitFor();
    await closeDialog(agent);

    say('The history has all of them, for good.');
    await agent.getByRole('cell', { name: 'authenticated' }).nth(1).waitFor();
    await agent.getByRole('cell', { name: 'deleted' }).nth(2).waitFor();
    await tellHistory(agent);
    await picture(agent, '15-history');
  } finally {
    await agents.close();
    await customers.close();
    await broker.stop();
  }
  process.stdout.write(`
That was the door “sessions”. The pictures are in ${pictures}. What to run next:
    npm start                                 then open http://127.0.0.1:8470/console
`);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const passcodeOf = (page: Page) => page.getByTestId('passcode').innerText();

/** The agent's page shows the passcode that the customer has, once they see it. */
async function reveal(agent: Page, theirs: string): Promise<void> {
  await agent
    .getByTestId('where')
    .getByText(/sees their passcode/)
    .waitFor();
  await button(agent, 'Reveal passcode').click();
  const ours = await passcodeOf(agent);
  note(`    the agent sees ${ours}`);
  if (ours !== theirs) throw new Error('the two passcodes differ');
}

async function tellHistory(agent: Page): Promise<void> {
  const rows = agent.getByRole('region', { name: 'History' }).locator('tr');
  for (const row of await rows.allInnerTexts()) note(`    ${row.replaceAll(/\s*\t\s*/g, ' · ')}`);
}

async function open(browser: Browser, url: string, size = { width: 1000, height: 900 }): Promise<Page> {
  const context = await browser.newContext({ viewport: size, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  return page;
}
