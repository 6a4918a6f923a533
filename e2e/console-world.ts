/**
 * A broker in a process of its own that serves the pages, and a browser that opens them. A page that goes wrong fails
 * the file.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { buildPages, type PageSize } from '../packages/web/build.ts';
import { openPage, startChromium, type Watched } from './chromium.ts';
import { type BrokerProcess, startBrokerProcess, temporaryFolder } from './processes.ts';

type Size = { readonly width: number; readonly height: number };
const DESKTOP: Size = { width: 1000, height: 1100 };

export interface ConsoleWorld {
  /** For the profiles of command lines, and their files. */
  readonly folder: string;
  /** The broker's. */
  readonly origin: string;
  readonly browser: Browser;
  readonly sizes: readonly PageSize[];
  /** For a file's own hooks to wait for: those of a file with suites are begun all at once. */
  ready(): Promise<void>;
  /** @param where a whole URL, or a path at the broker */
  open(where: string, size?: Size, locale?: string): Promise<Page>;
  /** The console of an organisation that was just made. */
  office(account?: string): Promise<Page>;
}

export function createConsoleWorld(): ConsoleWorld {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let broker: BrokerProcess;
  let browser: Browser;
  let sizes: readonly PageSize[];
  const watched: Watched[] = [];
  let starting: Promise<void> | undefined;
  async function start(): Promise<void> {
    folder = await temporaryFolder();
    const pages = join(folder.path, 'pages');
    sizes = await buildPages(pages);
    broker = await startBrokerProcess(join(folder.path, 'broker'), { args: ['--pages', pages] });
    browser = await startChromium();
  }
  const ready = () => {
    starting ??= start();
    return starting;
  };
  before(ready);
  after(async () => {
    await browser?.close();
    await broker?.stop();
    await folder?.[Symbol.asyncDispose]();
    assert.deepEqual(
      watched.flatMap(({ failures }) => failures),
      [],
    );
  });

  async function open(where: string, size = DESKTOP, locale?: string): Promise<Page> {
    const one = await openPage(browser, new URL(where, broker.origin).href, size, locale);
    watched.push(one);
    return one.page;
  }
  return {
    get folder() {
      return folder.path;
    },
    get origin() {
      return broker.origin;
    },
    get browser() {
      return browser;
    },
    get sizes() {
      return sizes;
    },
    ready,
    open,
    async office(account = 'support@bank.example') {
      const page = await open('/console');
      await page.getByLabel(/^Account/).fill(account);
      await page.getByRole('button', { name: 'Make the account' }).click();
      await page.getByRole('heading', { name: 'Auth sessions' }).waitFor();
      return page;
    },
  };
}
