import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '@countersign/client';
import { createCard, encodeBase64url, formatAccountLink, hashPicture } from '@countersign/core';
import type { Locator, Page } from 'playwright-core';
import { MOST } from '../packages/web/build.ts';
import { createAuthenticatorWorld, letAsk, makeAccount, pastGuard } from './authenticator-world.ts';
import { picture } from './chromium.ts';
import { type DomainsWorld, startDomains } from './domains-world.ts';
import { freePort } from './free-port.ts';
import { type Party, startTestBroker } from './parties.ts';
import { temporaryFolder } from './processes.ts';
import { checkScreen } from './screens.ts';
import { publishCard } from './session-parties.ts';
import { until } from './until.ts';

const DOMAIN = 'bank.example';
const WATCHES = [
  { name: 'square', width: 162, height: 197 },
  { name: 'round', width: 162, height: 162 },
] as const;

let domains: DomainsWorld;
const world = createAuthenticatorWorld([], async () => {
  domains = await startDomains([DOMAIN]);
  return { domainLookup: domains.lookup };
});
after(async () => {
  await domains?.[Symbol.asyncDispose]();
  assert.deepEqual(world.failures, []);
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const heading = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();

describe('every screen is accessible in light and dark, fits 320 pixels, and turns round', () => {
  test('outside', async () => {
    const page = await world.open();
    await button(page, 'Make an account').waitFor();
    await checkScreen(page, 'welcome');
    await button(page, 'Join an account that you have').click();
    await checkScreen(page, 'join');
    await button(page, 'Back').click();
    await button(page, 'I have lost all my devices').click();
    await checkScreen(page, 'recover');
    await button(page, 'Back').click();
    await button(page, 'Make an account').click();
    await checkScreen(page, 'create');
    await page.getByLabel(/^Account/).fill('looked-at@example.com');
    await button(page, 'Make the account').click();
    await page.getByTestId('recovery-code').waitFor();
    await checkScreen(page, 'recovery-code');
  });

  test('what waits', async () => {
    const person = await world.acquainted();
    const { page, name, host } = person;
    await publishCard(host);
    await checkScreen(page, 'home');
    await host.enquirer.ask({
      account: name,
      kind: 'payment',
      passcode: true,
      text: 'Pay 129.90 EUR to Books & More?',
      fields: [
        { name: 'To', value: 'Books & More GmbH' },
        { name: 'IBAN', value: 'DE02120300000000202051' },
        { name: 'From', value: 'shop.example.com, 203.0.113.7' },
      ],
    });
    await heading(page, 'Pay 129.90 EUR');
    await page.getByText('Calls itself Bank of Examples (DE)').waitFor();
    await checkScreen(page, 'question');
    await page.getByLabel(/^The six digits/).fill('1');
    await pastGuard(page);
    await button(page, 'Accept').click();
    await page.getByRole('alert').waitFor();
    await checkScreen(page, 'question-wrong');
    await page.context().setOffline(true);
    await page.getByText(/^Offline/).waitFor();
    await checkScreen(page, 'question-offline');
    await page.context().setOffline(false);
    await button(page, 'Later').click();
    await button(page, 'Open').waitFor();
    await checkScreen(page, 'home-list');
    const stranger = await world.host('stranger');
    await stranger.device.session.book.bind(person.link.name, person.link.identity, 'link');
    await stranger.enquirer.ask({ account: name, text: 'Do you know me?' });
    await heading(page, 'Contact request');
    await checkScreen(page, 'stranger');
  });

  test('the pages', async () => {
    const { page, host, name } = await world.acquainted();
    const asked = await host.enquirer.ask({ account: name, text: 'Open the garage?' });
    await heading(page, 'Open the garage?');
    await pastGuard(page);
    await button(page, 'Reject').click();
    await host.enquirer.wait(asked.hash);
    await page.goto(`${world.home.origin}/#history`);
    await page.getByText('1 shown').waitFor();
    await checkScreen(page, 'history');
    await page.goto(`${world.home.origin}/#people`);
    await page.getByText('may ask', { exact: true }).waitFor();
    await checkScreen(page, 'people');
    await page.goto(`${world.home.origin}/#account`);
    await page.getByTestId('own-link').waitFor();
    await checkScreen(page, 'account');
    await page.goto(`${world.home.origin}/#devices`);
    await button(page, 'Give a PIN').click();
    const link = await page.getByTestId('invitation').inputValue();
    await checkScreen(page, 'devices');
    const second = await world.open();
    await second.goto(`${world.home.origin}/?#${link}`);
    await button(second, 'Ask to be let in').click();
    await heading(second, 'This device must be let in');
    await checkScreen(second, 'wall');
    await heading(page, 'A new device wants in');
    await checkScreen(page, 'knock');
  });
});

test('the keyboard alone makes an account, reads a question and answers it', async () => {
  const page = await world.open();
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  const tabTo = async (name: string) => {
    for (let i = 0; i < 30; i++) {
      if ((await focused()) === name) return;
      await keyboard.press('Tab');
    }
    assert.fail(`the Tab key does not reach ${name}`);
  };
  await button(page, 'Make an account').waitFor();
  await tabTo('Make an account');
  await keyboard.press('Enter');
  await heading(page, 'Make an account');
  await keyboard.press('Tab');
  await keyboard.type('keys-only@example.com');
  await keyboard.press('Enter');
  const code = await page.getByTestId('recovery-code').innerText();
  await tabTo('Hide it');
  await keyboard.press('Tab');
  await keyboard.type(code.slice(-9));
  await keyboard.press('Enter');
  await page.getByText('Nothing waits for your answer.').waitFor();
  await page.goto(`${world.home.origin}/#account`);
  const link = await page.getByTestId('own-link').inputValue();
  const host = await world.host();
  const { parseAccountLink } = await import('@countersign/core');
  await letAsk({ page, link: parseAccountLink(link) }, host);
  const asked = await host.enquirer.ask({ account: 'keys-only@example.com', text: 'Log in?' });
  await heading(page, 'Log in?');
  // The question takes the focus, so that a screen reader begins there.
  await page.waitForFunction(() => /asks$/.test(document.activeElement?.textContent ?? ''));
  await pastGuard(page);
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'Reject');
  await keyboard.press('Tab');
  assert.equal(await focused(), 'Accept');
  await keyboard.press('Enter');
  assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
});

describe('the picture of an asker’s card', () => {
  const shown = (page: Page) => page.locator('main.question header img');
  const answers = (page: Page) =>
    Promise.all(['reject', 'accept'].map((choice) => page.locator(`.choice.${choice}`).boundingBox()));

  test('stands with its own words, under who asks, and on no watch', async () => {
    const { page, name, host } = await world.acquainted();
    await pictured(page, host);
    await host.enquirer.ask({ account: name, kind: 'payment', text: 'Pay 129.90 EUR to Books & More?' });
    await heading(page, 'Pay 129.90 EUR');
    const image = shown(page);
    await image.waitFor();
    assert.equal(await image.getAttribute('alt'), '', 'the words beside it say who it is of');
    assert.equal(await image.evaluate((one) => (one as HTMLImageElement).naturalWidth), 96);
    const [box, asks, words] = await Promise.all(
      [image, page.getByRole('heading', { level: 1 }), page.locator('.words')].map((one) =>
        one.boundingBox(),
      ),
    );
    assert.deepEqual([box!.width, box!.height], [40, 40]);
    assert.ok(box!.y >= asks!.y + asks!.height && box!.y + box!.height <= words!.y);
    await checkScreen(page, 'question-picture');
    for (const watch of WATCHES) {
      await page.setViewportSize(watch);
      assert.ok(!(await image.isVisible()), watch.name);
      await watchPicture(page, `watch-picture-${watch.name}`, watch.name);
    }
  });

  for (const [what, delay, count] of [
    ['soon: the question waits for it', 200, 1],
    ['late: the question is there without it', 2500, 0],
  ] as const) {
    test(`moves no button when it comes ${what}`, async () => {
      const { page, name, host } = await world.acquainted();
      await pictured(page, host);
      // Soon is before the page stops waiting, however slow the rest is.
      if (count === 1) {
        await page.evaluate(() => {
          const { timeout } = AbortSignal;
          AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms === 1500 ? 30_000 : ms);
        });
      }
      let came = false;
      await page.route('**/picture', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, delay));
        await route.continue();
        came = true;
      });
      await host.enquirer.ask({ account: name, text: 'Open the garage?' });
      await heading(page, 'Open the garage?');
      assert.equal(await shown(page).count(), count);
      const before = await answers(page);
      await until(() => came);
      await page.waitForTimeout(500);
      assert.deepEqual(await answers(page), before);
      assert.equal(await shown(page).count(), count);
    });
  }

  /** Its card has a picture. */
  async function pictured(page: Page, { device, clock }: Party): Promise<void> {
    const { api, keys, crypto } = device.session;
    const png = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(96, 96);
      const context = canvas.getContext('2d')!;
      context.fillStyle = '#b5651d';
      context.fillRect(0, 0, 96, 96);
      context.fillStyle = '#fff';
      context.fillRect(24, 24, 48, 48);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    const bytes = Uint8Array.from(png);
    const words = { name: 'Bank of Examples', description: 'Your bank, since 1888', country: 'DE' };
    const card = { seq: 1, ...words, picture: await hashPicture(crypto, bytes) };
    const { jws } = await createCard(crypto, keys.signer, await device.session.ownLog(0), card, clock.now());
    await api.publishCard(keys.name, jws, encodeBase64url(bytes));
  }
});

