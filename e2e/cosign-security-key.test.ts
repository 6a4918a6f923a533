import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { formatAccountLink } from '@countersign/core';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { signText } from '../packages/graphene/src/challenge.ts';
import type { RunningProvider } from '../packages/graphene/src/provider/provider.ts';
import { securityKeyWay } from '../packages/graphene/src/provider/security-key.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { openPage, startChromium } from './chromium.ts';
import { createCosignWorld, type Member } from './cosign-world.ts';
import { freePort } from './free-port.ts';
import { refused } from './parties.ts';
import { checkScreen } from './screens.ts';

const world = createCosignWorld();
let provider: RunningProvider;
let api: ProviderApi;
let browser: Browser;

before(async () => {
  const port = await freePort();
  provider = await world.provider('sfactor', [securityKeyWay(`http://localhost:${port}`)], port);
  api = new ProviderApi(provider.origin);
  browser = await startChromium();
});
after(() => browser?.close());

async function begin(
  { name, keys, party }: Member,
  { fresh = false, key = keys.active } = {},
): Promise<{ registration: string; page: string }> {
  await world.meet(party, provider);
  const addresses: Record<string, string> = fresh ? { 'security-key': 'new' } : {};
  const begun = await api.begin(name, formatAccountLink(party.device.session.keys), addresses);
  const proving = await api.prove(begun.registration, signText(begun.challenge!, key));
  assert.equal(proving.state, 'proving');
  assert.deepEqual(proving.codes, []);
  return { registration: begun.registration, page: proving.page! };
}

interface Fob {
  readonly page: Page;
  readonly failures: string[];
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
}

/** A browser with a security key in it, opened at a page. */
async function withKey(url: string): Promise<Fob> {
  const { page, failures } = await openPage(browser, url, { width: 700, height: 500 });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'usb', automaticPresenceSimulation: true },
  });
  return { page, failures, cdp, authenticatorId };
}

async function use({ page }: Fob, url?: string): Promise<void> {
  if (url !== undefined) await page.goto(url);
  await page.getByRole('button', { name: 'Use the security key' }).click();
}

const done = ({ page }: Fob) => page.getByRole('status').getByText('Done.').waitFor();
const failed = ({ page }: Fob, words: string) => page.getByRole('alert').getByText(words).waitFor();

/** Uses the key, and says yes on the device. */
async function register(alice: Member, fob: Fob, how: Parameters<typeof begin>[1] = {}): Promise<string> {
  const { registration, page } = await begin(alice, how);
  await use(fob, page);
  await done(fob);
  await world.answer(alice.party, 'accept');
  return (await api.registration(registration)).state;
}

