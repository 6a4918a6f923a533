/**
 * Members of an organisation in real browsers: an owner's console, members who sign in by accepting on a device of
 * their own, and what each then sees and may do.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { makeAccount, pastGuard } from './authenticator-world.ts';
import { closeDialog, picture } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';
import { countersign } from './processes.ts';
import { checkScreen } from './screens.ts';
import { until } from './until.ts';

const BANK = 'bank@example.com';
const NUMBER = '+49 30 1234567';
const WIDE = { width: 1000, height: 1000 };
const PHONE = { width: 390, height: 780 };

const world = createConsoleWorld();
let owner: Page;
let bobsPhone: Page;
let link: string;

before(async () => {
  await world.ready();
  for (const name of ['alice', 'carol', 'dave'] as const) {
    await command(name, 'account', 'create', `${name}@example.com`, '--broker', world.origin);
  }
  bobsPhone = await open('/', PHONE);
  await makeAccount(bobsPhone, 'bob@example.com');
  owner = await open('/console', WIDE);
});

const open = (path: string, size = WIDE, language = 'en-GB') => world.open(path, size, language);

async function command(profile: string, ...words: string[]): Promise<string> {
  const { stdout, stderr, status } = await countersign(join(world.folder, profile), words);
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

async function add(account: string, role?: 'agent' | 'auditor' | 'owner'): Promise<void> {
  await owner.getByLabel('Account of the member').fill(account);
  if (role !== undefined) await owner.locator('select[name=role]').selectOption(role);
  await owner.getByRole('button', { name: 'Add the member' }).click();
  await owner.getByRole('rowheader').filter({ hasText: account }).waitFor();
}

/** Has an authenticator take questions of the organisation. */
async function allowBank(phone: Page): Promise<void> {
  await phone.goto(`${world.origin}/#people`);
  const identity = new URLSearchParams(new URL(link).hash.slice(1)).get('o')!;
  const theirs = new URLSearchParams({ id: identity, broker: world.origin });
  await phone.getByLabel(/^Their link/).fill(`countersign:${BANK}?${theirs}`);
  await phone.getByRole('button', { name: 'Allow', exact: true }).click();
  await phone.getByText(`${BANK} may ask you.`).waitFor();
  await phone.goto(`${world.origin}/#`);
}

/** Accepts what an authenticator shows. */
async function accept(phone: Page): Promise<void> {
  // What stands below the window must have been there.
  await phone.mouse.wheel(0, 5000);
  await phone.locator('button.accept[aria-disabled=false]').waitFor();
  await phone.getByRole('button', { name: 'Accept', exact: true }).click();
}

/** Asks for a seat in a new browser. @returns its page, and the digits on it */
async function begin(member: string, language?: string): Promise<{ page: Page; passcode: string }> {
  const page = await open(link, WIDE, language);
  await page.locator('input[name=member]').fill(member);
  await page.getByRole('button', { name: /^(Sign in|Anmelden)$/ }).click();
  return { page, passcode: await page.getByTestId('sign-in-passcode').innerText() };
}

/** Bob's authenticator shows the question of the organisation. */
async function questionOnPhone(): Promise<void> {
  await bobsPhone.getByRole('heading', { name: `Sign in to the console of ${BANK}?` }).waitFor();
  await pastGuard(bobsPhone);
}

async function bobSignsIn(): Promise<Page> {
  const { page, passcode } = await begin('bob@example.com');
  await questionOnPhone();
  await bobsPhone.getByLabel('The six digits that the asker shows').fill(passcode);
  await accept(bobsPhone);
  await page.getByTestId('seat').waitFor();
  return page;
}

async function startSession(page: Page, subject: string): Promise<string> {
  await page.getByLabel('Template').selectOption({ label: 'Phone number' });
  await page.getByLabel(/^Expected value/).fill(NUMBER);
  await page.getByLabel('Subject').fill(subject);
  await page.getByRole('button', { name: 'Start session' }).click();
  return page.getByTestId('link').inputValue();
}