describe('the answer screen on a watch', () => {
  const DESCRIPTION = 'Your bank, since 1888. '.repeat(11).trim();
  const PAYMENT = 'Pay 129.90 EUR to Books & More GmbH, DE02 1203 0000 0000 2020 51 now?';
  for (const { name: shape, ...size } of WATCHES) {
    for (const locale of ['en-GB', 'de-DE']) {
      test(`${shape}, ${locale}: asker, question and both answers in two swipes at most`, async () => {
        const { page, name, host } = await world.acquainted('alice', { locale: 'en-GB' });
        await page.setViewportSize(size);
        await page.evaluate((tag) => localStorage.setItem('language', tag), locale.slice(0, 2));
        await page.reload();
        const asked = await host.enquirer.ask({ account: name, text: 'Log in to host1.example.com?' });
        await heading(page, 'Log in to host1.example.com?');
        const [accept, reject] = [page.locator('.choice.accept'), page.locator('.choice.reject')];
        assert.ok((await swipes(page)) <= 2, `${await swipes(page)} swipes`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), size.width);
        await watchPicture(page, `watch-${shape}-${locale}-1`, shape);
        await page.evaluate(() => scrollTo(0, innerHeight * 0.8));
        await watchPicture(page, `watch-${shape}-${locale}-2`, shape);
        for (const choice of [reject, accept]) {
          await choice.evaluate((element) => element.scrollIntoView({ block: 'center' }));
          const { width, height } = (await choice.boundingBox())!;
          assert.ok(height >= 44 && width >= 80, `${width} × ${height}`);
          if (shape === 'round') await insideCircle(page, choice);
        }
        await watchPicture(page, `watch-${shape}-${locale}-3`, shape);
        await pastGuard(page);
        await accept.click();
        assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
      });
    }
  }

  test('takes no more swipes for a payment, with all that a card may say and a domain', async () => {
    const { page, name, host } = await world.acquainted();
    await talkative(host);
    await host.enquirer.ask({ account: name, kind: 'payment', text: PAYMENT });
    for (const { name: shape, ...size } of WATCHES) {
      await page.setViewportSize(size);
      for (const language of ['en', 'de']) {
        await page.evaluate((tag) => localStorage.setItem('language', tag), language);
        await page.reload();
        await heading(page, PAYMENT);
        await page.getByText(DOMAIN).waitFor();
        await watchPicture(page, `watch-card-${shape}-${language}`, shape);
        const far = await swipes(page);
        assert.ok(far <= 2, `${shape}, ${language}: ${far} swipes`);
        const [card, fraud] = [page.getByText(DESCRIPTION), page.locator('.fraud')];
        const [below, above] = [(await card.boundingBox())!, (await fraud.boundingBox())!];
        assert.ok(below.y >= above.y + above.height, 'its own words stand under the answers');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), size.width);
      }
    }
  });

  /** It has a card as long as it may be, and a domain that was found to be its own. */
  async function talkative({ device, clock }: Party): Promise<void> {
    const { session } = device;
    const { api, keys, crypto } = session;
    // The card's coming makes the broker look.
    domains.zone.texts[`_countersign.${DOMAIN}`] = [formatAccountLink(keys)];
    await domains.publish();
    const words = { name: 'Bank of Examples', description: DESCRIPTION, country: 'DE', domains: [DOMAIN] };
    const { jws } = await createCard(
      crypto,
      keys.signer,
      await session.ownLog(0),
      { seq: 1, ...words },
      clock.now(),
    );
    await api.publishCard(keys.name, jws);
    const found = await api.listDomains(keys.signer, keys.name, true);
    assert.ok(found.some(({ outcome }) => outcome === 'proven'));
  }

  /** How far it is to the end of *Accept*, in windows. */
  function swipes(page: Page): Promise<number> {
    return page.evaluate(
      () =>
        (document.querySelector('.choice.accept')!.getBoundingClientRect().bottom - innerHeight) /
        innerHeight,
    );
  }

  async function insideCircle(page: Page, choice: Locator): Promise<void> {
    const { x, y, width, height } = (await choice.boundingBox())!;
    const { width: across } = page.viewportSize()!;
    const radius = across / 2;
    // Round corners of 6 pixels are no part of the button.
    for (const [cx, cy] of [
      [x + 6, y],
      [x + width - 6, y],
      [x + 6, y + height],
      [x + width - 6, y + height],
    ] as const) {
      assert.ok(Math.hypot(cx - radius, cy - radius) <= radius, `(${cx}, ${cy}) is on the screen`);
    }
  }
});