describe('registering with a security key', () => {
  test('makes it known, asks the device, and asks for the same key ever after', async () => {
    const alice = await world.member('alice');
    const { registration, page } = await begin(alice);
    const fob = await withKey(page);
    await fob.page.getByText(`sign for ${alice.name}`).waitFor();
    await checkScreen(fob.page, 'security-key');
    await use(fob);
    await done(fob);
    await checkScreen(fob.page, 'security-key-done');
    assert.equal((await alice.party.device.pending()).requests.length, 1);
    await world.answer(alice.party, 'accept');
    assert.equal((await api.registration(registration)).state, 'registered');

    assert.equal(await register(alice, fob), 'registered');
    const kept = provider.context.store.all('security_keys', { account_id: alice.id });
    assert.equal(kept.length, 1);
    assert.ok(kept[0]!.counter > 1);
    assert.deepEqual(fob.failures, []);
    await fob.page.context().close();
  });

  test('without the key asks no device', async () => {
    const alice = await world.member('alice');
    const fob = await withKey('about:blank');
    assert.equal(await register(alice, fob), 'registered');
    const { page } = await begin(alice);
    const another = await withKey(page);
    await use(another);
    await failed(another, 'got no answer of a security key');
    await checkScreen(another.page, 'security-key-failed');
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    for (const { page } of [fob, another]) await page.context().close();
  });

  test('takes another key only by the account’s owner, and the old one no more', async () => {
    const alice = await world.member('alice');
    const [old, fresh] = [await withKey('about:blank'), await withKey('about:blank')];
    assert.equal(await register(alice, old), 'registered');
    await assert.rejects(begin(alice, { fresh: true }), refused('authority-missing'));
    const byOwner = { fresh: true, key: alice.keys.owner };
    assert.equal(await register(alice, fresh, byOwner), 'registered');
    const { page } = await begin(alice);
    await use(old, page);
    await failed(old, 'got no answer of a security key');
    await use(fresh, page);
    await done(fresh);
    await world.answer(alice.party, 'reject');
    for (const { page } of [old, fresh]) await page.context().close();
  });

  test('an answer counts for one registration, and there once', async () => {
    const alice = await world.member('alice');
    const fob = await withKey('about:blank');
    assert.equal(await register(alice, fob), 'registered');
    const first = await begin(alice);
    const posted = fob.page.waitForRequest((call) => call.method() === 'POST');
    await use(fob, first.page);
    await done(fob);
    const answer = (await posted).postData()!;
    const give = async (registration: string) => {
      const response = await fetch(`${provider.origin}/v1/registrations/${registration}/security-key`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: answer,
      });
      const { code } = (await response.json()) as { code?: string };
      return [response.status, code];
    };
    assert.deepEqual(await give(first.registration), [409, 'cosign-conflict']);
    await world.answer(alice.party, 'reject');
    const second = await begin(alice);
    for (let tries = 0; tries < 5; tries++) {
      assert.deepEqual(await give(second.registration), [403, 'signature-invalid']);
    }
    assert.deepEqual(await give(second.registration), [429, 'passcode-locked']);
    await fob.page.context().close();
  });

  test('a copy of the key that is behind the key is refused', async () => {
    const alice = await world.member('alice');
    const fob = await withKey('about:blank');
    assert.equal(await register(alice, fob), 'registered');
    const { cdp, authenticatorId } = fob;
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    assert.equal(await register(alice, fob), 'registered');
    const { page } = await begin(alice);
    const copy = await withKey(page);
    await copy.cdp.send('WebAuthn.addCredential', {
      authenticatorId: copy.authenticatorId,
      credential: { ...credentials[0]!, signCount: 1, rpId: 'localhost' },
    });
    await use(copy);
    await failed(copy, 'does not verify');
    for (const { page } of [fob, copy]) await page.context().close();
  });

  test('a page of a registration that is over, or that there never was, does nothing', async () => {
    for (const id of ['A'.repeat(22), 'nonsense']) {
      const { page } = await openPage(browser, `${provider.origin}/security-key/${id}`);
      await page.getByText('Nothing is to be done here.').waitFor();
      assert.equal(await page.getByRole('button').count(), 0);
      await page.context().close();
    }
    const alice = await world.member('alice');
    const { registration, page } = await begin(alice);
    world.clock.offset += 601;
    assert.equal((await api.registration(registration)).state, 'expired');
    const opened = await openPage(browser, page);
    await opened.page.getByRole('alert').getByText('its time is over').waitFor();
    await opened.page.context().close();
  });
});

test('the page runs its own script and nothing else, and nobody frames it', async () => {
  const answer = await fetch(`${provider.origin}/security-key/${'A'.repeat(22)}`);
  const policy = answer.headers.get('content-security-policy')!;
  assert.match(policy, /default-src 'none'; script-src 'self'; /);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
});

test('security keys are for names, over https: or on this machine alone', () => {
  for (const origin of ['http://127.0.0.1:8440', 'http://secondfactor.example', 'https://[::1]']) {
    assert.throws(() => securityKeyWay(origin), refused('usage'));
  }
  securityKeyWay('https://secondfactor.example');
});
