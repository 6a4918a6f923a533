import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  BrokerApi,
  beginRecovery,
  MemoryKeyStore,
  MemoryStateStore,
  newRecovery,
  systemClock,
} from '@countersign/client';
import { noticeId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addDevice, introduce, makeParty, newcomer, type Party, refused } from './parties.ts';
import { type BrokerProcess, startBrokerProcess, temporaryFolder } from './processes.ts';
import { type PushService, startPushService } from './push-service.ts';
import { until } from './until.ts';

const SECRET = 'Transfer 12,345.67 EUR to Mallory';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: PushService;
let broker: BrokerProcess;
let serial = 0;

before(async () => {
  folder = await temporaryFolder();
  service = await startPushService(folder.path);
  // The broker is told to trust it as an operator would tell it.
  process.env.NODE_EXTRA_CA_CERTS = service.certificate;
  broker = await startBroker();
});
after(async () => {
  await broker?.stop();
  await service?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function startBroker(): Promise<BrokerProcess> {
  const args = ['--push-service', service.origin, '--push-contact', 'mailto:operator@example.com'];
  return startBrokerProcess(join(folder.path, 'broker'), { args });
}

async function pair(): Promise<[alice: Party, host: Party]> {
  const [alice, host] = await Promise.all(
    ['alice', 'host'].map((name) => makeParty(broker.origin, `${name}${++serial}@example.com`, systemClock)),
  );
  await introduce(alice!, host!);
  return [alice!, host!];
}

function subscribe({ device }: Party): Promise<void> {
  const { api, keys } = device.session;
  return api.subscribePush(keys.signer, keys.name, service.subscription());
}

describe('a notice by Web Push', () => {
  test('tells each subscribed device by an opaque id, and holds nothing of the question', async () => {
    const [alice, host] = await pair();
    const phone = await addDevice(alice, 'alice’s phone');
    await subscribe(alice);
    await subscribe(phone);
    const { length } = service.pushed;
    const asked = await host.enquirer.ask({ account: alice.name, text: SECRET });
    await service.until(length + 2);
    for (const { opened, headers, body, sender } of service.pushed.slice(length)) {
      assert.deepEqual(JSON.parse(opened), { id: await noticeId(webCrypto, asked.hash) });
      assert.ok(!opened.includes(asked.hash));
      // What the push service sees: no name, no text, a length that says nothing.
      const seen = JSON.stringify(headers) + body.toString('latin1');
      for (const secret of [SECRET, 'Mallory', alice.name, host.name, asked.hash]) {
        assert.ok(!seen.includes(secret));
      }
      assert.equal(body.length, 4096);
      assert.equal(headers['content-encoding'], 'aes128gcm');
      assert.ok(Number(headers.ttl) > 100 && Number(headers.ttl) <= 120);
      assert.deepEqual([sender.aud, sender.sub], [service.origin, 'mailto:operator@example.com']);
    }
  });

  test('goes out for a device before the door, and not for a stranger', async () => {
    const [alice] = await pair();
    await subscribe(alice);
    const { length } = service.pushed;
    const stranger = await makeParty(broker.origin, `stranger${++serial}@example.com`, systemClock);
    await stranger.enquirer.ask({ account: alice.name, text: 'Let me in' });
    const { facts } = await newcomer(systemClock).knock(await alice.device.devices.invite('knock'));
    await service.until(length + 1);
    const ids = service.pushed.slice(length).map(({ opened }) => (JSON.parse(opened) as { id: string }).id);
    assert.deepEqual(ids, [await noticeId(webCrypto, facts.hash)]);
  });

  test('alerts every device when a PIN comes a second time', async () => {
    const [alice] = await pair();
    const link = await alice.device.devices.invite('admit');
    await newcomer(systemClock).knock(link);
    await subscribe(alice);
    const { length } = service.pushed;
    await assert.rejects(newcomer(systemClock).knock(link), refused('pin-used'));
    await service.until(length + 1);
    assert.ok(Number(service.pushed[length]!.headers.ttl) > 80_000);
  });

  test('tells every device that a recovery has begun', async () => {
    const { key } = await new BrokerApi(broker.origin).wellKnown();
    const { code, provision } = await newRecovery(webCrypto, key, 3 * 86_400);
    const name = `alice${++serial}@example.com`;
    const alice = await makeParty(broker.origin, name, systemClock, 'EdDSA', provision);
    await subscribe(alice);
    const { length } = service.pushed;
    const { identity } = alice.device.session.keys;
    const stores = { keyStore: new MemoryKeyStore(), state: new MemoryStateStore() };
    await beginRecovery(
      { name, identity, broker: broker.origin },
      code,
      { deviceName: 'a new machine' },
      {
        ...stores,
        crypto: webCrypto,
        clock: systemClock,
      },
    );
    await service.until(length + 1);
    const { head } = (await alice.device.session.book.find(name, 0)).log;
    const { opened, headers } = service.pushed[length]!;
    assert.deepEqual(JSON.parse(opened), { id: await noticeId(webCrypto, head.hash) });
    assert.ok(Number(headers.ttl) > 2 * 86_400, 'a phone that is off for a day is told all the same');
  });

  test('is shown with each device’s last contact, and survives a restart of the broker', async () => {
    const [alice, host] = await pair();
    await subscribe(alice);
    const kid = await alice.device.session.kid();
    const own = async () => (await alice.device.reached()).find((one) => one.kid === kid)!;
    assert.equal((await own()).pushed_at, undefined);
    const { length } = service.pushed;
    await host.enquirer.ask({ account: alice.name, text: 'First' });
    await service.until(length + 1);
    await until(async () => (await own()).pushed_at !== undefined);
    const { reached_at, push, pushed_at } = await own();
    const now = systemClock.now();
    assert.equal(push, true);
    assert.ok(reached_at! > now - 30 && pushed_at! > now - 30);

    const port = Number(URL.parse(broker.local)!.port);
    await broker.stop();
    const args = ['--push-service', service.origin];
    broker = await startBrokerProcess(join(folder.path, 'broker'), { port, args });
    assert.equal((await own()).push, true);
    await host.enquirer.ask({ account: alice.name, text: 'Second' });
    await service.until(length + 2);
  });

  test('ends with the device, and where the push service knows it no more', async () => {
    const [alice, host] = await pair();
    const phone = await addDevice(alice, 'alice’s phone');
    await subscribe(phone);
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
    const { length } = service.pushed;
    await subscribe(alice);
    service.status = 410;
    try {
      await host.enquirer.ask({ account: alice.name, text: 'One' });
      await service.until(length + 1);
      const { api, keys } = alice.device.session;
      const pushes = async () => (await api.listReached(keys.signer, keys.name)).filter(({ push }) => push);
      await until(async () => (await pushes()).length === 0);
    } finally {
      service.status = 201;
    }
    assert.equal(service.pushed.length, length + 1);
  });

  test('is sent again where the push service failed in passing', async () => {
    const [alice, host] = await pair();
    await subscribe(alice);
    const { length } = service.pushed;
    service.status = 503;
    try {
      await host.enquirer.ask({ account: alice.name, text: 'One' });
      await service.until(length + 1);
    } finally {
      service.status = 201;
    }
    await service.until(length + 2);
  });

  test('goes to push services that are known alone: the broker calls no other address', async () => {
    const [alice] = await pair();
    const { api, keys } = alice.device.session;
    const good = service.subscription();
    for (const endpoint of [
      'https://localhost:1/x',
      'https://169.254.169.254/latest',
      'https://fcm.googleapis.com.evil.example/x',
      'https://evil.example/https://fcm.googleapis.com/x',
      'https://fcm.googleapis.com:444/x',
    ]) {
      await assert.rejects(
        api.subscribePush(keys.signer, keys.name, { ...good, endpoint }),
        refused('push-refused'),
      );
    }
    const bent = { ...good, keys: { ...good.keys, p256dh: `B${'A'.repeat(86)}` } };
    await assert.rejects(api.subscribePush(keys.signer, keys.name, bent), refused('push-refused'));
    const clear = { ...good, endpoint: good.endpoint.replace('https:', 'http:') };
    await assert.rejects(api.subscribePush(keys.signer, keys.name, clear), refused('input-invalid'));
  });

  test('is asked for by a device of the account alone', async () => {
    const [alice, host] = await pair();
    const { api, keys } = host.device.session;
    await assert.rejects(
      api.subscribePush(keys.signer, alice.name, service.subscription()),
      refused('device-unknown'),
    );
    await assert.rejects(api.listReached(keys.signer, alice.name), refused('device-unknown'));
  });
});
