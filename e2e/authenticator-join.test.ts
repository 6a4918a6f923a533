import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { createAuthenticatorWorld, pastGuard } from './authenticator-world.ts';
import { picture } from './chromium.ts';
import { cameraFlags, filmQR } from './fake-camera.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-'));
const film = join(folder, 'camera.y4m');
before(() => filmQR(film));
const world = createAuthenticatorWorld(cameraFlags(film));
after(() => {
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(world.failures, []);
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const codeField = (page: Page) => page.getByLabel('Code that the new device shows');

async function facts(page: Page): Promise<Record<string, string>> {
  await page.locator('[data-fact=kid]').waitFor();
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll<HTMLElement>('[data-fact]:not([data-fact=left])')].map((fact) => [
        fact.dataset.fact!,
        fact.innerText,
      ]),
    ),
  );
}

/** The link for a new device, made on a page of the account. */
async function makeLink(page: Page): Promise<string> {
  await page.goto(`${world.home.origin}/#devices`);
  await button(page, 'Make a link').click();
  return page.getByTestId('invitation').inputValue();
}

async function knocked(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'A new device wants in' }).waitFor();
  await pastGuard(page);
}

/** Both pages answer for the account. */
async function bothAreIn(...pages: Page[]): Promise<void> {
  for (const page of pages) {
    await page.goto(`${world.home.origin}/#devices`);
    await page.locator('li[data-kid]').nth(1).waitFor();
  }
}

/** A picture of the QR code, moved to where nothing stands over it. */
async function photo(page: Page): Promise<Buffer> {
  const code = page.locator('svg.qr');
  await code.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  return code.screenshot();
}

describe('a new device', () => {
  test('joins by a link, and is let in by the code that it shows', async () => {
    const { page: first } = await world.person();
    const link = await makeLink(first);
    await picture(first, 'join-link');
    const second = await world.open();
    await picture(second, 'welcome');
    // The address of the QR code, as a telephone's own camera opens it.
    await second.goto(`${world.home.origin}/?from=camera#${link}`);
    assert.equal(await second.getByLabel(/^Link, or account/).inputValue(), link);
    await second.getByLabel('What you call this device').fill('alice’s phone');
    await picture(second, 'join');
    await button(second, 'Ask to be let in').click();
    const asked = await facts(second);
    await picture(second, 'wall');
    await knocked(first);
    await picture(first, 'knock');
    assert.deepEqual(Object.keys(asked), ['kid', 'name', 'model', 'os', 'address', 'time']);
    assert.deepEqual(await facts(first), asked);
    await codeField(first).fill('AAAA-AAAA');
    await button(first, 'Let it in').click();
    await first
      .getByRole('alert')
      .getByText(/Wrong code/)
      .waitFor();
    await codeField(first).fill((await second.getByTestId('code').innerText()).toLowerCase());
    await button(first, 'Let it in').click();
    await second.getByText('Nothing waits for your answer.').waitFor();
    await bothAreIn(first, second);
  });

  test('joins by the camera alone: link and code are scanned', async () => {
    const { page: first } = await world.person();
    const link = await makeLink(first);
    await filmQR(film, `${world.home.origin}/#${link}`);
    const second = await world.open({ permissions: ['camera'] });
    await button(second, 'Join an account that you have').click();
    await button(second, 'Scan the QR code').click();
    await second.waitForFunction(
      () => document.querySelector<HTMLInputElement>('input[name=account]')!.value !== '',
    );
    await button(second, 'Ask to be let in').click();
    await filmQR(film, (await second.getByTestId('code').innerText()).trim());
    await knocked(first);
    await first.context().grantPermissions(['camera']);
    await button(first, 'Scan its code').click();
    await first.locator('video').waitFor();
    await picture(first, 'camera');
    await first.waitForFunction(() => document.querySelector<HTMLInputElement>('form input')!.value !== '');
    await button(first, 'Let it in').click();
    await second.getByText('Nothing waits for your answer.').waitFor();
  });

  test('joins by pictures of the QR codes, where there is no camera', async () => {
    const { page: first } = await world.person();
    await makeLink(first);
    const shown = await photo(first);
    const second = await world.open();
    await button(second, 'Join an account that you have').click();
    const upload = (page: Page, buffer: Buffer) =>
      page
        .getByLabel('QR code from a picture')
        .setInputFiles({ name: 'qr.png', mimeType: 'image/png', buffer });
    await upload(second, await first.getByRole('navigation').screenshot());
    await second.getByText(/no readable QR code/).waitFor();
    await upload(second, shown);
    await second.waitForFunction(
      () => document.querySelector<HTMLInputElement>('input[name=account]')!.value !== '',
    );
    await button(second, 'Ask to be let in').click();
    await knocked(first);
    await upload(first, await photo(second));
    await first.waitForFunction(() => document.querySelector<HTMLInputElement>('form input')!.value !== '');
    await button(first, 'Let it in').click();
    await second.getByText('Nothing waits for your answer.').waitFor();
  });

  test('is turned away, and hears so', async () => {
    const { page: first } = await world.person();
    const link = await makeLink(first);
    const second = await world.open();
    await second.goto(`${world.home.origin}/?#${link}`);
    await button(second, 'Ask to be let in').click();
    await knocked(first);
    await button(first, 'Turn it away').click();
    await second.getByText('Your other device turned this one away.').waitFor();
    await button(second, 'Begin again').click();
    await button(second, 'Make an account').waitFor();
  });

  test('is told where to go by a link of another server', async () => {
    const page = await world.open();
    await button(page, 'Join an account that you have').click();
    const id = 'A'.repeat(43);
    await page
      .getByLabel(/^Link, or account/)
      .fill(
        `countersign:alice@example.com?id=${id}&broker=https%3A%2F%2Felsewhere.example&knock=AAAA-AAAA-AAAA-AAAA-AAAA-AAAA`,
      );
    await button(page, 'Ask to be let in').click();
    await page.getByText('Open this page there: https://elsewhere.example').waitFor();
  });

  test('joins by the account’s name and a PIN, on one touch', async () => {
    const { page: first, name } = await world.person();
    await first.goto(`${world.home.origin}/#devices`);
    await button(first, 'Give a PIN').click();
    const pin = await first.getByTestId('pin').innerText();
    const second = await world.open();
    await button(second, 'Join an account that you have').click();
    await second.getByLabel(/^Link, or account/).fill(name);
    await second.getByLabel(/^PIN/).fill(pin.toLowerCase());
    await button(second, 'Ask to be let in').click();
    await knocked(first);
    await first.getByText('It knows your PIN, and gets: asks, answers, pays.').waitFor();
    await button(first, 'Let it in').click();
    await second.getByText('Nothing waits for your answer.').waitFor();
  });
});

