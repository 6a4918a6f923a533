/**
 * Whose a domain is: a broker that looks at a real DNS server and a real web server, and people who read what it
 * found.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type KnownCard, readCard } from '@countersign/client';
import { createCard, DOMAIN_FILE, formatAccountLink, MAX_DOMAIN_FILE } from '@countersign/core';
import { type DomainsWorld, startDomains } from './domains-world.ts';
import { makeParty, type Party, refused, startTestBroker, type TestBroker, TestClock } from './parties.ts';
import { until } from './until.ts';

const DOMAIN = 'bank.example';
const HOUR = 3600;

const clock = new TestClock();
let domains: DomainsWorld;
let home: TestBroker;
let customer: Party;
let serial = 0;

before(async () => {
  domains = await startDomains([DOMAIN, 'shop.bank.example']);
  home = await startTestBroker(clock, { domainLookup: domains.lookup });
  customer = await makeParty(home.origin, 'customer@example.com', clock);
});
after(async () => {
  await home?.[Symbol.asyncDispose]();
  await domains?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  domains.zone.addresses = { [DOMAIN]: ['127.0.0.1'] };
  domains.zone.texts = {};
  domains.answer = (_call, reply) => void reply.writeHead(404).end();
  domains.calls.length = 0;
  await domains.publish();
});

async function publish(
  { device, clock: time }: Party,
  seq: number,
  claimed: readonly string[],
): Promise<void> {
  const { api, keys, crypto } = device.session;
  const card = {
    seq,
    name: 'Bank of Examples',
    description: 'Your bank',
    country: 'DE',
    domains: [...claimed],
  };
  const { jws } = await createCard(crypto, keys.signer, await device.session.ownLog(0), card, time.now());
  await api.publishCard(keys.name, jws);
}

/** An organisation that claims a domain. */
async function claiming(domain = DOMAIN): Promise<Party> {
  const bank = await makeParty(home.origin, `help${++serial}@bank.example`, clock);
  await publish(bank, 1, [domain]);
  return bank;
}

const linkOf = ({ device }: Party) => formatAccountLink(device.session.keys);
/** Whatever was seen a moment ago, the broker looks now. */
async function look({ device }: Party) {
  const { api, keys } = device.session;
  clock.offset += 11;
  const rows = await api.listDomains(keys.signer, keys.name, true);
  return Object.fromEntries(rows.map(({ by, outcome }) => [by, outcome]));
}
const seen = async (bank: Party): Promise<string[]> =>
  (await known(bank))!.domains.map(({ domain, by }) => `${domain} ${by}`);
function known({ name, device }: Party): Promise<KnownCard | undefined> {
  return readCard(customer.device.session, name, device.session.keys.identity);
}

describe('a domain', () => {
  test('that names the account in a TXT record is shown to those who are asked, with the time of the look', async () => {
    const bank = await claiming();
    assert.deepEqual(await seen(bank), []);
    domains.zone.texts[`_countersign.${DOMAIN}`] = ['v=spf1 -all', linkOf(bank)];
    await domains.publish();
    assert.deepEqual(await look(bank), { dns: 'proven', 'well-known': 'absent' });
    assert.deepEqual(await seen(bank), [`${DOMAIN} dns`]);
    const [proof] = (await known(bank))!.domains;
    assert.ok(Math.abs(proof!.at - clock.now()) < 10);
  });

  test('that names it in its well-known file is shown, asked for under its own name', async () => {
    const bank = await claiming();
    domains.answer = (_call, reply) => void reply.end(`# accounts\n${linkOf(customer)}\r\n${linkOf(bank)}\n`);
    assert.deepEqual(await look(bank), { dns: 'absent', 'well-known': 'proven' });
    assert.deepEqual(await seen(bank), [`${DOMAIN} well-known`]);
    assert.equal(domains.calls.at(-1)!.path, DOMAIN_FILE);
    assert.ok(domains.calls.at(-1)!.host!.startsWith(`${DOMAIN}:`));
  });

  test('that names an account of that name, and not this one, proves nothing', async () => {
    const bank = await claiming();
    const link = formatAccountLink({
      ...bank.device.session.keys,
      identity: customer.device.session.keys.identity,
    });
    domains.zone.texts[`_countersign.${DOMAIN}`] = [link, bank.name];
    domains.answer = (_call, reply) => void reply.end(link);
    await domains.publish();
    assert.deepEqual(await look(bank), { dns: 'absent', 'well-known': 'absent' });
    assert.deepEqual(await seen(bank), []);
  });

  test('is looked at by itself: as soon as it is claimed, and again within a quarter of a day', async () => {
    const bank = await makeParty(home.origin, `help${++serial}@bank.example`, clock);
    domains.zone.texts[`_countersign.${DOMAIN}`] = [linkOf(bank)];
    await domains.publish();
    clock.offset += 120;
    await publish(bank, 1, [DOMAIN]);
    const { api, keys } = bank.device.session;
    const row = async () =>
      (await api.listDomains(keys.signer, keys.name, false)).find(({ by }) => by === 'dns')!;
    await until(async () => (await row()).checked_at !== undefined);
    const first = (await row()).checked_at!;
    clock.offset += 6 * HOUR + 120;
    home.broker.context.domainChecks.wake();
    await until(async () => (await row()).checked_at! > first);
  });

  test('is no longer shown once it is gone from the domain, from the card, or not seen for a day', async () => {
    const bank = await claiming();
    const name = `_countersign.${DOMAIN}`;
    domains.zone.texts[name] = [linkOf(bank)];
    await domains.publish();
    await look(bank);
    assert.equal((await seen(bank)).length, 1);
    await domains.silence();
    assert.equal((await look(bank)).dns, 'unreachable');
    assert.equal((await seen(bank)).length, 1, 'what could not be looked at is not gone');
    clock.offset += 24 * HOUR;
    assert.equal((await seen(bank)).length, 0);
    await domains.publish();
    await look(bank);
    assert.equal((await seen(bank)).length, 1);
    delete domains.zone.texts[name];
    await domains.publish();
    assert.equal((await look(bank)).dns, 'absent');
    assert.equal((await seen(bank)).length, 0);
    domains.zone.texts[name] = [linkOf(bank)];
    await domains.publish();
    await look(bank);
    assert.equal((await seen(bank)).length, 1);
    await publish(bank, 2, []);
    assert.equal((await seen(bank)).length, 0);
  });

  test('is shown by the broker’s own signature alone, and only where the card claims it', async () => {
    const bank = await claiming();
    domains.zone.texts[`_countersign.${DOMAIN}`] = [linkOf(bank)];
    await domains.publish();
    await look(bank);
    const { api } = customer.device.session;
    const good = await api.readCard(bank.name);
    const forging = {
      ...customer.device.session,
      book: customer.device.session.book,
      crypto: customer.device.session.crypto,
      clock,
    };
    const through = (parts: typeof good) =>
      readCard(
        {
          ...forging,
          api: Object.assign(Object.create(api), { readCard: async () => parts, origin: api.origin }),
        },
        bank.name,
        bank.device.session.keys.identity,
      );
    assert.equal((await through(good))!.domains.length, 1);
    const [head, payload, signature] = good.domain_check!.split('.');
    const altered = Buffer.from(payload!, 'base64url').toString().replace(DOMAIN, 'safe.example');
    const forged = [head, Buffer.from(altered).toString('base64url'), signature].join('.');
    assert.deepEqual((await through({ ...good, domain_check: forged }))!.domains, []);
    const other = await claiming();
    const { domain_check = '' } = { ...good };
    assert.deepEqual(
      (await readCard(
        {
          ...forging,
          api: Object.assign(Object.create(api), {
            readCard: async () => ({ ...(await api.readCard(other.name)), domain_check }),
            origin: api.origin,
          }),
        },
        other.name,
      ))!.domains,
      [],
      'the look at one organisation’s domains is none at another’s',
    );
  });
});

