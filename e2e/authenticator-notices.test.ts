import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { noticeId, verifyReceipt } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import type { WorkerScope } from '../packages/web/src/service-worker/worker-scope.ts';
import { createAuthenticatorWorld, pastGuard } from './authenticator-world.ts';
import { picture } from './chromium.ts';
import { temporaryFolder } from './processes.ts';
import { type PushService, startPushService } from './push-service.ts';
import { until } from './until.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: PushService;
/** Filled before the broker starts: the address of the push service is known only then. */
const pushServices: string[] = [];
before(async () => {
  folder = await temporaryFolder();
  service = await startPushService(folder.path);
  setDefaultCACertificates([...getCACertificates(), readFileSync(service.certificate, 'utf8')]);
  pushServices.push(service.origin);
});
const world = createAuthenticatorWorld([], { pushServices });
after(async () => {
  await service?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
  assert.deepEqual(world.failures, []);
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** The page's service worker, as the browser's own push client reaches it. */
async function worker(page: Page): Promise<{ cdp: CDPSession; deliver(data: string): Promise<void> }> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const cdp = await page.context().newCDPSession(page);
  const known = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [first] = registrations;
      if (first !== undefined) resolve(first.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  const registrationId = await known;
  return {
    cdp,
    async deliver(data) {
      const { origin } = world.home;
      await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    },
  };
}

const notices = (page: Page) =>
  page.evaluate(async () => {
    const shown = await (await navigator.serviceWorker.ready).getNotifications();
    return shown.map(({ title, body, tag }) => ({ title, body, tag }));
  });

/** Whether the page is behind another: every page of a browser without a screen is told that it is seen. */
const behind = (page: Page, hidden = true) =>
  page.evaluate((hidden) => {
    const state = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { get: () => state, configurable: true });
  }, hidden);

/**
 * Delivers a push until its notice is there. A list that is asked for while a notice is being shown takes that away:
 * Chromium holds what it does not show yet for closed. So it is looked a second later, and delivered again where the
 * page itself has looked too soon.
 */
const shownOn = (page: Page, deliver: () => Promise<void>) =>
  until(async () => {
    await deliver();
    await page.waitForTimeout(1000);
    const shown = await notices(page);
    return shown.length > 0 && shown;
  });

/**
 * Clicks the notice that is shown. A worker may show a window only for a click by hand, which no driver makes: what
 * it does with it is written down. @returns what it brought to the front or opened
 */
function clickNotice(
  context: BrowserContext,
): Promise<{ focused: string[]; opened: string[]; left: number }> {
  return context.serviceWorkers()[0]!.evaluate(async () => {
    const self = globalThis as unknown as WorkerScope & EventTarget;
    const [focused, opened]: [string[], string[]] = [[], []];
    const { matchAll } = self.clients;
    Object.assign(self.clients, {
      matchAll: async (options: Parameters<typeof matchAll>[0]) =>
        (await matchAll.call(self.clients, options)).map(({ url }) => ({
          url,
          focus: async () => focused.push(url),
        })),
      openWindow: async (url: string) => opened.push(url),
    });
    const [notification] = await self.registration.getNotifications();
    const click = Object.assign(new Event('notificationclick'), {
      notification,
      waitUntil: (work: Promise<unknown>) => done.resolve(work),
    });
    const done = Promise.withResolvers<unknown>();
    self.dispatchEvent(click);
    await done.promise;
    return { focused, opened, left: (await self.registration.getNotifications()).length };
  });
}

/** A browser whose maker's push service can't be reached here: it gets a subscription of ours. */
async function subscribed() {
  const person = await world.acquainted('alice', { permissions: ['notifications'] });
  const subscription = service.subscription();
  await person.page.evaluate((given) => {
    let taken = false;
    const own = { toJSON: () => given, unsubscribe: async () => true } as unknown as PushSubscription;
    PushManager.prototype.subscribe = async () => {
      taken = true;
      return own;
    };
    PushManager.prototype.getSubscription = async () => (taken ? own : null);
  }, subscription);
  await person.page.goto(`${world.home.origin}/#account`);
  await button(person.page, 'Turn on').click();
  await person.page.getByText('This device is told that something waits, and nothing more.').waitFor();
  await picture(person.page, 'account');
  return person;
}

describe('a notice', () => {
  test('speaks the language that was chosen last, by the worker that was there before', async () => {
    const { page } = await world.person('alice', { permissions: ['notifications'] });
    const script = () => page.evaluate(async () => (await navigator.serviceWorker.ready).active!.scriptURL);
    const before = await script();
    await page.evaluate(() => localStorage.setItem('language', 'de'));
    await page.reload();
    await page.getByText('Nichts wartet auf Ihre Antwort.').waitFor();
    assert.equal(await script(), before);
    const { deliver } = await worker(page);
    await page.goto('about:blank');
    const front = await page.context().newPage();
    await front.goto(`${world.home.origin}/s/nobody`);
    const [shown] = await shownOn(front, () => deliver('{}'));
    assert.equal(shown!.body, 'Etwas wartet auf Ihre Antwort.');
  });

  test('goes from the broker to the locked screen without a word of the question, and ends on it', async () => {
    const { page, name, host } = await subscribed();
    const { deliver } = await worker(page);
    // Another page of the browser is in front.
    const { length } = service.pushed;
    const front = await page.context().newPage();
    await page.goto('about:blank');
    await front.goto(`${world.home.origin}/s/nobody`);
    const asked = await host.enquirer.ask({ account: name, text: 'Transfer 500 EUR?' });
    await service.until(length + 1);
    const { opened } = service.pushed.at(-1)!;
    assert.deepEqual(JSON.parse(opened), { id: await noticeId(webCrypto, asked.hash) });
    const shown = await shownOn(front, () => deliver(opened));
    assert.deepEqual(shown, [
      {
        title: 'Countersign',
        body: 'Something waits for your answer.',
        tag: await noticeId(webCrypto, asked.hash),
      },
    ]);
    const { focused, opened: windows, left } = await clickNotice(page.context());
    assert.deepEqual({ focused, windows, left }, { focused: [], windows: ['/'], left: 0 });
    await shownOn(front, () => deliver(opened));
    await page.goto(new URL(windows[0]!, world.home.origin).href);
    await page.getByRole('heading', { name: 'Transfer 500 EUR?' }).waitFor();
    // What is on the screen needs no notice.
    await until(async () => (await notices(page)).length === 0);
    await pastGuard(page);
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('brings the page to the front that is open, and no other of this server', async () => {
    const { page } = await world.person('alice', { permissions: ['notifications'] });
    const { deliver } = await worker(page);
    await behind(page);
    const other = await page.context().newPage();
    await other.goto(`${world.home.origin}/s/nobody`);
    await shownOn(other, () => deliver('{}'));
    const { focused, opened } = await clickNotice(page.context());
    assert.deepEqual([focused, opened], [[`${world.home.origin}/`], []]);
  });

  test('stays while a page that nobody looks at knows nothing of it, and goes with what it was for', async () => {
    const { page, name, host } = await world.acquainted('alice', { permissions: ['notifications'] });
    const { deliver } = await worker(page);
    await behind(page);
    const asked = await host.enquirer.ask({ account: name, text: 'Open the gate?' });
    await page.getByRole('heading', { name: 'Open the gate?' }).waitFor();
    const ids = ['of something that has not come yet', await noticeId(webCrypto, asked.hash)];
    await until(async () => {
      for (const id of ids) await deliver(JSON.stringify({ id }));
      await page.waitForTimeout(1000);
      return (await notices(page)).length === 2;
    });
    await host.enquirer.cancel(asked.hash);
    await page.getByText('Nothing waits for your answer.').waitFor();
    await until(async () => (await notices(page)).length === 1);
    // Whatever it does from second to second.
    await page.waitForTimeout(3000);
    assert.deepEqual(
      (await notices(page)).map(({ tag }) => tag),
      ['of something that has not come yet'],
    );
    await behind(page, false);
    await until(async () => (await notices(page)).length === 0);
  });

  test('stays while the page has no line, though somebody looks at it', async () => {
    const { page } = await world.person('alice', { permissions: ['notifications'] });
    const { deliver } = await worker(page);
    await page.context().setOffline(true);
    await page.getByText('Nothing can be answered until the server is back').waitFor();
    await shownOn(page, () => deliver(JSON.stringify({ id: 'of something that has not come yet' })));
    // The page has looked at its notices some times more.
    await page.waitForTimeout(3000);
    assert.equal((await notices(page)).length, 1);
    await page.context().setOffline(false);
    await until(async () => (await notices(page)).length === 0);
  });

  test('has a page look that is looked at, on a line that is dead without a word', async () => {
    const { page, name, host } = await world.acquainted('alice', { permissions: ['notifications'] });
    let dead = false;
    await page.routeWebSocket(/\/stream/, (socket) => {
      socket.connectToServer().onMessage((message) => {
        if (!dead) socket.send(message);
      });
    });
    await page.reload();
    await host.enquirer.ask({ account: name, text: 'The first?' });
    await page.getByRole('heading', { name: 'The first?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Reject').click();
    await page.getByText('Nothing waits for your answer.').waitFor();
    dead = true;
    const { deliver } = await worker(page);
    const asked = await host.enquirer.ask({ account: name, text: 'The second?' });
    await page.waitForTimeout(2000);
    assert.equal(await page.getByRole('heading', { name: 'The second?' }).count(), 0);
    const id = await noticeId(webCrypto, asked.hash);
    await until(async () => {
      await deliver(JSON.stringify({ id }));
      await page.waitForTimeout(1500);
      return (await page.getByRole('heading', { name: 'The second?' }).count()) === 1;
    });
    await until(async () => (await notices(page)).length === 0);
  });

  test('is not needed by a page that nobody touches: it opens another line, where its own died', async () => {
    const { page, name, host } = await world.acquainted();
    let lines = 0;
    await page.routeWebSocket(/\/stream/, (socket) => {
      const dead = ++lines === 1;
      socket.connectToServer().onMessage((message) => {
        if (!dead) socket.send(message);
      });
    });
    // What is waited for 75 s in a page, is waited for 5 s in this one.
    await page.addInitScript(() => {
      const { setTimeout } = window;
      const sooner = (run: () => void, ms?: number) => setTimeout(run, ms === 75_000 ? 5000 : ms);
      Object.assign(window, { setTimeout: sooner });
    });
    await page.reload();
    await until(() => lines === 1);
    await page.getByText('Nothing waits for your answer.').waitFor();
    await host.enquirer.ask({ account: name, text: 'Heard on the second line?' });
    await page.getByRole('heading', { name: 'Heard on the second line?' }).waitFor();
    assert.ok(lines > 1, `${lines} lines`);
  });

  test('says no more than that where a push says anything else', async () => {
    const { page } = await world.person('alice', { permissions: ['notifications'] });
    const { deliver } = await worker(page);
    const front = await page.context().newPage();
    await page.goto('about:blank');
    await front.goto(`${world.home.origin}/s/nobody`);
    const shown = await shownOn(front, async () => {
      for (const data of ['Transfer 500 EUR?', '{"id":7,"title":"Transfer 500 EUR?"}', '', 'null']) {
        await deliver(data);
      }
    });
    for (const { title, body } of shown) {
      assert.deepEqual([title, body], ['Countersign', 'Something waits for your answer.']);
    }
  });

  test('is turned off again', async () => {
    const { page, name, host } = await subscribed();
    await page.goto(`${world.home.origin}/#devices`);
    await page
      .getByTestId('reached')
      .getByText(/notices on/)
      .waitFor();
    await page.goto(`${world.home.origin}/#account`);
    const told = page.waitForResponse((answer) => answer.url().endsWith('/push/remove'));
    await button(page, 'Turn off').click();
    await told;
    await page.goto(`${world.home.origin}/#devices`);
    await page.getByTestId('reached').waitFor();
    assert.equal(await page.getByText(/notices on/).count(), 0);
    const { length } = service.pushed;
    await host.enquirer.ask({ account: name, text: 'Hello?' });
    await page.getByRole('heading', { name: 'Hello?' }).waitFor();
    assert.equal(service.pushed.length, length);
  });
});

describe('proof that the person is there', () => {
  /** A device with a lock that answers so. */
  async function withLock(verified: boolean) {
    const person = await world.acquainted();
    const cdp = await person.page.context().newCDPSession(person.page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await person.page.goto(`${world.home.origin}/#account`);
    await person.page.reload();
    await button(person.page, 'Set it up').click();
    await person.page.getByLabel('Ask for it before every accept').waitFor();
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: verified });
    return {
      ...person,
      verify: (is: boolean) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: is }),
    };
  }

  test('is given by a passkey where the asker wants it, and the answer says so', async () => {
    const { page, name, host } = await withLock(true);
    const asked = await host.enquirer.ask({ account: name, text: 'Root shell?', userVerification: true });
    await page.getByRole('heading', { name: 'Root shell?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    const outcome = await host.enquirer.wait(asked.hash);
    assert.equal(outcome.outcome, 'accepted');
    const { response } = await verifyReceipt(webCrypto, await host.enquirer.receipt(asked.hash));
    assert.equal(response.decision.decision === 'accept' && response.decision.uv, true);
  });

  test('is missing where the lock says no: nothing is signed; rejecting needs none', async () => {
    const { page, name, host } = await withLock(false);
    const asked = await host.enquirer.ask({ account: name, text: 'Root shell?', userVerification: true });
    await page.getByRole('heading', { name: 'Root shell?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    await page
      .getByRole('alert')
      .getByText(/did not allow it/)
      .waitFor();
    assert.equal((await host.enquirer.status(asked.hash)).outcome, 'pending');
    await button(page, 'Reject').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'rejected');
  });

  test('is wanted for every accept where the person says so, and can’t be turned off without', async () => {
    const { page, name, host, verify } = await withLock(true);
    const always = page.getByLabel('Ask for it before every accept');
    await always.check();
    await verify(false);
    await always.click();
    await page
      .getByRole('alert')
      .getByText(/did not allow it/)
      .waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('Ask for it before every accept').isChecked(), true);
    const asked = await host.enquirer.ask({ account: name, text: 'Anything?' });
    await page.getByRole('heading', { name: 'Anything?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    await page
      .getByRole('alert')
      .getByText(/did not allow it/)
      .waitFor();
    await verify(true);
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    const { response } = await verifyReceipt(webCrypto, await host.enquirer.receipt(asked.hash));
    assert.equal(response.decision.decision === 'accept' && response.decision.uv, true);
  });

  test('is said to be missing on a device without a lock', async () => {
    const { page, name, host } = await world.acquainted();
    const asked = await host.enquirer.ask({ account: name, text: 'Root shell?', userVerification: true });
    await page.getByRole('heading', { name: 'Root shell?' }).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    await page
      .getByRole('alert')
      .getByText(/Set up the device lock/)
      .waitFor();
    assert.equal((await host.enquirer.status(asked.hash)).outcome, 'pending');
  });
});
