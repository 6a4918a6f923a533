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
import { startChromium } from '../chromium.ts';
import { installNeeded } from '../debian-packages.ts';
import { startBrokerProcess, temporaryFolder } from '../processes.ts';
import { note, say } from './narrator.ts';

const NUMBER = '+49 30 1234567';

export async function tellSessions(): Promise<void> {
  installNeeded();
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

    say(
      'The agent is on the phone with a customer. Auth sessions: a template, a subject, the expected value.',
    );
    await agent.getByLabel('Template').selectOption({ label: 'Phone number' });
    await agent.getByLabel(/^Expected value/).fill(NUMBER);
    await agent.getByLabel('Subject').fill('Call about a card');
    await agent.getByLabel('Duration in seconds').fill('300');
    await picture(agent, '2-auth-sessions');

    say('Start session: a one-use session is created, and the countdown starts at once.');
    await agent.getByRole('button', { name: 'Start session' }).click();
    const link = await agent.getByTestId('link').inputValue();
    note(`    ${link}`);
    await picture(agent, '3-session');

    say('Reveal passcode is refused: the receiver has not seen theirs.');
    await agent.getByRole('button', { name: 'Reveal passcode' }).click();
    note(`    ${await agent.getByRole('alert').last().innerText()}`);

    say('A link preview looks at the link. That opens nothing.');
    for (const method of ['GET', 'HEAD']) {
      const { status } = await fetch(link, {
        method,
        headers: { 'user-agent': 'Slackbot-LinkExpanding 1.0' },
      });
      note(`    ${method} ${status}`);
    }

    say('The customer opens the link, under the organisation’s profile, and fills in the field.');
    const customer = await open(customers, link, { width: 390, height: 760 });
    await customer.getByRole('heading', { name: 'Bank of Examples', exact: true }).waitFor();
    await picture(customer, '4-customer');
    await customer.getByRole('button', { name: 'Continue' }).click();
    await customer.getByLabel('Phone number').fill('0000');
    await picture(customer, '5-fields');
    await customer.getByRole('button', { name: 'Check' }).click();
    await customer.getByRole('heading', { name: 'Invalid session' }).waitFor();
    note('    a wrong value: invalid, and the agent’s page says so');
    await agent
      .getByTestId('where')
      .getByText(/is not what you have/)
      .waitFor();
    await picture(customer, '6-invalid');

    say('The right value: the customer sees a passcode. Neither value nor passcode went through the server.');
    await customer.getByRole('button', { name: 'Try again' }).click();
    await customer.getByLabel('Phone number').fill('+49 (30) 123 45 67');
    await customer.getByRole('button', { name: 'Check' }).click();
    const theirs = await customer.getByTestId('passcode').innerText();
    note(`    the customer sees ${theirs}`);
    await picture(customer, '7-passcode');

    say('The customer asks for it. Now the agent may reveal it; both are the same, so both are sure.');
    await agent
      .getByTestId('where')
      .getByText(/sees their passcode/)
      .waitFor();
    await agent.getByRole('button', { name: 'Reveal passcode' }).click();
    const ours = await agent.getByTestId('passcode').innerText();
    note(`    the agent sees ${ours}`);
    await picture(agent, '8-revealed');
    if (ours !== theirs) throw new Error('the two passcodes differ');

    say('The link can’t be opened twice: whoever comes second sees an invalid session.');
    const second = await open(customers, link, { width: 390, height: 760 });
    await second.getByRole('button', { name: 'Continue' }).click();
    await second.getByRole('heading', { name: 'Invalid session' }).waitFor();
    await picture(second, '9-second');

    say('Delete ends a session at once. Its row in the history stays: metadata, and never a value.');
    await agent.getByRole('button', { name: 'Delete' }).click();
    await agent.getByTestId('where').getByText('This session is over.').waitFor();
    await agent.getByRole('button', { name: 'Close' }).click();
    await agent.getByRole('cell', { name: 'authenticated' }).waitFor();
    note(`    ${(await agent.getByRole('row').nth(1).innerText()).replaceAll('\t', ' · ')}`);
    await picture(agent, '10-history');
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

async function open(browser: Browser, url: string, size = { width: 1000, height: 900 }): Promise<Page> {
  const context = await browser.newContext({ viewport: size, locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  return page;
}