test('the first screen needs no more JavaScript than it may, and shows and answers a question with that alone', async () => {
  const { first, scripts } = world.sizes.find(({ page }) => page === 'index')!;
  assert.ok(first > 10_000 && first <= MOST.index!, `${first} bytes`);

  const { page, name, host } = await world.acquainted();
  const context = page.context();
  const loaded = new Set<string>();
  // What is not of the first screen can't be had.
  await context.route('**/assets/*.js', (route) => {
    // A service worker keeps everything for later: the page does without one here.
    if (route.request().serviceWorker() !== null) return route.abort();
    const name = new URL(route.request().url()).pathname.slice(1);
    if (!scripts.includes(name) && !/words-\w\w-/.test(name)) return route.abort();
    loaded.add(name);
    return route.continue();
  });
  await page.evaluate(async () => {
    for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
  });
  const asked = await host.enquirer.ask({ account: name, text: 'With the first screen alone?' });
  await page.goto('about:blank');
  await page.goto(world.home.origin);
  await heading(page, 'With the first screen alone?');
  await pastGuard(page);
  await button(page, 'Accept').click();
  assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  assert.equal(loaded.size, scripts.length + 1);
});

test('the pages take scripts, styles and connections of their own origin alone', async () => {
  for (const path of ['/', '/sw.js', '/console']) {
    const { headers } = await fetch(world.home.origin + path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /require-trusted-types-for 'script'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|https?:|\*/);
    // Nobody keeps an old page, or an old worker.
    assert.equal(headers.get('cache-control'), 'no-cache');
  }
  const page = await world.open();
  const origins = new Set<string>();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  await makeAccount(page, 'own-origin@example.com');
  assert.deepEqual([...origins], [world.home.origin]);
  const blocked = await page.evaluate(() => {
    try {
      document.body.innerHTML = '<b>markup</b>';
      return false;
    } catch (error) {
      return (error as Error).name === 'TypeError';
    }
  });
  assert.ok(blocked, 'Trusted Types refuse markup');
  world.failures.length = 0;
});