describe('the broker calls', () => {
  test('no address that is not public, unless its operator allows that', async () => {
    await using strict = await startTestBroker(clock, {
      domainLookup: { ...domains.lookup, networks: [] },
    });
    for (const address of [
      '127.0.0.1',
      '10.1.2.3',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      'fd00::1',
      'fe80::1',
      '64:ff9b::7f00:1',
    ]) {
      domains.zone.addresses = { [DOMAIN]: [address] };
      await domains.publish();
      const bank = await makeParty(strict.origin, `help${++serial}@bank.example`, clock);
      await publish(bank, 1, [DOMAIN]);
      assert.equal((await look(bank))['well-known'], 'refused', address);
    }
    assert.deepEqual(domains.calls, []);
  });

  test('nobody whom an answer points to, and reads no endless or slow one', async () => {
    const bank = await claiming();
    const outcome = async () => (await look(bank))['well-known'];
    domains.zone.addresses['shop.bank.example'] = ['127.0.0.1'];
    await domains.publish();
    domains.answer = (call, reply) => {
      if (call.headers.host!.startsWith('shop.')) reply.end(linkOf(bank));
      else reply.writeHead(302, { location: `https://shop.bank.example${DOMAIN_FILE}` }).end();
    };
    assert.equal(await outcome(), 'absent');
    assert.ok(domains.calls.every(({ host }) => !host!.startsWith('shop.')));
    domains.answer = (_call, reply) => {
      reply.write(`${'#'.repeat(MAX_DOMAIN_FILE)}\n`);
      reply.end(linkOf(bank));
    };
    assert.equal(await outcome(), 'absent');
    domains.answer = (_call, reply) => void reply.writeHead(503).end();
    assert.equal(await outcome(), 'unreachable');
    domains.answer = (_call, reply) => void reply.write('#');
    const begun = performance.now();
    assert.equal(await outcome(), 'unreachable');
    assert.ok(performance.now() - begun < 30_000);
  });

  test('no server whose certificate is not for the domain', async () => {
    domains.zone.addresses['bunk.example'] = ['127.0.0.1'];
    await domains.publish();
    const bank = await claiming('bunk.example');
    domains.answer = (_call, reply) => void reply.end(linkOf(bank));
    assert.equal((await look(bank))['well-known'], 'unreachable');
    assert.deepEqual(domains.calls, []);
  });

  test('a domain once a minute, however many claim it', async () => {
    clock.offset += 120;
    const claimants = [await claiming(), await claiming(), await claiming()];
    for (const { device } of claimants) {
      const { api, keys } = device.session;
      await until(async () =>
        (await api.listDomains(keys.signer, keys.name, false)).every(({ outcome }) => outcome !== undefined),
      );
    }
    assert.ok(domains.calls.length <= 1, `${domains.calls.length} calls`);
  });
});

test('what was found at the domains of an organisation is for its own devices to read', async () => {
  const bank = await claiming();
  const { api, keys } = customer.device.session;
  await assert.rejects(api.listDomains(keys.signer, bank.name, false), refused('device-unknown'));
  await assert.rejects(api.listDomains(keys.signer, bank.name, true), refused('device-unknown'));
});
