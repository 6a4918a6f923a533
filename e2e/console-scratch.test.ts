/**
 * A session whose fields the agent makes up, with its tips: as a template later, and made once more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { closeDialog, picture } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';

const TIPS = [
  /^Ask for something that belongs to the channel/,
  /^Straightforward, and about what you will ask/,
  /^Optional, and nothing that identifies/,
  /^30 to 900\. The countdown starts at once/,
];

const world = createConsoleWorld();

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('a text, a date and a number are asked for from scratch, made once more, and kept as a template', async () => {
  const agent = await world.office();
  await agent.getByLabel('Template').selectOption({ label: 'From scratch' });
  for (const tip of TIPS) await agent.getByText(tip).waitFor();
  await button(agent, 'Add a field').click();
  await button(agent, 'Add a field').click();
  assert.equal(await button(agent, 'Add a field').count(), 0, 'three are the most');
  const made = [
    ['text', 'Colour', 'Dark blue'],
    ['date', 'Day of the order', '2026-03-01'],
    ['number', 'Order', '4711'],
  ] as const;
  for (const [i, [type, name, value]] of made.entries()) {
    await agent.locator(`[name=type-${i}]`).selectOption(type);
    await agent.locator(`[name=name-${i}]`).fill(name);
    await agent.locator(`[name=value-${i}]`).fill(value);
  }
  await agent.getByLabel('Save as template').check();
  await agent.getByLabel('Name it').fill('Colour');
  await picture(agent, 'console-scratch');
  await button(agent, 'Start session').click();
  const first = await agent.getByTestId('link').inputValue();
  await button(agent, 'Recreate').click();
  await agent.waitForFunction(
    (old) => document.querySelector<HTMLInputElement>('[data-testid=link]')?.value !== old,
    first,
  );

  const customer = await world.open(await agent.getByTestId('link').inputValue());
  await button(customer, 'Continue').click();
  await customer.getByLabel('Colour').fill('dark BLUE');
  await customer.getByLabel('Day of the order').fill('2026-03-01');
  await customer.getByLabel('Order', { exact: true }).fill('47 11');
  await button(customer, 'Check').click();
  const passcode = await customer.getByTestId('passcode').innerText();
  await agent
    .getByTestId('where')
    .getByText(/sees their passcode/)
    .waitFor();
  await button(agent, 'Reveal passcode').click();
  assert.equal(await agent.getByTestId('passcode').innerText(), passcode);
  await button(agent, 'Delete').click();
  await agent.getByTestId('where').getByText(/over/).waitFor();
  await closeDialog(agent);

  await agent.reload();
  const kept = agent.getByLabel('Template').locator('option').filter({ hasText: 'Colour' });
  await kept.waitFor({ state: 'attached' });
  await agent.getByLabel('Template').selectOption((await kept.getAttribute('value'))!);
  for (const [, name] of made) await agent.getByLabel(`Expected value: ${name}`, { exact: true }).waitFor();
});
