import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '@countersign/client';
import { parseDeviceLink } from '@countersign/core';
import type { Page } from 'playwright-core';
import { createAuthenticatorWorld, letAsk, type Person, pastGuard } from './authenticator-world.ts';
import { picture } from './chromium.ts';
import { makeParty, newcomer, type Party } from './parties.ts';
import { countersign, temporaryFolder } from './processes.ts';

const world = createAuthenticatorWorld();
after(() => assert.deepEqual(world.failures, []));

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const said = (page: Page, text: RegExp) => page.getByTestId('said').getByText(text).waitFor();

/** Asks, and waits until the person is shown it. */
async function ask(host: Party, { page, name }: Person, text: string, more = {}) {
  const asked = await host.enquirer.ask({ account: name, text, ...more });
  await page.getByRole('heading', { name: text }).waitFor();
  await pastGuard(page);
  return asked;
}

/** Pairs of groups of digits: the first of each stands left of the second or above it, as its asker wrote them. */
async function checkOrder(page: Page, groups: readonly string[]): Promise<void> {
  const places = await page.evaluate((wanted) => {
    const main = document.querySelector('main')!;
    return wanted.map((group) => {
      const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const at = walker.currentNode.nodeValue!.indexOf(group);
        if (at === -1) continue;
        const range = document.createRange();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + group.length);
        const { left, top } = range.getClientRects()[0]!;
        return { left, top };
      }
      throw new Error(`${group} is not there`);
    });
  }, groups);
  for (let i = 0; i < groups.length; i += 2) {
    const [one, other] = [places[i]!, places[i + 1]!];
    assert.ok(
      one.top < other.top || (one.top === other.top && one.left < other.left),
      `${groups[i]} stands behind ${groups[i + 1]}: ${JSON.stringify(places)}`,
    );
  }
}

/** A second device of a person, let in by a PIN on the page of the first. */
async function secondDevice({ page }: Person): Promise<Party> {
  await page.goto(`${world.home.origin}/#devices`);
  await button(page, 'Give a PIN').click();
  const link = parseDeviceLink(await page.getByTestId('invitation').inputValue());
  const device = newcomer(systemClock);
  await device.knock(link, 'alice’s laptop');
  await page.getByRole('heading', { name: 'A new device wants in' }).waitFor();
  await pastGuard(page);
  await button(page, 'Let it in').click();
  assert.deepEqual(await device.complete(20), { outcome: 'complete' });
  await page.goto(`${world.home.origin}/#`);
  await page.getByText('Nothing waits for your answer.').waitFor();
  return device.party();
}

