/**
 * An organisation's profile and services, in real browsers: its people in the console, others on its public page, a
 * customer with a session's link, a person who is asked, and a service on the command line.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readOrganisation, recommend, systemClock } from '@countersign/client';
import { decodeBase64url, PICTURE_PIXELS } from '@countersign/core';
import type { Page } from 'playwright-core';
import { createAuthenticatorWorld, pastGuard } from './authenticator-world.ts';
import { openPage, picture, type Watched } from './chromium.ts';
import { type DomainsWorld, startDomains } from './domains-world.ts';
import { makeParty, type Party } from './parties.ts';
import { countersign, temporaryFolder } from './processes.ts';
import { checkScreen } from './screens.ts';

const BANK = 'help@bank.example';
const DOMAIN = 'bank.example';
const WIDE = { width: 1000, height: 1100 };
const PHONE = { width: 390, height: 780 };
/** For a command line on a busy machine, which stretches its passphrase each time. */
const SLOW = 60_000;

let domains: DomainsWorld;
const world = createAuthenticatorWorld([], async () => {
  domains = await startDomains([DOMAIN]);
  return { domainLookup: domains.lookup };
});

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let office: Page;
let chamber: Party;
const watched: Watched[] = [];

async function open(path: string, size = PHONE): Promise<Page> {
  const one = await openPage(world.browser, path.startsWith('/') ? world.home.origin + path : path, size);
  watched.push(one);
  return one.page;
}

const profileOf = () => readOrganisation(chamber.device.session, BANK);
const summary = () => office.getByText(/^Organisation profile/);
const row = (by: string) => office.locator(`[data-domain="${DOMAIN} ${by}"]`);

async function speak(page: Page, language: string): Promise<void> {
  await page.evaluate((chosen) => localStorage.setItem('language', chosen), language);
  await page.reload();
}

/** A broker that is asked too often looks a little later. */
async function lookUntil(by: string, outcome: string): Promise<void> {
  // One look in ten seconds, and a busy machine may be late for one.
  for (let i = 0; i < 60; i++) {
    await office.getByRole('button', { name: 'Look now' }).click();
    await office.waitForTimeout(1000);
    if ((await row(by).getAttribute('data-outcome')) === outcome) return;
  }
  assert.fail(`${by} is not ${outcome}`);
}

/** A JPEG with a comment in it. */
async function photo(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(600, 300);
    const context = canvas.getContext('2d')!;
    context.fillStyle = '#0b5bd3';
    context.fillRect(0, 0, 600, 300);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  });
  const jpeg = Buffer.from(base64, 'base64');
  const words = Buffer.from('taken at home');
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, words.length + 2]), words]);
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]);
}

