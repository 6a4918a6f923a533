/**
 * What every screen must be, whoever looks at it: accessible (axe, by the rules of WCAG 2.2 AA) in light and dark, no
 * wider than its window from a small telephone to a large desktop, and the same from right to left.
 * @module
 */
import assert from 'node:assert/strict';
import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { picture } from './chromium.ts';

const RULES: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
};
const NARROW = { width: 320, height: 640 };
const WIDE = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
/** Windows that are no higher are laid out like a watch's: 30rem in the style sheets. */
const LOW = 480;
/** For what may yet come on a page, in pixels. */
const ROOM = 500;
/** A line that is longer than this is hard to read: WCAG 2.2, 1.4.8, has 80 characters. */
const LONGEST_LINE = 90;

interface WithAxe {
  readonly axe: { run(options: RunOptions): Promise<AxeResults> };
}

export async function checkScreen(page: Page, name: string): Promise<void> {
  const size = page.viewportSize()!;
  // What is judged before it is drawn is an empty page.
  await page.locator('main').first().waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `${name}-${colorScheme}`);
    assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: null });
  await checkWidths(page, name, WIDE);
  await page.setViewportSize(NARROW);
  assert.deepEqual(await overflow(page), [], `${name} fits ${NARROW.width} px`);
  await page.evaluate(() => {
    document.documentElement.dir = 'rtl';
  });
  await picture(page, `${name}-rtl`);
  assert.deepEqual(await overflow(page), [], `${name} fits from right to left`);
  await page.evaluate(() => {
    document.documentElement.dir = 'ltr';
  });
  await page.setViewportSize(size);
}

/** Whether a screen fits windows of such widths, with lines that can be read. */
export async function checkWidths(page: Page, name: string, sizes = [NARROW, ...WIDE]): Promise<void> {
  const before = page.viewportSize()!;
  for (const size of sizes) {
    await page.setViewportSize(size);
    await picture(page, `${name}-${size.width}`);
    assert.deepEqual(await overflow(page), [], `${name} fits ${size.width} px`);
    assert.ok((await longestLine(page)) <= LONGEST_LINE, `${name} at ${size.width} px has lines too long`);
  }
  await page.setViewportSize(before);
}

/** In characters, about: the widest paragraph that runs over more than one line or could. */
function longestLine(page: Page): Promise<number> {
  return page.evaluate(() => {
    const range = document.createRange();
    const lines = [...document.querySelectorAll('p')].map((paragraph) => {
      range.selectNodeContents(paragraph);
      const { width } = range.getBoundingClientRect();
      const size = Number.parseFloat(getComputedStyle(paragraph).fontSize);
      return (paragraph.textContent ?? '').length < 60 ? 0 : width / (size / 2);
    });
    return Math.max(0, ...lines);
  });
}

async function violations(page: Page): Promise<string[]> {
  const size = page.viewportSize()!;
  // What stays at the window's edge covers what a person would scroll; in a window that shows all, it covers nothing.
  // Low windows have a layout of their own.
  if (size.height > LOW) {
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: size.width, height: whole + ROOM });
  }
  try {
    return await axeViolations(page);
  } finally {
    await page.setViewportSize(size);
  }
}

async function axeViolations(page: Page): Promise<string[]> {
  const loaded = await page.evaluate(() => 'axe' in globalThis);
  if (!loaded) await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(
    (options) => (globalThis as unknown as WithAxe).axe.run(options),
    RULES,
  );
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** What sticks out of the window, where the page is wider than it. */
function overflow(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= window.innerWidth) return [];
    const out = [...document.querySelectorAll('*')].filter((one) => {
      const { left, right } = one.getBoundingClientRect();
      return left < 0 || right > window.innerWidth;
    });
    return ['the page', ...out.map((one) => one.outerHTML.slice(0, 80))];
  });
}