describe('a question on the authenticator', () => {
  test('is shown word for word, accepted, and verified by its asker', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await picture(page, 'home');
    const asked = await ask(host, person, 'Deploy 4.2 to production?', {
      fields: [{ name: 'From', value: 'ci.example.com, 203.0.113.7' }],
    });
    await page.getByText('ci.example.com, 203.0.113.7').waitFor();
    await page.getByRole('timer').waitFor();
    await picture(page, 'question');
    await button(page, 'Accept').click();
    await said(page, /accepted/);
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    await picture(page, 'accepted');
  });

  test('is rejected by one touch, and reported as not the person’s own by one', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const first = await ask(host, person, 'Log in?');
    await button(page, 'Reject').click();
    assert.equal((await host.enquirer.wait(first.hash)).outcome, 'rejected');
    await said(page, /rejected/);
    const second = await ask(host, person, 'Log in again?');
    await button(page, 'This wasn’t me').click();
    assert.equal((await host.enquirer.wait(second.hash)).outcome, 'fraud');
    await said(page, /reported as fraud/);
  });

  test('gives reject no less room than accept, and nothing else as much', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await ask(host, person, 'Log in?');
    const size = async (name: string) => {
      const box = (await button(page, name).boundingBox())!;
      return box.width * box.height;
    };
    const [accept, reject] = [await size('Accept'), await size('Reject')];
    assert.ok(reject >= accept);
    for (const name of ['This wasn’t me', 'Later']) assert.ok((await size(name)) < accept);
    const order = await page.getByRole('button').allInnerTexts();
    assert.deepEqual(order.slice(0, 2), ['Reject', 'Accept']);
  });

  test('takes the passcode that its asker shows, in three tries', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const first = await ask(host, person, 'Log in with digits?', { passcode: true });
    assert.match(first.passcode ?? '', /^\d{6}$/);
    const wrong = first.passcode === '000000' ? '000001' : '000000';
    const field = page.getByLabel('The six digits that the asker shows');
    await field.fill(wrong);
    await button(page, 'Accept').click();
    await page
      .getByRole('alert')
      .getByText(/Wrong passcode/)
      .waitFor();
    await picture(page, 'passcode-wrong');
    await field.fill(first.passcode!);
    await field.press('Enter');
    await said(page, /accepted/);
    assert.equal((await host.enquirer.wait(first.hash)).outcome, 'accepted');

    const second = await ask(host, person, 'And once more?', { passcode: true });
    for (let i = 0; i < 3; i++) {
      await field.fill(second.passcode === '111111' ? '111112' : '111111');
      await button(page, 'Accept').click();
      if (i < 2)
        await page
          .getByRole('alert')
          .getByText(/Wrong passcode/)
          .waitFor();
    }
    await said(page, /three times/);
    assert.equal((await host.enquirer.wait(second.hash)).outcome, 'passcode-failed');
  });

  test('goes away within two seconds where it was answered elsewhere', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const laptop = await secondDevice(person);
    await ask(host, person, 'Answered on the laptop?');
    const { requests } = await laptop.device.pending();
    const begun = performance.now();
    await laptop.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    const answered = performance.now();
    await page.getByText('Nothing waits for your answer.').waitFor();
    // A machine that takes long to send an answer takes long to show it.
    assert.ok(performance.now() - answered < 2000 + 10 * (answered - begun));
  });

  test('goes away when its time is over', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await host.enquirer.ask({ account: person.name, text: 'Quick!', lifetime: 8 });
    await page.getByRole('heading', { name: 'Quick!' }).waitFor();
    await page.getByText('Nothing waits for your answer.').waitFor();
  });

  test('waits its turn: the oldest first, and a double tap answers one alone', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const first = await ask(host, person, 'The first?');
    const second = await host.enquirer.ask({ account: person.name, text: 'The second?' });
    await page.getByText('1 more behind this').waitFor();
    await page.getByRole('heading', { name: 'The first?' }).waitFor();
    const { x, y, width, height } = (await button(page, 'Accept').boundingBox())!;
    const [at, down] = [x + width / 2, y + height / 2];
    await page.mouse.click(at, down);
    // As a hand that taps on and on, where the button was: within the page, so that all four are soon enough.
    await page.waitForFunction(
      ([at, down]) => {
        if (![...document.querySelectorAll('h2')].some(({ textContent }) => textContent === 'The second?'))
          return false;
        for (let i = 0; i < 4; i++)
          document.elementFromPoint(at!, down!)!.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        return true;
      },
      [at, down],
    );
    assert.equal((await host.enquirer.wait(first.hash)).outcome, 'accepted');
    await page.waitForTimeout(300);
    assert.equal((await host.enquirer.status(second.hash)).outcome, 'pending');
    await pastGuard(page);
    await page.mouse.click(at, down);
    assert.equal((await host.enquirer.wait(second.hash)).outcome, 'accepted');
  });

  test('waits as the broker took it in, whatever its asker’s clock says', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const slow = await makeParty(world.home.origin, 'slow@example.com', {
      now: () => systemClock.now() - 20,
      monotonic: () => systemClock.monotonic(),
    });
    await letAsk(person, slow);
    await page.goto('about:blank');
    const texts = Array.from({ length: 3 }, (_, i) => `Number ${i + 1}?`);
    // Most of them in the same second.
    for (const text of texts) await host.enquirer.ask({ account: person.name, text });
    await slow.enquirer.ask({ account: person.name, text: 'Number 4?' });
    await page.goto(world.home.origin);
    for (const text of [...texts, 'Number 4?']) {
      await page.getByRole('heading', { name: text }).waitFor();
      await pastGuard(page);
      await button(page, 'Reject').click();
    }
  });

  test('is accepted only once its end was on the screen; rejected at any time', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const parts = Array.from({ length: 30 }, (_, i) => ({ type: 'p', text: `Clause ${i + 1}` }) as const);
    const text = [{ type: 'h1', text: 'A long contract' }, ...parts] as const;
    const asked = await host.enquirer.ask({ account: person.name, text: [...text] });
    await page.getByRole('heading', { name: 'A long contract' }).waitFor();
    await pastGuard(page);
    await picture(page, 'long');
    assert.equal(await button(page, 'Accept').getAttribute('aria-disabled'), 'true');
    assert.equal(await button(page, 'Reject').getAttribute('aria-disabled'), 'false');
    await page.getByText('Read to the end before you accept.').waitFor();
    await page.mouse.wheel(0, 5000);
    await page.locator('button.accept[aria-disabled=false]').waitFor();
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('shows the words of its asker’s buttons beside ours', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const text = [
      { type: 'h1', text: 'Coffee?' },
      { type: 'button', value: 'accept', text: 'Yes, black' },
      { type: 'button', value: 'reject', text: 'Not now' },
    ] as const;
    await host.enquirer.ask({ account: person.name, text: [...text] });
    await page.getByRole('button', { name: 'Accept Yes, black' }).waitFor();
    await page.getByRole('button', { name: 'Reject Not now' }).waitFor();
  });

  test('keeps the order of digits in each part, name and value, whatever stands beside it', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const asked = await host.enquirer.ask({
      account: person.name,
      text: [
        { type: 'h1', text: 'אישור' },
        { type: 'p', text: '1111 2222' },
        { type: 'p', text: 'Pay אב' },
        { type: 'p', text: '3333 4444' },
        { type: 'button', value: 'accept', text: 'כן' },
        { type: 'button', value: 'accept', text: '5555 6666' },
      ],
      fields: [
        { name: '7777 8888', value: 'אב' },
        { name: 'לחשבון', value: '9999 0000' },
      ],
    });
    await page.getByRole('heading', { name: 'אישור' }).waitFor();
    const groups = ['1111', '2222', '3333', '4444', '5555', '6666', '7777', '8888', '9999', '0000'];
    await checkOrder(page, groups);
    await button(page, 'Later').click();
    await button(page, 'Open').waitFor();
    await checkOrder(page, groups.slice(0, 4));
    await button(page, 'Open').click();
    await pastGuard(page);
    await button(page, 'Reject').click();
    await host.enquirer.wait(asked.hash);
    await page.goto(`${world.home.origin}/#history`);
    await page.getByText('1 shown').waitFor();
    await checkOrder(page, groups.slice(0, 4));
  });

  test('is answered once: where the answer was lost, the same one alone can be sent again', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    const asked = await ask(host, person, 'Lost on its way?');
    await page.route('**/response', (route) => route.abort());
    await button(page, 'Accept').click();
    await page.getByText(/You have answered already \(accepted\)/).waitFor();
    await picture(page, 'signed');
    assert.equal(await button(page, 'Reject').count(), 0);
    assert.equal((await host.enquirer.status(asked.hash)).outcome, 'pending');
    await page.unroute('**/response');
    await button(page, 'Send the same answer again').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('can wait, and is found on the first page again', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await ask(host, person, 'Later?');
    await button(page, 'Later').click();
    await picture(page, 'put-off');
    await page.getByText('Later?').waitFor();
    await page.reload();
    // Opening the page shows every pending question.
    await page.getByRole('heading', { name: 'Later?' }).waitFor();
  });
});

