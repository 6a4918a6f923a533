/**
 * The organisation's console in a real browser, with a customer in another: a reload in the middle, the history and
 * its files, and a link of a program.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { closeDialog, picture } from './chromium.ts';
import { createConsoleWorld } from './console-world.ts';
import { countersign } from './processes.ts';
import { until } from './until.ts';

const NUMBER = '+49 30 1234567';
const PHONE = { width: 390, height: 760 };

const world = createConsoleWorld();
let agent: Page;

before(async () => {
  await world.ready();
  agent = await world.office();
});

const open = (path: string, size = PHONE) => world.open(path, size);

/** Starts a session for a phone number. @returns its link */
async function start(subject: string): Promise<string> {
  await agent.getByLabel('Template').selectOption({ label: 'Phone number' });
  await agent.getByLabel(/^Expected value/).fill(NUMBER);
  await agent.getByLabel('Subject').fill(subject);
  await agent.getByRole('button', { name: 'Start session' }).click();
  return agent.getByTestId('link').inputValue();
}

async function fill(page: Page, value: string): Promise<void> {
  await page.getByLabel('Phone number').fill(value);
  await page.getByRole('button', { name: 'Check' }).click();
}

const where = (text: RegExp) => agent.getByTestId('where').getByText(text).waitFor();

async function end(): Promise<void> {
  await agent.getByRole('button', { name: 'Delete' }).click();
  await where(/over/);
  await closeDialog(agent);
}

describe('the agent’s page', () => {
  test('is loaded anew before and after the match, and loses no session', async () => {
    const link = await start('reloaded');
    await agent.reload();
    assert.equal(await agent.getByTestId('link').inputValue(), link, 'the same session stands again');
    const customer = await open(link);
    await customer.getByRole('button', { name: 'Continue' }).click();
    await fill(customer, '(+49) 30 123 45 67');
    const passcode = await customer.getByTestId('passcode').innerText();
    await where(/sees their passcode/);
    await agent.reload();
    await where(/sees their passcode/);
    await agent.getByRole('button', { name: 'Reveal passcode' }).click();
    assert.equal(await agent.getByTestId('passcode').innerText(), passcode);
    await end();
    await agent.reload();
    await agent.getByRole('heading', { name: 'Auth sessions' }).waitFor();
    assert.equal(await agent.getByRole('dialog').count(), 0, 'what is over does not come back');
  });

  test('keeps nothing in the tab that can be read', async () => {
    await start('sealed');
    const kept = await agent.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }));
    assert.ok(kept.includes('box'));
    for (const secret of [NUMBER, '1234567', btoa(NUMBER)]) assert.ok(!kept.includes(secret));
    await end();
    assert.equal(await agent.evaluate(() => sessionStorage.length), 0);
  });

  test('that is doubled leaves the session to the first', async () => {
    await start('doubled');
    const kept = await agent.evaluate(() => ({ ...sessionStorage }));
    const twin = await agent.context().newPage();
    await twin.goto(`${world.origin}/console`);
    await twin.evaluate((items) => {
      for (const [name, value] of Object.entries(items)) sessionStorage.setItem(name, value);
    }, kept);
    await twin.reload();
    await twin.waitForFunction(() => sessionStorage.length === 0);
    assert.equal(await twin.getByRole('dialog').count(), 0);
    await twin.close();
    await agent.reload();
    await where(/not been opened/);
    await end();
  });

  test('is away: the customer reads that they wait, with the time that is left, and goes on by themselves', async () => {
    const link = await start('away');
    const customer = await open(link);
    await customer.getByRole('button', { name: 'Continue' }).click();
    await agent.goto('about:blank');
    await fill(customer, NUMBER);
    await customer.getByText('Waiting for the organisation').waitFor();
    assert.match(await customer.getByText(/left$/).innerText(), /^\d:\d\d left$/);
    await picture(customer, 'console-away');
    await agent.goto(`${world.origin}/console`);
    await customer.getByTestId('passcode').waitFor();
    await where(/sees their passcode/);
    await end();
    // The row is there from the beginning, and read anew after the end.
    await agent
      .getByRole('row')
      .filter({ hasText: /the organisation was away/ })
      .first()
      .waitFor();
  });
});