test('a passcode is scanned instead of typed', async () => {
  const { page, name, host } = await world.acquainted('alice', { permissions: ['camera'] });
  const asked = await host.enquirer.ask({ account: name, text: 'Log in with digits?', passcode: true });
  await page.getByRole('heading', { name: 'Log in with digits?' }).waitFor();
  await filmQR(film, asked.passcode);
  await button(page, 'Scan them instead').click();
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('.digits')!.value !== '');
  await pastGuard(page);
  await button(page, 'Accept').click();
  assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
});

describe('an account', () => {
  test('is made once, though the server’s answer was lost', async () => {
    const page = await world.open();
    await page.route('**/v1/accounts', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await button(page, 'Make an account').click();
    await page.getByLabel(/^Account/).fill('lost-answer@example.com');
    await button(page, 'Make the account').click();
    await page
      .getByRole('alert')
      .getByText(/does not answer/)
      .waitFor();
    await page.unroute('**/v1/accounts');
    await page.reload();
    // It knows what it had begun.
    assert.equal(await page.getByLabel(/^Account/).inputValue(), 'lost-answer@example.com');
    await button(page, 'Make the account').click();
    await page.getByTestId('recovery-code').waitFor();
  });

  test('says that its recovery code is kept nowhere, until it is', async () => {
    const page = await world.open();
    await button(page, 'Make an account').click();
    await page.getByLabel(/^Account/).fill('careless@example.com');
    await button(page, 'Make the account').click();
    const code = await page.getByTestId('recovery-code').innerText();
    await picture(page, 'recovery-code');
    await page.getByLabel(/^Its last eight letters/).fill('AAAA-AAAA');
    await button(page, 'I have it').click();
    await page.getByText('These are not its last eight letters.').waitFor();
    await button(page, 'Later').click();
    await page.getByText(/not confirmed that you keep the recovery code/).waitFor();
    await page.goto(`${world.home.origin}/#account`);
    await button(page, 'Make a new code').click();
    const fresh = await page.getByTestId('recovery-code').innerText();
    assert.notEqual(fresh, code);
    await page.getByLabel(/^Its last eight letters/).fill(fresh);
    await button(page, 'I have it').click();
    await page.getByTestId('own-link').waitFor();
    await page.goto(`${world.home.origin}/#`);
    await page.reload();
    await page.getByText('Nothing waits for your answer.').waitFor();
    assert.equal(await page.getByText(/not confirmed/).count(), 0);
  });

  test('is got back by its recovery code, and any device can undo that', async () => {
    const first = await world.open();
    await button(first, 'Make an account').click();
    await first.getByLabel(/^Account/).fill('robbed@example.com');
    await button(first, 'Make the account').click();
    const code = await first.getByTestId('recovery-code').innerText();
    const printed = await first.getByRole('img', { name: 'The recovery code as a QR code' }).screenshot();
    await first.getByLabel(/^Its last eight letters/).fill(code);
    await button(first, 'I have it').click();
    const second = await world.open();
    await button(second, 'I have lost all my devices').click();
    await second.getByLabel(/^Account/).fill('robbed@example.com');
    await second
      .getByLabel('QR code from a picture')
      .setInputFiles({ name: 'printed.png', mimeType: 'image/png', buffer: printed });
    await second.waitForFunction(
      (whole) => document.querySelector<HTMLInputElement>('input[name=code]')?.value === whole,
      code,
    );
    await button(second, 'Begin').click();
    await second.getByText(/The recovery has begun/).waitFor();
    await button(second, 'Go on').click();
    await second.getByText(/does not count until the undo period is over/).waitFor();
    await button(second, 'Complete the recovery').click();
    await second.getByText(/undo period is not over yet/).waitFor();
    await first.getByText(/came in by the recovery code/).waitFor();
    await picture(first, 'recovery-under-way');
    await button(first, 'Undo').click();
    await first.getByText(/came in by the recovery code/).waitFor({ state: 'detached' });
    await second.reload();
    await second.getByText('This device was shown out of the account.', { exact: false }).waitFor();
  });
});