describe('a stranger’s question', () => {
  test('is a contact request, of which nothing is shown before the person takes it', async () => {
    const person = await world.person();
    const { page, name, link } = person;
    const host = await world.host('stranger');
    await host.device.session.book.bind(link.name, link.identity, 'link');
    const asked = await host.enquirer.ask({ account: name, text: 'Do you know me?' });
    await page.getByRole('heading', { name: 'Contact request' }).waitFor();
    await page.getByText(host.name).first().waitFor();
    assert.equal(await page.getByText('Do you know me?').count(), 0);
    await picture(page, 'stranger');
    await pastGuard(page);
    await button(page, 'Allow').click();
    await page.getByRole('heading', { name: 'Do you know me?' }).waitFor();
    await page.getByText(/believed|taken on first use/).waitFor();
    await pastGuard(page);
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('is refused where the person blocks it, and unblocking makes it a stranger’s no more', async () => {
    const person = await world.person();
    const { page, name, link } = person;
    const host = await world.host('stranger');
    await host.device.session.book.bind(link.name, link.identity, 'link');
    const asked = await host.enquirer.ask({ account: name, text: 'Do you know me?' });
    await page.getByRole('heading', { name: 'Contact request' }).waitFor();
    await pastGuard(page);
    await button(page, 'Block').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'refused');
    await page.goto(`${world.home.origin}/#people`);
    await page.getByText('blocked', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^Unblock/ }).click();
    await page.getByText('may ask', { exact: true }).waitFor();
    await page.getByLabel(/^Your own name/).fill('The printer');
    await picture(page, 'people');
    await page.getByLabel(/^Your own name/).blur();
    await host.enquirer.ask({ account: name, text: 'And now?' });
    await page.getByRole('heading', { name: 'The printer asks' }).waitFor();
  });
});

