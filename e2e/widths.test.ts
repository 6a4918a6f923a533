/**
 * The pages that the broker serves beside the authenticator, from a small telephone to a large desktop.
 */
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { closeDialog } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';
import { checkWidths } from './screens.ts';

const TEXT =
  'Our new account is DE02 1203 0000 0000 2020 51. We never ask for your password on the telephone.';

const world = createConsoleWorld();

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('console, session page and signature page fit every window, with lines that can be read', async () => {
  const agent = await world.open('/console');
  await button(agent, 'Make the account').waitFor();
  await checkWidths(agent, 'wide-console-outside');
  await agent.getByLabel(/^Account/).fill('support@bank.example');
  await button(agent, 'Make the account').click();
  await agent.getByRole('heading', { name: 'Auth sessions' }).waitFor();
  await checkWidths(agent, 'wide-console');
  await agent.getByLabel('Template').selectOption({ label: 'Phone number' });
  await agent.getByLabel(/^Expected value/).fill('+49 30 1234567');
  await agent.getByLabel('Subject').fill('Invoice 4711');
  await button(agent, 'Start session').click();
  const link = await agent.getByTestId('link').inputValue();
  await checkWidths(agent, 'wide-console-session');

  const customer = await world.open(link);
  await button(customer, 'Continue').waitFor();
  await checkWidths(customer, 'wide-session-open');
  await button(customer, 'Continue').click();
  await customer.getByLabel('Phone number').waitFor();
  await checkWidths(customer, 'wide-session-fill');
  await customer.getByLabel('Phone number').fill('+49 30 1234567');
  await button(customer, 'Check').click();
  await customer.getByTestId('passcode').waitFor();
  await checkWidths(customer, 'wide-session-match');
  const late = await world.open(link);
  await button(late, 'Continue').click();
  await late.getByRole('heading', { name: 'Invalid session' }).waitFor();
  await checkWidths(late, 'wide-session-invalid');

  await button(agent, 'Delete').click();
  await agent.getByTestId('where').getByText(/over/).waitFor();
  await closeDialog(agent);
  await agent.getByRole('cell', { name: 'Invoice 4711' }).waitFor();
  await agent.getByRole('heading', { name: 'History' }).scrollIntoViewIfNeeded();
  await checkWidths(agent, 'wide-console-history');
  await agent.getByLabel('Text or link to sign').fill(TEXT);
  await button(agent, 'Sign').click();
  const signature = await agent.getByTestId('signature-link').inputValue();

  const reader = await world.open(signature);
  await reader.getByLabel('The text or link').waitFor();
  await checkWidths(reader, 'wide-signature');
  await reader.getByLabel('The text or link').fill(TEXT);
  await button(reader, 'Check').click();
  await reader.locator('[data-verdict=valid]').waitFor();
  await checkWidths(reader, 'wide-signature-valid');
});
