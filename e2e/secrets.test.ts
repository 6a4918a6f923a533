import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAccount, Device, type DeviceKeys, Enquirer, systemClock } from '@countersign/client';
import { FileKeyStore, passphraseProtection, SqliteStateStore } from '@countersign/client/node';
import { exportPrivate, webCrypto } from '@countersign/core/webcrypto';
import { startBrokerProcess, temporaryFolder } from './processes.ts';

const QUESTION = 'Transfer everything to Mallet';
const DETAIL = 'XK-4711-SECRET-DETAIL';
const PASSPHRASE = 'correct horse battery staple';

/** Keeps what a key store is given, so that the test knows what may never be seen. */
class WitnessedKeyStore extends FileKeyStore {
  readonly secrets: string[] = [];

  override async save(keys: DeviceKeys): Promise<void> {
    for (const key of [keys.signer, keys.opener]) this.secrets.push((await exportPrivate(key)).d!);
    await super.save(keys);
  }
}

test('neither the broker’s files, nor its log, nor the wire hold the question, the answer or a private key', async () => {
  await using folder = await temporaryFolder();
  const wire = await openTap();
  await using broker = await startBrokerProcess(join(folder.path, 'broker'), {
    args: ['--origin', wire.origin],
  });
  wire.forwardTo(Number(new URL(broker.local).port));
  try {
    const origin = broker.origin;
    const parties = [];
    for (const name of ['alice', 'host']) {
      const keyStore = new WitnessedKeyStore(
        join(folder.path, `${name}.json`),
        passphraseProtection(async () => PASSPHRASE),
      );
      const state = new SqliteStateStore(join(folder.path, `${name}.db`));
      const made = {
        name: `${name}@example.com`,
        broker: origin,
        deviceName: name,
        crypto: webCrypto,
        clock: systemClock,
      };
      await createAccount({ ...made, keyStore, state });
      const keys = (await keyStore.load())!;
      const options = { keys, state, crypto: webCrypto, clock: systemClock };
      const party = { keyStore, enquirer: new Enquirer(options), device: new Device(options), state };
      parties.push(party);
    }
    const [alice, host] = parties as [(typeof parties)[0], (typeof parties)[0]];
    await alice.device.contacts.change(host.device.session.keys, 'allow');
    const asked = await host.enquirer.ask({
      account: 'alice@example.com',
      text: QUESTION,
      fields: [{ name: 'Reference', value: DETAIL }],
      passcode: true,
    });
    const { requests } = await alice.device.pending();
    assert.equal(requests[0]?.question.parts[0]?.text, QUESTION);
    await alice.device.answer(requests[0]!, {
      decision: 'accept',
      shown: 'screen',
      passcode: asked.passcode!,
    });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');

    const secrets = parties.flatMap(({ keyStore }) => keyStore.secrets);
    assert.equal(secrets.length, 4);
    const brokerSecret = (
      JSON.parse(await readFile(join(broker.data, 'broker-key.json'), 'utf8')) as { d: string }
    ).d;
    const words = [QUESTION, DETAIL, '"accept"', '"passcode":', ...secrets, PASSPHRASE];
    const files = (await readdir(broker.data)).filter((name) => name.startsWith('broker.db'));
    assert.ok(files.length > 0);
    for (const name of files)
      assertHasNone(await readFile(join(broker.data, name)), [...words, brokerSecret], name);
    const traffic = wire.traffic();
    assert.ok(traffic.includes(asked.hash), 'the tap sees the traffic');
    assertHasNone(traffic, [...words, brokerSecret], 'the wire');
    const log = Buffer.from(broker.log());
    assert.ok(log.includes('/v1/requests'), 'the log names routes');
    assertHasNone(log, [...words, brokerSecret, asked.hash, 'alice@example.com'], 'the log');
    for (const name of ['alice.json', 'host.json']) {
      assertHasNone(await readFile(join(folder.path, name)), [...secrets, PASSPHRASE], name);
      assert.equal((await stat(join(folder.path, name))).mode & 0o777, 0o600);
    }
    assert.equal((await stat(join(broker.data, 'broker-key.json'))).mode & 0o777, 0o600);
    for (const { state } of parties) state.close();
  } finally {
    wire.close();
    await broker.stop();
  }
});

/** Looks for a text as it is, and as it would stand in Base64url at each of its three alignments. */
function assertHasNone(bytes: Buffer, words: readonly string[], where: string): void {
  for (const word of words) {
    assert.ok(!bytes.includes(word), `${where} holds ${word}`);
    for (let shift = 0; shift < 3; shift++) {
      const encoded = Buffer.from(' '.repeat(shift) + word).toString('base64url');
      const inner = encoded.slice(shift === 0 ? 0 : 4, -4);
      if (inner.length >= 6) assert.ok(!bytes.includes(inner), `${where} holds ${word}, encoded`);
    }
  }
}

/** A wire with somebody listening. */
async function openTap() {
  let port = 0;
  const chunks: (Buffer | string)[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (chunk) => chunks.push(chunk)).pipe(far);
    far.on('data', (chunk) => chunks.push(chunk)).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    origin: `http://127.0.0.1:${address.port}`,
    forwardTo(to: number) {
      port = to;
    },
    traffic: () => Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as Buffer))),
    close: () => server.close(),
  };
}