describe('an owner', () => {
  test('makes the organisation, names themself first, and gives others their roles', async () => {
    await checkScreen(owner, 'members-outside');
    await owner.getByLabel(/^Account, like/).fill(BANK);
    await owner.getByRole('button', { name: 'Make the account' }).click();
    await owner.getByText('Begin with the first owner').waitFor();
    await checkScreen(owner, 'members-empty');
    await add('alice@example.com');
    await add('bob@example.com', 'agent');
    await owner.getByText(/bob@example\.com is new to this browser/).waitFor();
    await add('carol@example.com', 'auditor');
    await checkScreen(owner, 'members-list');
    link = await owner.getByTestId('sign-in-link').inputValue();
  });

  test('can’t be removed while nobody else is one', async () => {
    await owner.getByRole('button', { name: 'Remove alice@example.com' }).click();
    await owner
      .getByRole('alert')
      .getByText(/have an owner among them/)
      .waitFor();
    assert.equal(await owner.getByLabel('Role of alice@example.com').inputValue(), 'owner');
  });
});

describe('an agent', () => {
  before(() => allowBank(bobsPhone));

  test('who rejects on their device is told so, and nobody is in', async () => {
    const { page, passcode } = await begin('bob@example.com');
    await checkScreen(page, 'members-waiting');
    await questionOnPhone();
    // No digit is copied by hand: the device sees them on the screen of the console.
    await bobsPhone.getByRole('button', { name: 'Scan them instead' }).click();
    const seen = await page.getByRole('img', { name: 'These digits as a QR code' }).screenshot();
    await bobsPhone
      .getByLabel('QR code from a picture')
      .setInputFiles({ name: 'console.png', mimeType: 'image/png', buffer: seen });
    await bobsPhone.waitForFunction(
      (digits) => document.querySelector<HTMLInputElement>('input.digits')?.value === digits,
      passcode,
    );
    const key = await page.getByTestId('sign-in-key').innerText();
    assert.equal(await bobsPhone.getByText(key).count(), 1, 'the key that the device shows is the browser’s');
    await picture(bobsPhone, 'members-question');
    await bobsPhone.getByRole('button', { name: 'Reject', exact: true }).click();
    await page
      .getByTestId('sign-in')
      .getByText(/^Rejected on the device/)
      .waitFor();
    await checkScreen(page, 'members-rejected');
    assert.equal(await page.getByRole('heading', { name: 'Auth sessions' }).count(), 0);
  });

  test('who thinks better of it takes the question away from their device', async () => {
    const { page } = await begin('bob@example.com');
    await questionOnPhone();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await bobsPhone.getByRole('heading', { name: `Sign in to the console of ${BANK}?` }).waitFor({
      state: 'detached',
    });
  });

  let bob: Page;
  test('signs in by accepting on their authenticator, stays in over a reload, and makes a session', async () => {
    bob = await bobSignsIn();
    assert.match(await bob.getByTestId('seat').innerText(), /^bob@example\.com, agent, signed in until /);
    await bob.reload();
    await bob.getByTestId('seat').waitFor();
    await checkScreen(bob, 'members-agent');
    for (const heading of ['Members', 'Services', 'What they asked']) {
      assert.equal(await bob.getByRole('heading', { name: heading }).count(), 0);
    }
    assert.equal(await bob.getByText('Organisation profile').count(), 0);
    const customer = await open(await startSession(bob, 'made by bob'), PHONE);
    await customer.getByRole('button', { name: 'Continue' }).click();
    await customer.getByLabel('Phone number').fill(NUMBER);
    await customer.getByRole('button', { name: 'Check' }).click();
    const passcode = await customer.getByTestId('passcode').innerText();
    await bob
      .getByTestId('where')
      .getByText(/sees their passcode/)
      .waitFor();
    await bob.getByRole('button', { name: 'Reveal passcode' }).click();
    assert.equal(await bob.getByTestId('passcode').innerText(), passcode);
    await bob.getByRole('button', { name: 'Delete' }).click();
    await closeDialog(bob);
    await bob.getByRole('cell', { name: 'made by bob' }).waitFor();
  });

  test('finds the oldest of many sessions, and has all of them shown and exported', async () => {
    const link = await startSession(bob, 'one of many');
    for (let i = 0, before = link; i < 51; i++) {
      await bob.getByRole('button', { name: 'Recreate' }).click();
      await bob.waitForFunction(
        (old) => document.querySelector<HTMLInputElement>('[data-testid=link]')?.value !== old,
        before,
      );
      before = await bob.getByTestId('link').inputValue();
    }
    await bob.getByRole('button', { name: 'Delete' }).click();
    await closeDialog(bob);
    await bob.reload();
    const history = bob.getByRole('region', { name: 'History' });
    const rows = history.locator('tbody tr');
    await until(async () => (await rows.count()) === 50);
    await bob.getByText('Of the newest 50').waitFor();
    assert.equal(await history.getByText('made by bob').count(), 0);
    await bob.getByLabel('Find').fill('made by');
    await history.getByText('made by bob').waitFor();
    assert.equal(await rows.count(), 1);
    await bob.getByLabel('Find').fill('');
    await until(async () => (await rows.count()) === 50);
    await bob.getByLabel('Outcome').selectOption('authenticated');
    await history.getByText('made by bob').waitFor();
    await bob.getByLabel('Outcome').selectOption('');
    await until(async () => (await rows.count()) === 50);
    const coming = bob.waitForEvent('download');
    await bob.getByRole('button', { name: 'Export as CSV' }).click();
    const path = join(world.folder, 'table');
    await (await coming).saveAs(path);
    // A row for each session, under a row of names, and nothing after the last end of line.
    assert.equal((await readFile(path, 'utf8')).split('\r\n').length, 1 + 53 + 1);
    await bob.getByRole('button', { name: 'Show more' }).click();
    await until(async () => (await rows.count()) === 53);
    assert.equal(await bob.getByRole('button', { name: 'Show more' }).count(), 0);
    await history.getByText('made by bob').waitFor();
  });

  test('has a customer confirm a call on their authenticator, in no other name than their own', async () => {
    const doras = await open('/', PHONE);
    await makeAccount(doras, 'dora@example.com');
    await allowBank(doras);
    await bob.getByLabel('Customer’s account').fill('dora@example.com');
    assert.equal(await bob.getByTestId('two-way-agent').innerText(), 'bob@example.com');
    assert.equal(await bob.locator('input[name=agent]').count(), 0);
    await bob.getByLabel('Reason of the call').fill('Your new card');
    await checkScreen(bob, 'members-two-way-form');
    await bob.getByRole('button', { name: 'Start session' }).click();
    const status = bob.getByTestId('two-way');
    await status.getByText('Waiting for dora@example.com').waitFor();
    await doras.getByRole('heading', { name: `Are you on a call with ${BANK}, who called you?` }).waitFor();
    await pastGuard(doras);
    for (const shown of ['bob@example.com', 'Your new card', 'the organisation called']) {
      assert.equal(await doras.getByText(shown, { exact: true }).count(), 1, shown);
    }
    await picture(doras, 'members-two-way-question');
    // A reload loses neither the question nor the key that reads the answer.
    await bob.reload();
    await status.getByText('Waiting for dora@example.com').waitFor();
    await accept(doras);
    await status.getByText(/confirmed, with a signature/).waitFor();
    await checkScreen(bob, 'members-two-way');
    const coming = bob.waitForEvent('download');
    await bob.getByRole('button', { name: 'Save the receipt' }).click();
    const path = join(world.folder, 'two-way-receipt.json');
    await (await coming).saveAs(path);
    const said = await command('unused', 'receipt', 'verify', path);
    assert.match(said, /dora@example\.com accepted/);
    assert.match(said, /asked by bank@example\.com, its member bob@example\.com \(agent\)/);
    await closeDialog(bob);
    await bob.reload();
    await bob.getByTestId('seat').waitFor();
    assert.equal(await status.count(), 0);
    await owner.reload();
    const row = owner.getByRole('row').filter({ hasText: 'dora@example.com' });
    assert.match(await row.innerText(), /bob@example\.com \(agent\)/);
    assert.match(await row.innerText(), /confirmed, signed/);
  });

  test('is in the history by name and role, as their signature proves', async () => {
    await owner.reload();
    await owner.getByLabel('Find').fill('made by bob');
    const row = owner.getByRole('row').filter({ hasText: 'made by bob' });
    assert.match(await row.innerText(), /bob@example\.com \(agent\)/);
    await row.scrollIntoViewIfNeeded();
    await picture(owner, 'members-history');
    await owner.route('**/v1/seats/*', (route) => route.fulfill({ status: 404, json: {} }));
    await owner.reload();
    await owner.getByLabel('Find').fill('made by bob');
    await row.filter({ hasText: 'bob@example.com, not proven' }).waitFor();
    await owner.unroute('**/v1/seats/*');
  });

  test('who is removed is cut: the session that stands, and the console', async () => {
    const standing = await open(await startSession(bob, 'cut'), PHONE);
    await standing.getByRole('button', { name: 'Continue' }).click();
    await owner.reload();
    await owner.getByRole('button', { name: 'Remove bob@example.com' }).click();
    await owner.getByRole('rowheader').filter({ hasText: 'bob@example.com' }).waitFor({ state: 'detached' });
    await bob.getByTestId('over').waitFor();
    await checkScreen(bob, 'members-over');
    await standing.getByRole('heading', { name: 'Invalid session' }).waitFor();
    await bob.getByRole('button', { name: 'Sign in', exact: true }).click();
    await bob
      .getByRole('alert')
      .getByText(/is no member/)
      .waitFor();
  });
});

