/**
 * A broker with its pages, a browser, and people who ask: for the tests of the authenticator. Its address is a name
 * and not a number, since passkeys know no other.
 * @module
 */
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { systemClock } from '@countersign/client';
import { type AccountLink, parseAccountLink } from '@countersign/core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { BrokerOptions } from '../packages/broker/src/index.ts';
import { buildPages, type PageSize } from '../packages/web/build.ts';
import { GUARD_MS } from '../packages/web/src/authenticator/guard.ts';
import { startChromium, type Watched } from './chromium.ts';
import { freePort } from './free-port.ts';
import { makeParty, type Party, startTestBroker, type TestBroker } from './parties.ts';
import { temporaryFolder } from './processes.ts';
import { PATIENCE_MS } from './until.ts';

/** A telephone's window. */
export const PHONE = { width: 390, height: 780 };

export interface AuthenticatorWorld {
  readonly home: TestBroker;
  readonly browser: Browser;
  readonly sizes: readonly PageSize[];
  /** What went wrong in any page. */
  readonly failures: string[];
  /** Somebody who asks. */
  host(name?: string): Promise<Party>;
  /** An empty browser profile of a person, on the authenticator's page. */
  open(options?: BrowserContextOptions): Promise<Page>;
  /** A person with an account of that name's beginning, on their authenticator's first screen. */
  person(name?: string, options?: BrowserContextOptions): Promise<Person>;
  /** A person whom somebody may ask. */
  acquainted(name?: string, options?: BrowserContextOptions): Promise<Person & { readonly host: Party }>;
}

export interface Person {
  readonly page: Page;
  readonly name: string;
  readonly link: AccountLink;
}

export function createAuthenticatorWorld(
  flags: readonly string[] = [],
  /** Or how to come by them, before the broker is started. */
  options: Partial<BrokerOptions> | (() => Promise<Partial<BrokerOptions>>) = {},
): AuthenticatorWorld {
  let home: TestBroker;
  let browser: Browser;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sizes: readonly PageSize[];
  let serial = 0;
  const failures: string[] = [];
  const contexts: BrowserContext[] = [];
  before(async () => {
    folder = await temporaryFolder();
    const pages = join(folder.path, 'pages');
    sizes = await buildPages(pages);
    const port = await freePort();
    home = await startTestBroker(systemClock, {
      port,
      origin: `http://localhost:${port}`,
      pages,
      ...(typeof options === 'function' ? await options() : options),
    });
    browser = await startChromium(flags);
  });
  after(async () => {
    await browser?.close();
    await home?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  const host = (name = 'host') => makeParty(home.origin, `${name}${++serial}@example.com`, systemClock);
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ viewport: PHONE, locale: 'en-GB', ...options });
    contexts.push(context);
    const page = await context.newPage();
    watch({ page, failures });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(home.origin);
    return page;
  };
  const person = async (name = 'alice', options: BrowserContextOptions = {}): Promise<Person> => {
    const page = await open(options);
    const full = `${name}${++serial}@example.com`;
    await makeAccount(page, full);
    await page.goto(`${home.origin}/#account`);
    const link = parseAccountLink(await page.getByTestId('own-link').inputValue());
    await page.goto(`${home.origin}/#`);
    return { page, name: full, link };
  };
  return {
    get home() {
      return home;
    },
    get browser() {
      return browser;
    },
    get sizes() {
      return sizes;
    },
    failures,
    host,
    open,
    person,
    async acquainted(name, options) {
      const [one, asker] = [await person(name, options), await host()];
      await letAsk(one, asker);
      return { ...one, host: asker };
    },
  };
}

/** Makes an account on the page, in English, and confirms its recovery code. @returns the code */
export async function makeAccount(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByLabel(/^Account/).fill(name);
  await page.getByRole('button', { name: 'Make the account' }).click();
  const code = await page.getByTestId('recovery-code').innerText();
  await page.getByLabel(/^Its last eight letters/).fill(code.slice(-9).toLowerCase());
  await page.getByRole('button', { name: 'I have it' }).click();
  await page.getByText('Nothing waits for your answer.').waitFor();
  return code;
}

/** The person lets somebody ask, by their link; and that one knows the person by theirs. @param at where their page is */
export async function letAsk(
  { page, link }: Pick<Person, 'page' | 'link'>,
  { device }: Party,
  at = device.session.keys.broker,
): Promise<void> {
  const { keys, book } = device.session;
  await book.bind(link.name, link.identity, 'link');
  await page.goto(`${at}/#people`);
  const { name, identity, broker } = keys;
  await page
    .getByLabel(/^Their link/)
    .fill(`countersign:${name}?${new URLSearchParams({ id: identity, broker })}`);
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.getByText(`${name} may ask you.`).waitFor();
  await page.goto(`${at}/#`);
  await page.getByText('Nothing waits for your answer.').waitFor();
}

function watch({ page, failures }: Watched): void {
  page.on('pageerror', (error) => failures.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) failures.push(message.text());
  });
}

/** Waits until a touch counts. */
export async function pastGuard(page: Page): Promise<void> {
  await page.waitForTimeout(GUARD_MS + 500);
}