describe('the history', () => {
  test('is filtered, and exported as a table and as lines that a command checks', async () => {
    const all = await agent.getByRole('row').count();
    await agent.getByLabel('Find').fill('sealed');
    await agent.getByRole('cell', { name: 'sealed' }).waitFor();
    await until(async () => (await agent.getByRole('row').count()) < all);
    const csv = await save('Export as CSV');
    assert.match(csv.text, /^"Created","By",.*\r\n.*"sealed".*"CPace".*\r\n$/);
    await agent.getByLabel('Find').fill('');
    await agent.getByLabel('Outcome').selectOption('authenticated');
    await agent.getByRole('cell', { name: 'sealed' }).waitFor({ state: 'detached' });
    await picture(agent, 'console-history');
    await agent.getByLabel('Outcome').selectOption('');
    const lines = await save('Export as JSON lines');
    assert.ok(!lines.text.includes('1234567'));
    const { status, stdout } = await countersign('unused', ['session', 'verify-history', lines.path]);
    assert.equal(status, 0);
    const head = await agent.locator('code').innerText();
    assert.ok(stdout.includes(head), 'the console shows the hash that the command finds');
  });

  test('is drawn from what is in it, and read aloud as tables', async () => {
    const figures = (name: string) => agent.getByRole('figure').filter({ hasText: name });
    const rows = async (name: string) =>
      (await figures(name).getByRole('row').allInnerTexts()).map((row) => row.split('\t'));
    const outcomes = new Map(
      (await rows('Sessions by outcome')).map(([label, count]) => [label, Number(count)]),
    );
    // Two were seen by their customers and two were not, and all were deleted then.
    assert.deepEqual([outcomes.get('authenticated'), outcomes.get('deleted')], [2, 2]);
    const days = await rows('Sessions per day');
    assert.equal(days.length, 14);
    assert.equal(
      Number(days.at(-1)![1]) + Number(days.at(-2)![1]),
      4,
      'all of today, or of a midnight between',
    );
    const times = await rows('Time until the passcode was seen');
    assert.equal(
      times.reduce((sum, [, count]) => sum + Number(count), 0),
      2,
    );
    await figures('Sessions per day').scrollIntoViewIfNeeded();
    await picture(agent, 'console-charts');
  });

  test('that the server rewrote is refused by the browser that saw it', async () => {
    await agent.route('**/session-history*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace('sealed', 'sea1ed') });
    });
    await agent.reload();
    await agent
      .getByRole('alert')
      .getByText(/history is not good/)
      .waitFor();
    await agent.unroute('**/session-history*');
    await agent.reload();
    await agent.getByRole('cell', { name: 'sealed' }).waitFor();
  });
});

async function save(button: string): Promise<{ path: string; text: string }> {
  const coming = agent.waitForEvent('download');
  await agent.getByRole('button', { name: button }).click();
  const path = join(world.folder, 'saved');
  await (await coming).saveAs(path);
  return { path, text: readFileSync(path, 'utf8') };
}

describe('a link of a program', () => {
  async function made() {
    const profile = join(world.folder, 'program');
    await countersign(profile, ['account', 'create', 'robot@bank.example', '--broker', world.origin]);
    const link = Promise.withResolvers<string>();
    const over = countersign(
      profile,
      ['session', 'create', '--field', 'Phone number:number', '--for', '60s'],
      {
        input: `${NUMBER}\n`,
        onOutput: (text) => text.startsWith('http') && link.resolve(text.split('\n')[0]!),
      },
    );
    return { link: await link.promise, over };
  }

  test('says that it is weaker, takes a second try, and shows the passcode that the program shows', async () => {
    const { link, over } = await made();
    const customer = await open(link);
    await customer.getByRole('button', { name: 'Continue' }).click();
    await customer.getByText(/which is weaker/).waitFor();
    await fill(customer, '47');
    await customer.getByRole('heading', { name: 'Invalid session' }).waitFor();
    await customer.getByRole('button', { name: 'Try again' }).click();
    await fill(customer, NUMBER);
    const passcode = await customer.getByTestId('passcode').innerText();
    await picture(customer, 'console-digest');
    assert.ok((await over).stdout.includes(passcode));
  });

  test('of two pages gives a server that asks for a digest nothing', async () => {
    const link = await start('downgraded');
    const customer = await open(link);
    const sent: string[] = [];
    customer.on('request', (request) => sent.push(request.url()));
    await customer.route('**/v1/sessions/open', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { session: string };
      const [head, payload, signature] = body.session.split('.');
      const weaker = {
        ...JSON.parse(Buffer.from(payload!, 'base64url').toString()),
        commitment: 'A'.repeat(43),
      };
      const session = [head, Buffer.from(JSON.stringify(weaker)).toString('base64url'), signature].join('.');
      await route.fulfill({ response: answer, json: { ...body, session } });
    });
    await customer.getByRole('button', { name: 'Continue' }).click();
    await customer.getByRole('heading', { name: 'Invalid session' }).waitFor();
    assert.ok(!sent.some((url) => url.endsWith('/digest')));
    await end();
  });
});

