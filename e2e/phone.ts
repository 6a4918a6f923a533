/**
 * A person's telephone as a validator: the authenticator's page in a window of a telephone's size, whose camera sees
 * what a host shows.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { formatPasscodeCode } from '@countersign/core/m-auth';
import type { Page } from 'playwright-core';
import { pastGuard } from './authenticator-world.ts';
import { filmQR } from './fake-camera.ts';
import { gateCommand } from './gate-processes.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

export interface Paired {
  readonly erase: string;
}

/** Runs `countersign-gate enroll`, and scans what it shows by the telephone's camera. */
export async function pairByCamera(
  page: Page,
  film: string,
  {
    data,
    user,
    looked = async () => {},
  }: { data: string; user: string; looked?(name: string): Promise<void> },
): Promise<Paired> {
  const child = gateCommand(data, ['enroll', user, '--json']);
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}') as Record<string, string>;
  const { link } = await next();
  await button(page, 'Pair with a host').click();
  await page.getByRole('heading', { name: 'Pair with a host' }).waitFor();
  await looked('pair');
  await filmQR(film, link);
  await button(page, 'Scan the host’s QR code').click();
  await page.getByRole('heading', { name: 'Is this the host' }).waitFor();
  await looked('pair-ask');
  await button(page, 'Yes, pair').click();
  const erase = await page.getByTestId('erase-statement').innerText();
  await looked('pair-erase');
  await button(page, 'I have it').click();
  const { outcome } = await next();
  assert.equal(outcome, 'paired');
  await closed;
  await page.getByTestId('validator-said').getByText('Paired:').waitFor();
  return { erase };
}

/** Picks the host from the list, and scans the passcode that stands on the screen. */
export async function scanPasscode(page: Page, film: string, passcode: string): Promise<void> {
  await filmQR(film, formatPasscodeCode(passcode));
  await button(page, 'Sign on').click();
  await button(page, 'Scan the passcode').click();
}

/** Picks the host from the list, and types the passcode. */
export async function typePasscode(page: Page, passcode: string): Promise<void> {
  await button(page, 'Sign on').click();
  await page.getByLabel('Passcode', { exact: true }).fill(passcode);
  await button(page, 'Go on').click();
}

/** What the telephone shows of a sign-on, by the names that stand there. */
export async function contextOn(page: Page): Promise<Record<string, string>> {
  await page.getByRole('heading', { name: 'Sign on?' }).waitFor();
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('dl.facts > div')].map((row) => [
        row.querySelector('dt')!.textContent!,
        row.querySelector('dd')!.textContent!,
      ]),
    ),
  );
}

export async function answerContext(page: Page, answer: 'Accept' | 'Deny' | 'This wasn’t me'): Promise<void> {
  await page.getByRole('heading', { name: 'Sign on?' }).waitFor();
  await pastGuard(page);
  await button(page, answer).click();
}

/** How it ended, as the telephone shows it; then back to the list. */
export async function endOn(
  page: Page,
): Promise<{ outcome: string | null; alarm: string | null; text: string }> {
  const end = page.locator('[data-outcome]');
  await end.waitFor();
  const shown = {
    outcome: await end.getAttribute('data-outcome'),
    alarm: await end.getAttribute('data-alarm'),
    text: await end.innerText(),
  };
  await button(page, 'Back').click();
  return shown;
}