test('it can be installed: its manifest names what there is', async () => {
  const manifest = (await (await fetch(`${world.home.origin}/manifest.webmanifest`)).json()) as {
    name: string;
    display: string;
    start_url: string;
    icons: { src: string }[];
  };
  assert.deepEqual([manifest.name, manifest.display, manifest.start_url], ['Countersign', 'standalone', '/']);
  for (const { src } of manifest.icons) {
    const icon = await fetch(world.home.origin + src);
    assert.deepEqual([icon.status, icon.headers.get('content-type')], [200, 'image/svg+xml']);
  }
  const page = await world.open();
  // Telephones of one maker take no other picture for it, and no SVG.
  const touch = await page.locator('link[rel=apple-touch-icon]').getAttribute('href');
  const shown = await fetch(world.home.origin + touch);
  assert.deepEqual([shown.status, shown.headers.get('content-type')], [200, 'image/png']);
  const drawn = await sizeOf(page, touch!);
  assert.deepEqual(drawn, { width: 180, height: 180 });
  const cdp = await page.context().newCDPSession(page);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  // A window without a history is what Playwright's contexts are.
  const other = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
  assert.deepEqual(other, []);
});

async function sizeOf(page: Page, address: string): Promise<{ width: number; height: number }> {
  return page.evaluate(async (from) => {
    const { width, height } = await createImageBitmap(await (await fetch(from)).blob());
    return { width, height };
  }, address);
}