describe('a customer who has an account', () => {
  test('confirms on their device what it shows of the call, and both sides have a receipt', async () => {
    const alice = join(world.folder, 'alice');
    await countersign(alice, ['account', 'create', 'alice@bank.example', '--broker', world.origin]);
    await countersign(alice, ['contact', 'add', 'support@bank.example']);
    await agent.getByLabel('Customer’s account').fill('alice@bank.example');
    await agent.getByLabel('Agent’s name').fill('Ada Byron');
    await agent.getByLabel('Reason of the call').fill('A payment of yesterday');
    await picture(agent, 'console-two-way-form');
    await agent.getByRole('button', { name: 'Start session' }).click();
    await agent
      .getByTestId('two-way')
      .getByText(/Waiting for alice@bank\.example/)
      .waitFor();
    const listed = await countersign(alice, ['confirm', 'pending', '--json']);
    const { requests } = JSON.parse(listed.stdout) as { requests: { id: string }[] };
    const theirs = join(world.folder, 'theirs.json');
    const { stdout, stderr } = await countersign(alice, ['confirm', 'accept', requests[0]!.id, '--shown']);
    for (const shown of [
      'support@bank.example',
      'Ada Byron',
      'A payment of yesterday',
      'the organisation called',
    ]) {
      assert.ok((stdout + stderr).includes(shown), `${shown} in ${stdout}${stderr}`);
    }
    await agent
      .getByTestId('two-way')
      .getByText(/confirmed, with a signature/)
      .waitFor();
    await picture(agent, 'console-two-way');
    const ours = await save('Save the receipt');
    await countersign(alice, ['confirm', 'history', '--receipt', requests[0]!.id, '--out', theirs]);
    for (const receipt of [ours.path, theirs]) {
      const checked = await countersign('unused', ['receipt', 'verify', receipt]);
      assert.match(checked.stdout, /alice@bank\.example accepted/);
      assert.match(checked.stdout, /Ada Byron/);
    }
    await closeDialog(agent);
    await agent.getByLabel('Customer’s account').fill('');
  });

  /** Asks her again. @returns what her device is to answer */
  const askAgain = async (reason: string) => {
    const alice = join(world.folder, 'alice');
    await agent.getByLabel('Customer’s account').fill('alice@bank.example');
    await agent.getByLabel('Agent’s name').fill('Ada Byron');
    await agent.getByLabel('Reason of the call').fill(reason);
    await agent.getByRole('button', { name: 'Start session' }).click();
    await agent
      .getByTestId('two-way')
      .getByText(/Waiting/)
      .waitFor();
    const listed = await countersign(alice, ['confirm', 'pending', '--json']);
    const { id } = (JSON.parse(listed.stdout) as { requests: { id: string }[] }).requests[0]!;
    return (answer: string) => countersign(alice, ['confirm', answer, id, '--shown']);
  };
  const rows = () => agent.getByRole('row').filter({ hasText: 'Signed confirmation' });
  const outcomes = async (wanted: number) => {
    await rows()
      .nth(wanted - 1)
      .waitFor();
    return rows().evaluateAll((found) => found.map((row) => row.querySelectorAll('td')[8]!.textContent));
  };

  test('stands in the history: rejected, cancelled, and answered while nobody looked', async () => {
    const rejected = await askAgain('To be rejected');
    await agent
      .getByRole('row')
      .filter({ hasText: 'alice@bank.example' })
      .filter({ hasText: 'open' })
      .waitFor();
    await rejected('reject');
    await agent
      .getByTestId('two-way')
      .getByText(/rejected/)
      .waitFor();
    await closeDialog(agent);
    await agent.getByRole('cell', { name: 'rejected, signed' }).waitFor();
    await askAgain('To be cancelled');
    await closeDialog(agent);
    await agent.getByRole('cell', { name: 'cancelled', exact: true }).waitFor();
    const alone = await askAgain('To be accepted');
    await agent.goto('about:blank');
    await alone('accept');
    await agent.goto(`${world.origin}/console`);
    // The tab goes on with what stood in it.
    await agent
      .getByTestId('two-way')
      .getByText(/confirmed, with a signature/)
      .waitFor();
    await closeDialog(agent);
    await agent.getByRole('cell', { name: 'confirmed, signed' }).nth(1).waitFor();
    assert.deepEqual(await outcomes(4), [
      'confirmed, signed',
      'cancelled',
      'rejected, signed',
      'confirmed, signed',
    ]);
    await picture(agent, 'console-two-way-history');

    await agent.getByLabel('Outcome').selectOption('rejected');
    await until(async () => (await rows().count()) === 1);
    const table = readFileSync((await save('Export as CSV')).path, 'utf8');
    assert.match(table, /alice@bank\.example.*Signed confirmation.*"?rejected, signed/);
    await agent.getByLabel('Outcome').selectOption('');
    const lines = await save('Export as JSON lines');
    const text = readFileSync(lines.path, 'utf8');
    // Who was asked, and how it ended; never what for.
    assert.doesNotMatch(text, /To be|Ada Byron|payment of yesterday/);
    const checked = await countersign('unused', ['session', 'verify-history', lines.path]);
    assert.equal(checked.status, 0, checked.stderr);
    const altered = join(world.folder, 'altered-two-way.jsonl');
    writeFileSync(altered, text.replace('"outcome":"rejected"', '"outcome":"accepted"'));
    assert.equal((await countersign('unused', ['session', 'verify-history', altered])).status, 8);
  });
});