/** The id of the question that waits for somebody on the command line. */
async function waitingFor(profile: string): Promise<string> {
  const { stdout } = await countersign(join(world.folder, profile), ['confirm', 'pending', '--json']);
  const { requests } = JSON.parse(stdout) as { requests: { id: string }[] };
  return requests[0]!.id;
}

/** Signs in who answers on the command line. @returns the page, and what was shown there */
async function signIn(profile: string, language?: string): Promise<{ page: Page; said: string }> {
  await command(profile, 'contact', 'add', BANK);
  const { page, passcode } = await begin(`${profile}@example.com`, language);
  const id = await waitingFor(profile);
  const said = await command(profile, 'confirm', 'accept', id, '--shown', '--passcode', passcode);
  await page.getByTestId('seat').waitFor();
  return { page, said };
}

/** What became of what was asked, the newest first. */
const outcomesIn = (page: Page) =>
  page.locator('tr[data-outcome]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-outcome')));

describe('an owner who signed in', () => {
  /** The organisation has a profile, and asked somebody twice: a yes, and a report of fraud. */
  before(async () => {
    await owner.getByLabel('Display name').fill('Bank of Examples');
    await owner.getByLabel('Description').fill('Your bank, since 1888');
    await owner.getByLabel(/^Country/).fill('de');
    await owner.getByRole('button', { name: 'Save' }).click();
    await owner.getByText('Saved.').waitFor();
    await command('dave', 'contact', 'add', BANK);
    for (const answer of [['accept'], ['reject', '--fraud']] as const) {
      await owner.locator('input[name=customer]').fill('dave@example.com');
      await owner.locator('input[name=agent]').fill('Alice');
      await owner.locator('input[name=reason]').fill('A secret reason');
      await owner.getByRole('button', { name: 'Start session' }).click();
      await owner.getByTestId('two-way').waitFor();
      await command('dave', 'confirm', answer[0], await waitingFor('dave'), '--shown', ...answer.slice(1));
      await owner.getByRole('button', { name: 'Save the receipt' }).and(owner.locator(':enabled')).waitFor();
      await closeDialog(owner);
    }
  });

  test('reads what the organisation asked and its profile, and changes neither', async () => {
    const { page: alice } = await signIn('alice');
    await alice.locator('tr[data-outcome=fraud]').waitFor();
    // Whether dave accepted is sealed to the organisation's devices.
    assert.deepEqual(await outcomesIn(alice), ['fraud', 'answered']);
    await alice.getByText(/a member’s sign-in can’t open it/).waitFor();
    assert.match(
      await alice.locator('tr[data-outcome=fraud]').innerText(),
      /Chromium[\s\S]*dave@example\.com[\s\S]*reported/,
    );
    assert.ok(!(await alice.content()).includes('A secret reason'));
    assert.deepEqual(await outcomesIn(owner), [], 'read before it was asked');
    await owner.getByRole('button', { name: 'Read again' }).click();
    await owner.locator('tr[data-outcome=fraud]').waitFor();
    assert.deepEqual(await outcomesIn(owner), ['fraud', 'accepted']);
    const profile = alice.getByTestId('profile');
    await profile.locator('summary').click();
    await profile.getByText('Your bank, since 1888').waitFor();
    assert.equal(await profile.locator('input, button, textarea').count(), 0);
    assert.equal(await alice.getByRole('button', { name: /Add a service|Revoke/ }).count(), 0);
    await checkScreen(alice, 'members-owner');
  });

  test('sees in pictures how requests ended and how long answers took, as the server counts them', async () => {
    for (const page of [owner, await signIn('carol', 'en-GB').then(({ page }) => page)]) {
      const rows = (caption: string) =>
        page
          .locator('figure')
          .filter({ hasText: caption })
          .locator('tr')
          .evaluateAll((all) =>
            all.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent)),
          );
      await page.locator('tr[data-outcome=fraud]').waitFor();
      await page.reload();
      await page.locator('tr[data-outcome=fraud]').waitFor();
      await page.locator('figure').filter({ hasText: 'Time to answer' }).waitFor();
      const counted = Object.fromEntries(await rows('Requests by outcome'));
      assert.equal(counted['“wasn’t me”'], '1');
      assert.ok(Number(counted.answered) >= 2, 'the signed confirmation, and a sign-in');
      const answers = await rows('Time to answer');
      const all = answers.reduce((sum, [, n]) => sum + Number(n), 0);
      assert.equal(all, Number(counted.answered) + 1);
      await page.locator('figure').filter({ hasText: 'Time to answer' }).scrollIntoViewIfNeeded();
      await picture(page, 'members-asked');
    }
  });
});