test('a broker serves its pages apart from all others, and by https for good where it is reached by that', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'assets'));
  await writeFile(join(folder.path, 'index.html'), 'a page');
  const port = await freePort();
  const options = { port, origin: 'https://countersign.example', pages: folder.path };
  await using _secure = await startTestBroker(systemClock, options);
  const { headers } = await fetch(`http://127.0.0.1:${port}/`);
  const plain = (await fetch(`${world.home.origin}/`)).headers;
  for (const served of [headers, plain]) {
    assert.equal(served.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(served.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(served.get('referrer-policy'), 'no-referrer');
    assert.equal(served.get('x-content-type-options'), 'nosniff');
  }
  assert.equal(headers.get('strict-transport-security'), 'max-age=31536000');
  assert.equal(plain.get('strict-transport-security'), null);
});

test('it speaks German to whoever’s browser does, and what the person chooses after that', async () => {
  const page = await world.open({ locale: 'de-AT' });
  await button(page, 'Konto anlegen').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.evaluate(() => localStorage.setItem('language', 'en'));
  await page.reload();
  await button(page, 'Make an account').waitFor();
});

/** A round screen shows no corner of its window. */
async function watchPicture(page: Page, name: string, shape: 'round' | 'square'): Promise<void> {
  const circle = shape === 'round' ? 'circle(81px at 50% calc(81px + var(--scrolled)))' : 'none';
  await page.evaluate((path) => {
    document.documentElement.style.setProperty('--scrolled', `${scrollY}px`);
    document.body.style.clipPath = path;
  }, circle);
  await picture(page, name);
  await page.evaluate(() => {
    document.body.style.clipPath = '';
  });
}