describe('a profile', () => {
  before(async () => {
    folder = await temporaryFolder();
    domains.zone.addresses = { [DOMAIN]: ['127.0.0.1'] };
    await domains.publish();
    chamber = await makeParty(world.home.origin, 'office@chamber.example', systemClock);
    office = await open('/console', WIDE);
    await office.getByLabel(/^Account, like/).fill(BANK);
    await office.getByRole('button', { name: 'Make the account' }).click();
    await office.getByRole('heading', { name: 'Auth sessions' }).waitFor();
  });
  after(async () => {
    for (const { page } of watched) await page.context().close();
    await domains?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  describe('the organisation’s people', () => {
    test('say who they are, with a picture of which nothing but 96 by 96 pixels leaves the browser', async () => {
      await office.getByLabel('Display name').fill('Bank of Examples');
      await office.getByLabel('Description').fill('Your bank, since 1888');
      await office.getByLabel('Country, as two letters').fill('de');
      await office.getByLabel('Size of the team').fill('12');
      await office.getByLabel('Picture', { exact: true }).setInputFiles({
        name: 'logo.svg',
        mimeType: 'image/svg+xml',
        buffer: Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><title>made by somebody</title><rect width="600" height="300" fill="#0b5bd3"/></svg>',
        ),
      });
      // An SVG is no picture that a browser decodes for a canvas.
      await office.getByText('This browser cannot read that picture.').waitFor();
      await office.getByLabel('Picture', { exact: true }).setInputFiles({
        name: 'photo.jpg',
        mimeType: 'image/jpeg',
        buffer: await photo(office),
      });
      await office.getByTestId('picture').waitFor();
      await office.getByRole('button', { name: 'Save' }).click();
      await office.getByText('Saved.').waitFor();
      const { known } = await profileOf();
      assert.deepEqual(
        [known!.card.name, known!.card.country, known!.card.team],
        ['Bank of Examples', 'DE', 12],
      );
      const kept = decodeBase64url((await chamber.device.session.api.readPicture(BANK))!);
      const view = new DataView(kept.buffer);
      assert.deepEqual(
        [view.getUint32(16), view.getUint32(20)],
        [PICTURE_PIXELS.usual, PICTURE_PIXELS.usual],
      );
      assert.ok(!Buffer.from(kept).includes('taken at home'), 'what the file said besides is gone');
    });

    test('are told what no domain is, and how to prove one, and see when it was looked at', async () => {
      if (!(await office.getByLabel('Display name').isVisible())) await summary().click();
      const field = office.getByLabel('Domains, one on each line');
      await field.fill('localhost');
      await office.getByRole('button', { name: 'Save' }).click();
      await office.getByText('Not a domain: localhost').waitFor();
      await field.fill(`${DOMAIN}\n`);
      await office.getByRole('button', { name: 'Save' }).click();
      await office.getByText(`_countersign.${DOMAIN}`).waitFor();
      await office.getByText(`https://${DOMAIN}/.well-known/countersign-accounts`).waitFor();
      const text = await office.getByTestId('domain-text').inputValue();
      domains.zone.texts[`_countersign.${DOMAIN}`] = [text];
      domains.answer = (_call, reply) => void reply.end(`${text}\n`);
      await domains.publish();
      await lookUntil('dns', 'proven');
      await lookUntil('well-known', 'proven');
      assert.doesNotMatch(await row('dns').innerText(), /never/);
      await office.reload();
      await summary().click();
      await row('dns').and(office.locator('[data-outcome=proven]')).waitFor();
      await office.getByTestId('picture').waitFor();
      await checkScreen(office, 'console-profile');
      assert.equal((await profileOf()).known!.domains.length, 2);
    });

    test('choose by keyboard whose recommendation is shown; it goes when it is taken back', async () => {
      await recommend(chamber.device.session, BANK, { recommends: true, text: 'A member since 1901' });
      assert.equal((await profileOf()).offered.length, 1);
      assert.equal((await profileOf()).recommendations.length, 0, 'nobody’s praise is forced on it');
      await office.reload();
      await summary().click();
      const box = office.getByRole('checkbox', { name: /Show office@chamber\.example/ });
      await box.and(office.locator(':enabled')).waitFor();
      await box.focus();
      await office.keyboard.press('Space');
      await office.waitForFunction(() =>
        [...document.querySelectorAll('fieldset input[type=checkbox]')].some(
          (one) => (one as HTMLInputElement).checked && !(one as HTMLInputElement).disabled,
        ),
      );
      const [shown] = (await profileOf()).recommendations;
      assert.deepEqual([shown!.iss, shown!.text], ['office@chamber.example', 'A member since 1901']);
      assert.equal((await profileOf()).known!.card.team, 12, 'the rest of the card stays');
      await office.getByLabel('Account of another organisation').fill('office@chamber.example');
      await office.getByRole('button', { name: 'Recommend', exact: true }).press('Enter');
      const back = office.getByRole('button', { name: 'Take back: office@chamber.example' });
      await back.waitFor();
      const { offered } = await readOrganisation(chamber.device.session, chamber.name);
      assert.deepEqual(
        offered.map(({ iss }) => iss),
        [BANK],
      );
      await back.press('Enter');
      await back.waitFor({ state: 'detached' });
      assert.equal((await readOrganisation(chamber.device.session, chamber.name)).offered.length, 0);
    });
  });

  describe('others', () => {
    test('see on its public page what it says, what was found, and who stands by it', async () => {
      const page = await open(`/o/${BANK}`);
      await page.getByRole('heading', { name: 'Bank of Examples' }).waitFor();
      await page.getByText(`Verified domain: ${DOMAIN}`).waitFor();
      await page.getByText(/in its DNS, last seen on/).waitFor();
      await page.getByText(/on its web server, last seen on/).waitFor();
      await page.getByRole('link', { name: 'office@chamber.example' }).waitFor();
      await page.getByText('12 people, as the organisation says itself.').waitFor();
      assert.equal(await page.locator('img').count(), 1);
      await checkScreen(page, 'profile');
      await speak(page, 'de');
      await page.getByText(`Bestätigte Domain: ${DOMAIN}`).waitFor();
      await page.getByText('12 Personen, nach eigener Angabe der Organisation.').waitFor();
      await picture(page, 'profile-de');
    });

    test('look at its domains for themselves on the command line, and are told of one that names it no more', async () => {
      await countersign(join(folder.path, 'visitor'), [
        ...['account', 'create', 'visitor@example.com', '--broker', world.home.origin],
      ]);
      const look = () => {
        const dns = domains.lookup.servers![0]!;
        return countersign(join(folder.path, 'visitor'), [
          'organisation',
          'show',
          BANK,
          '--look',
          '--dns',
          dns,
        ]);
      };
      const seen = await look();
      assert.equal(seen.status, 0, seen.stderr);
      assert.match(seen.stdout, /domain +bank\.example, by dns: the broker found it/);
      assert.match(seen.stdout, /seen here +bank\.example, by dns: names this account/);
      const texts = domains.zone.texts;
      domains.zone.texts = {};
      await domains.publish();
      const gone = await look();
      assert.equal(gone.status, 8);
      assert.match(gone.stdout, /seen here +bank\.example, by dns: does not name this account/);
      domains.zone.texts = texts;
      await domains.publish();
    });

    test('are warned of a card that the server altered, and of another account under the link', async () => {
      const page = await open('/console');
      await page.route('**/profile', async (route) => {
        const answer = await route.fetch();
        const body = (await answer.json()) as { card: string };
        const [head, payload, signature] = body.card.split('.');
        const altered = Buffer.from(payload!, 'base64url').toString().replace('Examples', 'Ex4mples');
        const card = [head, Buffer.from(altered).toString('base64url'), signature].join('.');
        await route.fulfill({ response: answer, json: { ...body, card } });
      });
      await page.goto(`${world.home.origin}/o/${BANK}`);
      await page
        .getByRole('alert')
        .getByText(/do not trust it/)
        .waitFor();
      const other = await open(`/o/${BANK}#o=${chamber.device.session.keys.identity}`);
      await other
        .getByRole('alert')
        .getByText(/do not trust it/)
        .waitFor();
      const nobody = await open('/o/nobody@bank.example');
      await nobody
        .getByRole('alert')
        .getByText(/no such account/)
        .waitFor();
    });

    test('are shown no picture but the one that the card names', async () => {
      const page = await open('/console');
      await page.route('**/picture', async (route) => {
        const answer = await route.fetch();
        const { picture: text } = (await answer.json()) as { picture: string };
        const bytes = Buffer.from(text, 'base64url');
        bytes[60]! ^= 1;
        await route.fulfill({ response: answer, json: { picture: bytes.toString('base64url') } });
      });
      await page.goto(`${world.home.origin}/o/${BANK}`);
      await page.getByText(`Verified domain: ${DOMAIN}`).waitFor();
      assert.equal(await page.locator('img').count(), 0);
    });

    test('see the verified domain and the picture above the fields of a session, and a link to the rest', async () => {
      await office.getByLabel('Template').selectOption({ label: 'Phone number' });
      await office.getByLabel(/^Expected value/).fill('1234567');
      await office.getByRole('button', { name: 'Start session' }).click();
      const customer = await open(await office.getByTestId('link').inputValue());
      await customer.getByText(`Verified domain: ${DOMAIN}`).waitFor();
      assert.equal(
        await customer.getByText('Verified domain').count(),
        1,
        'found in two ways, and shown once',
      );
      await customer.locator('img.logo').waitFor();
      await customer.getByRole('link', { name: 'More about this organisation' }).waitFor();
      await checkScreen(customer, 'session-card');
      await office.getByRole('button', { name: 'Delete' }).click();
      await office.getByTestId('where').getByText(/over/).waitFor();
      await office.getByRole('button', { name: 'Close' }).click();
      const { counts } = await chamber.device.session.api.readProfile(BANK);
      assert.equal(counts?.authenticated, 0);
      const { counts: person } = await chamber.device.session.api.readProfile(chamber.name);
      assert.equal(person, undefined, 'what people do is not counted for others');
    });
  });

  describe('a service', () => {
    const service = (name: string) => join(folder.path, name);
    const run = (name: string, ...words: string[]) => countersign(service(name), words);

    /** Lets a new key in, by the command that the console shows. */
    async function letIn(name: string): Promise<void> {
      const shown = await office.getByTestId('service-command').inputValue();
      const link = /'(.+)'/.exec(shown)![1]!;
      const coming = run(name, 'device', 'request', link, '--device', name);
      const admit = office.getByRole('button', { name: `Let ${name} in` });
      await admit.waitFor({ timeout: SLOW });
      await admit.press('Enter');
      const { status, stderr } = await coming;
      assert.equal(status, 0, stderr);
      await office.locator(`[data-service="${name}"]`).waitFor();
    }

    test('gets a key of its own by the console, which may ask and nothing else', async () => {
      await office.getByRole('button', { name: 'Add a service' }).press('Enter');
      await office.getByTestId('service-command').waitFor();
      await picture(office, 'console-service-way');
      await letIn('shop');
      const { stdout } = await run('shop', 'device', 'list', '--json');
      const { devices } = JSON.parse(stdout) as { devices: { name: string; rights: string[] }[] };
      assert.deepEqual(devices.find(({ name }) => name === 'shop')!.rights, ['ask']);
    });

    test('asks; the person sees the verified domain, and the console what became of it', async () => {
      const { page, name } = await world.person('alice');
      const text = await officeLink();
      await page.goto(`${world.home.origin}/#people`);
      await page.getByLabel(/^Their link/).fill(text);
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      await page.getByText(`${BANK} may ask you.`).waitFor();
      await page.getByText(`Verified domain: ${DOMAIN}`).waitFor();
      await page.goto(`${world.home.origin}/#`);
      const ask = (question: string) =>
        run('shop', 'confirm', 'post', name, question, '--kind', 'payment', '--wait');

      /** The question on the screen; where it does not come, the command line says why. */
      const asked = async (question: string) => {
        const asking = ask(question);
        const shown = page.getByText(question).waitFor({ timeout: SLOW });
        const ended = asking.then(({ stdout, stderr }) => assert.fail(`${stdout}${stderr}`));
        ended.catch(() => {});
        await Promise.race([shown, ended]);
        await pastGuard(page);
        return { status: async () => (await asking).status };
      };

      const accepted = await asked('Pay 10 EUR?');
      await page.getByRole('heading', { name: `${BANK} asks` }).waitFor();
      await page.getByText(`Verified domain: ${DOMAIN}`).waitFor();
      await page.getByText(/Calls itself Bank of Examples/).waitFor();
      await checkScreen(page, 'question-domain');
      await page.getByRole('button', { name: 'Accept' }).click();
      assert.equal(await accepted.status(), 0);
      const refused = await asked('Pay 20 EUR?');
      await page.getByRole('button', { name: 'Reject' }).click();
      assert.equal(await refused.status(), 1);
      const fraud = await asked('Pay 30 EUR?');
      await page.getByRole('button', { name: 'This wasn’t me' }).click();
      assert.equal(await fraud.status(), 1);
      await page
        .getByTestId('said')
        .getByText(/reported as fraud/)
        .waitFor();

      const outcomes = async () =>
        office
          .locator('tr[data-outcome]')
          .evaluateAll((rows) =>
            rows
              .filter((one) => !one.hasAttribute('data-domain'))
              .map((one) => one.getAttribute('data-outcome')),
          );
      await office.getByRole('button', { name: 'Read again' }).click();
      await office.locator('tr[data-outcome=fraud]').waitFor();
      assert.deepEqual(await outcomes(), ['fraud', 'rejected', 'accepted']);
      assert.match(
        await office.locator('tr[data-outcome=fraud]').innerText(),
        /shop[\s\S]*alice[\s\S]*reported/,
      );
      await office.locator('select[name=asked-filter]').selectOption('rejected');
      assert.deepEqual(await outcomes(), ['rejected']);
      await office.locator('select[name=asked-filter]').selectOption('all');
      await office.locator('tr[data-outcome=fraud]').scrollIntoViewIfNeeded();
      await checkScreen(office, 'console-services');
    });

    test('gets a new key while the old one goes on; the old one, once revoked, asks nothing more', async () => {
      await office.getByRole('button', { name: 'Rotate the key of shop' }).press('Enter');
      await office.getByText(/The old one goes on until you revoke it/).waitFor();
      await letIn('shop-new');
      await office.getByText(/Once the service uses it, revoke the old key of shop/).waitFor();
      assert.equal((await run('shop', 'device', 'list')).status, 0);
      await office.getByRole('button', { name: 'Revoke the key of shop', exact: true }).press('Enter');
      await office.getByRole('button', { name: 'Stolen or lost' }).press('Enter');
      await office.locator('[data-service="shop"]').waitFor({ state: 'detached' });
      const { stderr, status } = await run(
        'shop',
        'confirm',
        'post',
        'office@chamber.example',
        'Still there?',
      );
      assert.notEqual(status, 0);
      assert.match(stderr, /revoked|shown out/);
    });

    test('is looked after in German too', async () => {
      await speak(office, 'de');
      await office.getByRole('heading', { name: 'Dienste' }).waitFor();
      await office.getByRole('cell', { name: /Das war nicht ich/ }).waitFor();
      await office.getByRole('button', { name: 'Schlüssel von shop-new erneuern' }).waitFor();
      await picture(office, 'console-services-de');
      await speak(office, 'en');
    });

    async function officeLink(): Promise<string> {
      if (!(await office.getByTestId('domain-text').isVisible())) await summary().click();
      return office.getByTestId('domain-text').inputValue();
    }
  });

  test('no page failed', () => {
    assert.deepEqual(
      watched.flatMap(({ failures }) => failures),
      [],
    );
  });
});