describe('without a line', () => {
  test('the authenticator opens, says so, signs nothing, and goes on by itself', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    const asked = await ask(host, person, 'Before the line was cut?');
    await page.context().setOffline(true);
    await page.getByText(/^Offline\. Nothing can be answered/).waitFor();
    await button(page, 'Accept').click({ force: true });
    await picture(page, 'offline');
    await page.reload();
    await page.getByText('Offline. Waiting for the server…').waitFor();
    await picture(page, 'offline-shell');
    await page.context().setOffline(false);
    await page.getByRole('heading', { name: 'Before the line was cut?' }).waitFor();
    await page.waitForTimeout(1500);
    // What was touched without a line was not kept to be sent later.
    assert.equal((await host.enquirer.status(asked.hash)).outcome, 'pending');
    await button(page, 'Accept').click();
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });
});

describe('the history', () => {
  test('has everything that was answered, is searched, and keeps receipts that others verify', async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    await ask(host, person, 'Pay 20 EUR to Bob?');
    await button(page, 'Accept').click();
    await said(page, /accepted/);
    await ask(host, person, 'Open the garage?');
    await button(page, 'Reject').click();
    await said(page, /rejected/);
    await page.goto(`${world.home.origin}/#history`);
    await page.getByText('2 shown').waitFor();
    await page.getByLabel('Search').fill('garage rejected');
    await page.getByText('1 shown').waitFor();
    await page.getByText('Open the garage?').waitFor();
    await page.getByLabel('Search').fill('bob');
    await page.getByText('1 shown').waitFor();
    await picture(page, 'history');
    const downloading = page.waitForEvent('download');
    // This system has nothing to share by: nothing is offered that would not work.
    assert.equal(await page.evaluate(() => 'share' in navigator), false);
    assert.equal(await page.getByRole('button', { name: /^Share receipt/ }).count(), 0);
    await page.getByRole('button', { name: /^Keep receipt/ }).click();
    const download = await downloading;
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'receipt.json');
    await download.saveAs(path);
    const verified = await countersign(folder.path, ['receipt', 'verify', path]);
    assert.equal(verified.status, 0, verified.stderr);
    assert.match(verified.stdout, /Pay 20 EUR to Bob\?/);
    await page.getByLabel('Search').fill('nothing of the kind');
    await page.getByText('Nothing found.').waitFor();
  });
});