describe('an auditor', () => {
  let carol: Page;
  test('signs in in German, by accepting on the command line', async () => {
    const { page, said } = await signIn('carol', 'de-DE');
    assert.match(said, /Anmelden an der Konsole von bank@example\.com\?/);
    assert.match(await page.getByTestId('seat').innerText(), /^carol@example\.com, Prüfer, angemeldet bis /);
    carol = page;
  });

  test('reads history and members, and has nothing that makes or changes anything', async () => {
    await carol.getByLabel('Suchen').fill('made by bob');
    await carol.getByRole('cell', { name: 'made by bob' }).waitFor();
    await carol.getByRole('row').filter({ hasText: 'alice@example.com' }).waitFor();
    await carol.locator('tr[data-outcome=fraud]').waitFor();
    assert.deepEqual(await outcomesIn(carol), ['fraud', 'answered']);
    await carol.getByTestId('profile').locator('summary').click();
    await carol.getByTestId('profile').getByText('Your bank, since 1888').waitFor();
    for (const name of [
      'Sitzung beginnen',
      'Mitglied aufnehmen',
      'Entfernen',
      'Speichern',
      'Unterschreiben',
    ]) {
      assert.equal(await carol.getByRole('button', { name }).count(), 0, name);
    }
    const coming = carol.waitForEvent('download');
    await carol.getByRole('button', { name: /JSON/ }).click();
    const path = join(world.folder, 'audited');
    await (await coming).saveAs(path);
    await command('unused', 'session', 'verify-history', path);
    await checkScreen(carol, 'members-auditor');
  });

  test('signs out, and is out', async () => {
    await carol.getByRole('button', { name: 'Abmelden' }).click();
    await carol.getByRole('button', { name: 'Anmelden', exact: true }).waitFor();
    await carol.reload();
    await carol.getByRole('button', { name: 'Anmelden', exact: true }).waitFor();
    assert.equal(await carol.getByTestId('seat').count(), 0);
  });
});
