/**
 * A real browser: Debian's Chromium, headless, driven by Playwright. Each person has a context of their own, with
 * its own storage.
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { PATIENCE_MS } from './until.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

/**
 * @param flags more of them, say for a camera
 * @param home a home of its own, with what this browser is to trust
 */
export function startChromium(flags: readonly string[] = [], home?: string): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const env = home === undefined ? {} : { env: { ...process.env, HOME: home } as Record<string, string> };
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags], ...env });
}

/** What went wrong in a page: it is a failure of the test that drives it. */
export interface Watched {
  readonly page: Page;
  readonly failures: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  size = { width: 1000, height: 800 },
  locale?: string,
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: size,
    ...(locale === undefined ? {} : { locale }),
  });
  const page = await context.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return { page, failures };
}

/** Closes the dialog over a page, and waits until it is gone: before that, what is typed goes nowhere. */
export async function closeDialog(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** A picture for whoever looks, where COUNTERSIGN_PICTURES names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.COUNTERSIGN_PICTURES;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