describe('a receipt is shared', () => {
  const answered = async () => {
    const person = await world.acquainted();
    const { page, host } = person;
    // What the system would be given, and what it would say.
    await page.addInitScript(() => {
      const shares = { files: true, refusal: '', given: [] as Record<string, unknown>[] };
      Object.assign(globalThis, { shares });
      const canShare = ({ files }: ShareData) => files === undefined || shares.files;
      const share = async ({ title, text, files = [] }: ShareData) => {
        const refusal = navigator.userActivation.isActive ? shares.refusal : 'NotAllowedError';
        shares.refusal = '';
        if (refusal !== '') throw new DOMException('', refusal);
        const [file] = files;
        shares.given.push({ title, text: text ?? (await file?.text()), name: file?.name, type: file?.type });
      };
      for (const [name, value] of Object.entries({ canShare, share })) {
        Object.defineProperty(Navigator.prototype, name, { value });
      }
    });
    await page.reload();
    await ask(host, person, 'Pay 20 EUR to Bob?');
    await button(page, 'Accept').click();
    await said(page, /accepted/);
    await page.goto(`${world.home.origin}/#history`);
    const tell = (change: object) =>
      page.evaluate((is) => Object.assign((globalThis as unknown as Shares).shares, is), change);
    const given = () => page.evaluate(() => (globalThis as unknown as Shares).shares.given);
    return { page, tell, given, press: page.getByRole('button', { name: /^Share receipt/ }) };
  };
  interface Shares {
    readonly shares: { readonly given: { title: string; text: string; name?: string; type?: string }[] };
  }

  test('as a file that every browser shares, or as text, and verifies where it comes to', async () => {
    const { page, tell, given, press } = await answered();
    await press.click();
    await page.waitForFunction(() => (globalThis as unknown as Shares).shares.given.length === 1);
    await tell({ files: false });
    await page.locator('li button:not([disabled])').first().waitFor();
    await press.click();
    await page.waitForFunction(() => (globalThis as unknown as Shares).shares.given.length === 2);
    const [file, text] = await given();
    assert.match(file!.name!, /^countersign-[\w-]+\.txt$/);
    assert.equal(file!.type, 'text/plain');
    assert.equal(text!.name, undefined);
    assert.equal(text!.text, file!.text);
    await using folder = await temporaryFolder();
    const path = join(folder.path, file!.name!);
    await writeFile(path, file!.text);
    const verified = await countersign(folder.path, ['receipt', 'verify', path]);
    assert.equal(verified.status, 0, verified.stderr);
  });

  test('by another press, where the first one is too old; and by none, where the person leaves it', async () => {
    const { page, tell, given, press } = await answered();
    await tell({ refusal: 'NotAllowedError' });
    await press.click();
    await page.getByRole('alert').getByText('Press once more to share it').waitFor();
    await tell({ refusal: 'AbortError' });
    await press.click();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    assert.deepEqual(await given(), []);
    // The receipt is here: what was read is shared, with a line or without one.
    await page.context().setOffline(true);
    await press.click();
    await page.waitForFunction(() => (globalThis as unknown as Shares).shares.given.length === 1);
    await page.context().setOffline(false);
  });
});

describe('the account’s devices', () => {
  test('are shown with when each was last reached; one is stopped, found again, and shown out', async () => {
    const person = await world.acquainted();
    const { page } = person;
    const laptop = await secondDevice(person);
    const kid = await laptop.device.session.kid();
    await laptop.device.pending();
    await page.goto(`${world.home.origin}/#devices`);
    const row = page.locator(`li[data-kid="${kid}"]`);
    await row
      .getByTestId('reached')
      .getByText(/^last reached/)
      .waitFor();
    await page.getByText('this device').waitFor();
    await picture(page, 'devices');
    await row.getByRole('button', { name: 'Lost' }).click();
    await row.getByText('stopped: lost').waitFor();
    await assert.rejects(laptop.device.pending(), { code: 'device-frozen' });
    await row.getByRole('button', { name: 'Found again' }).click();
    await row.getByRole('button', { name: 'Lost' }).waitFor();
    await laptop.device.pending();
    await row.getByRole('button', { name: 'Show out' }).click();
    await row.getByRole('button', { name: /^Yes, show out/ }).click();
    await row.waitFor({ state: 'detached' });
    await assert.rejects(laptop.device.pending(), { code: 'device-revoked' });
  });

  test('get other rights from one that may let devices in, by an entry of the log', async () => {
    const person = await world.acquainted();
    const { page } = person;
    const laptop = await secondDevice(person);
    const kid = await laptop.device.session.kid();
    const rightsOf = async (which: string) =>
      (await laptop.device.session.ownLog(0)).devices.get(which)!.rights;
    assert.deepEqual(await rightsOf(kid), ['ask', 'answer', 'pay']);
    await page.goto(`${world.home.origin}/#devices`);
    const row = page.locator(`li[data-kid="${kid}"]`);
    const pick = (right: string) => row.getByRole('checkbox', { name: right, exact: true });
    await row.getByRole('button', { name: /^Rights/ }).click();
    await pick('pays').uncheck();
    await pick('lets devices in').check();
    await picture(page, 'device-rights');
    await row.getByRole('button', { name: 'Change rights' }).click();
    await row.getByText('asks, answers, lets devices in').waitFor();
    assert.deepEqual(await rightsOf(kid), ['ask', 'answer', 'admit']);
    // The laptop uses what it got, though it gives no more than it has.
    const { devices: ofLaptop } = laptop.device;
    const own = (await laptop.device.session.ownLog(0)).devices;
    const phone = [...own.keys()].find((one) => one !== kid)!;
    await ofLaptop.setRights(phone, ['answer', 'admit', 'recover']);
    const more = ofLaptop.setRights(phone, ['answer', 'pay', 'admit', 'recover']);
    await assert.rejects(more, { code: 'device-not-entitled' });

    // The page has become a device without the right to pay: it gives it to nobody.
    await page.reload();
    await row.getByRole('button', { name: /^Rights/ }).click();
    assert.ok(await pick('pays').isDisabled());
    await page.getByText('What this device has no right to').waitFor();
    await row.getByRole('button', { name: 'Back' }).click();
    await row.getByRole('button', { name: /^Rights/ }).waitFor();
  });

  test('keep one right, and one device that may let others in, with the reason said', async () => {
    const person = await world.acquainted();
    const { page } = person;
    const laptop = await secondDevice(person);
    await page.goto(`${world.home.origin}/#devices`);
    const own = page.locator('li', { has: page.getByText('this device') });
    await own.getByRole('button', { name: /^Rights/ }).click();
    await own.getByRole('checkbox', { name: 'lets devices in', exact: true }).uncheck();
    await own.getByRole('button', { name: 'Change rights' }).click();
    await own.getByRole('alert').getByText('the last device that can let others in').waitFor();
    const row = page.locator(`li[data-kid="${await laptop.device.session.kid()}"]`);
    await row.getByRole('button', { name: /^Rights/ }).click();
    for (const right of ['asks', 'answers', 'pays']) {
      await row.getByRole('checkbox', { name: right, exact: true }).uncheck();
    }
    await row.getByRole('button', { name: 'Change rights' }).click();
    await row.getByRole('alert').getByText('One right at least stays').waitFor();
    assert.equal((await laptop.device.session.ownLog(0)).head.seq, 1);
  });

  test('are shown out by none that may let nobody in, and not by a touch on their own row', async () => {
    const person = await world.acquainted();
    const { page } = person;
    const laptop = await secondDevice(person);
    const log = await laptop.device.session.ownLog(0);
    const phone = [...log.devices.values()].find(({ name }) => name !== 'alice’s laptop')!;
    await assert.rejects(laptop.device.devices.revoke(phone.kid, 'lost'), { code: 'device-not-entitled' });
    await page.goto(`${world.home.origin}/#devices`);
    const rows = page.locator('li[data-kid]');
    await rows.nth(1).getByRole('button').first().waitFor();
    const own = page.locator(`li[data-kid="${phone.kid}"]`);
    await own.waitFor();
    // Its rights it may give up, and no more.
    assert.deepEqual(await own.getByRole('button').allInnerTexts(), ['Rights']);
  });
});

test('keys stay in the browser that made them', async () => {
  const { page } = await world.person();
  const tries = await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('countersign');
      opening.onsuccess = () => resolve(opening.result);
    });
    const kept = await new Promise<{ signing: CryptoKeyPair; sealing: CryptoKeyPair }>((resolve) => {
      const reading = database.transaction('keys').objectStore('keys').get('authenticator');
      reading.onsuccess = () => resolve(reading.result);
    });
    return Promise.all(
      [kept.signing, kept.sealing].flatMap(({ privateKey }) =>
        (['jwk', 'pkcs8', 'raw'] as const).map((format) =>
          crypto.subtle.exportKey(format, privateKey).then(
            () => 'exported',
            (error: DOMException) => error.name,
          ),
        ),
      ),
    );
  });
  assert.deepEqual(tries, Array(6).fill('InvalidAccessError'));
});
