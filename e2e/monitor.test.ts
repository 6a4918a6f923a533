import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  AccountBook,
  type Alarm,
  BrokerApi,
  Device,
  LogMonitor,
  MemoryStateStore,
} from '@countersign/client';
import {
  CheckpointStatement,
  createCheckpoint,
  createFreeze,
  createRecovery,
  createRecoverySet,
  createRightsChange,
  createThaw,
  type DeviceLog,
  DeviceStatement,
  formatTreeLeaf,
  parseDeviceLink,
  parseStatement,
  parseTreeLeaf,
  signStatement,
  signTreeHead,
  treeOrigin,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { ForgedTree } from './forged-tree.ts';
import { type MaliciousBroker, Refusal, startMaliciousBroker } from './malicious-broker.ts';
import { addDevice, makeParty, newcomer, type Party, TestClock } from './parties.ts';
import { countersign, PASSPHRASE, startBrokerProcess, temporaryFolder } from './processes.ts';

const clock = new TestClock();
let evil: MaliciousBroker;
let serial = 0;

before(async () => {
  evil = await startMaliciousBroker(clock);
});
after(() => evil[Symbol.asyncDispose]());
afterEach(() => evil.behave());

const party = (name: string) => makeParty(evil.origin, `${name}${++serial}@example.com`, clock);
const isLogOf = (one: Party, path: string) =>
  path.startsWith(`/v1/accounts/${encodeURIComponent(one.name)}/log`);

function monitorOf({ device, state }: Party, name: string): LogMonitor {
  const { api, book } = device.session;
  return new LogMonitor({ api, book, state, crypto: webCrypto }, name);
}

/** What one look reports: kinds, and codes of the broker's faults. */
async function look(monitor: LogMonitor): Promise<string[]> {
  const alarms: Alarm[] = [];
  await monitor.look(async (alarm) => void alarms.push(alarm));
  return alarms.map((alarm) => (alarm.kind === 'broker' ? alarm.error.code : alarm.kind));
}

/** Appends to an account's log by its first device's key, but not through its client, which would remember it. */
async function append(
  one: Party,
  make: (signing: {
    signer: Party['device']['session']['keys']['signer'];
    log: DeviceLog;
    now: number;
  }) => Promise<{ jws: string }>,
): Promise<void> {
  const { keys } = one.device.session;
  const log = await one.device.session.ownLog(0);
  const { jws } = await make({ signer: keys.signer, log, now: clock.now() });
  await new BrokerApi(evil.origin).appendLog(one.name, [jws]);
}

describe('a monitor of one’s own account', () => {
  test('is silent at first, and about what its own device signs', async () => {
    const alice = await party('alice');
    const monitor = monitorOf(alice, alice.name);
    assert.deepEqual(await look(monitor), []);
    await addDevice(alice, 'phone');
    await alice.device.devices.beginEpoch();
    assert.deepEqual(await look(monitor), []);
  });

  test('shouts once when a device appears that this one did not admit, though its own key was used', async () => {
    const alice = await party('alice');
    const monitor = monitorOf(alice, alice.name);
    await look(monitor);
    // Whoever copied the device's keys has not its memory.
    const { keys } = alice.device.session;
    const options = { keys, state: new MemoryStateStore(), crypto: webCrypto, clock };
    const copy = { ...alice, device: new Device(options) };
    const phone = await addDevice(copy, 'phone');
    const alarms: Alarm[] = [];
    await monitor.look(async (alarm) => void alarms.push(alarm));
    assert.equal(alarms.length, 1);
    const [alarm] = alarms;
    assert.ok(alarm?.kind === 'device-added');
    assert.equal(alarm.device?.kid, await phone.device.session.kid());
    assert.equal(alarm.by, await alice.device.session.kid());
    assert.deepEqual(await look(monitor), []);
  });

  test('shouts again where the alarm was not delivered', async () => {
    const alice = await party('alice');
    const monitor = monitorOf(alice, alice.name);
    await look(monitor);
    const { publicKey } = await generateSigner('EdDSA');
    await append(alice, (signing) => createRecoverySet(webCrypto, signing, provision(publicKey)));
    const failing = monitor.look(async () => {
      throw new Error('no mail today');
    });
    await assert.rejects(failing, /no mail today/);
    assert.deepEqual(await look(monitor), ['recovery-changed']);
  });

  test('shouts when another device comes with a new signing key, and not for sealing keys, which change by themselves', async () => {
    const alice = await party('alice');
    const phone = await addDevice(alice, 'phone');
    const monitor = monitorOf(alice, alice.name);
    await look(monitor);
    await phone.device.rotate(phone.keyStore, 'sealing');
    await alice.device.rotate(alice.keyStore, 'both');
    assert.deepEqual(await look(monitor), []);
    await phone.device.rotate(phone.keyStore, 'both');
    assert.deepEqual(await look(monitor), ['device-rotated']);
  });

  test('shouts when rights grow, a frozen device is thawed, the recovery code changes, and one comes in by it', async () => {
    const alice = await party('alice');
    const phone = await addDevice(alice, 'phone', ['answer']);
    const kid = await phone.device.session.kid();
    const monitor = monitorOf(alice, alice.name);
    await look(monitor);
    const recovery = await generateSigner('EdDSA');
    const steps: [string[], Parameters<typeof append>[1]][] = [
      [['rights-grown'], (signing) => createRightsChange(webCrypto, signing, kid, ['answer', 'pay'])],
      [[], (signing) => createRightsChange(webCrypto, signing, kid, ['answer'])],
      [[], (signing) => createFreeze(webCrypto, signing, kid)],
      [['device-thawed'], (signing) => createThaw(webCrypto, signing, kid)],
      [
        ['recovery-changed'],
        (signing) => createRecoverySet(webCrypto, signing, provision(recovery.publicKey)),
      ],
      [
        ['device-recovered'],
        async ({ log, now }) => {
          const [signer, opener] = [await generateSigner('EdDSA'), await generateOpener()];
          const own = await signStatement(webCrypto, DeviceStatement, signer, {
            sub: log.name,
            sub_id: log.identity,
            iat: now,
            sig: signer.publicKey,
            enc: opener.publicKey,
            name: 'found code',
          });
          return createRecovery(webCrypto, { signer: recovery, log, now }, own.jws);
        },
      ],
    ];
    for (const [expected, step] of steps) {
      await append(alice, step);
      assert.deepEqual(await look(monitor), expected);
    }
  });
});

/** A recovery key, and the broker whose checkpoints measure its time. */
function provision(key: Parameters<typeof signTreeHead>[1]['publicKey']) {
  return { key, broker: evil.broker.context.publicKey, undo: 86_400 };
}

describe('a monitor finds out a broker', () => {
  test('that shows somebody else a log which its tree has to name', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const monitor = monitorOf(bob, alice.name);
    assert.deepEqual(await look(monitor), []);
    const log = await alice.device.session.ownLog(0);
    const forked = await ForgedTree.copyOf(evil.broker);
    forked.leaves.push(formatTreeLeaf({ ...log, head: { seq: 0, hash: 'A'.repeat(43) } }));
    serve(forked);
    assert.deepEqual(await look(monitor), ['log-fork']);
    assert.deepEqual(await look(monitor), ['log-fork'], 'for as long as it lasts');
  });

  test('that showed somebody another log before the monitor began', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const forked = await ForgedTree.copyOf(evil.broker);
    const log = await alice.device.session.ownLog(0);
    forked.leaves.push(formatTreeLeaf({ ...log, head: { seq: 0, hash: 'A'.repeat(43) } }));
    serve(forked);
    const fresh = { ...bob, state: new MemoryStateStore() };
    assert.deepEqual(await look(monitorOf(fresh, alice.name)), ['log-fork']);
  });

  test('that hides the newest entries of a log', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const monitor = monitorOf(bob, alice.name);
    await look(monitor);
    const { api } = bob.device.session;
    const old = await api.readLog(alice.name, 0, 0);
    await addDevice(alice, 'phone');
    // The old log, with a fresh word that it is the newest, and its true place in the grown tree.
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice, path)) return undefined;
      const { payload } = await parseStatement(webCrypto, CheckpointStatement, old.checkpoint);
      const log = { name: alice.name, identity: old.identity, head: payload.head };
      const { signer } = evil.broker.context;
      const { jws } = await createCheckpoint(webCrypto, signer, evil.origin, log, clock.now());
      const tree = await ForgedTree.copyOf(evil.broker);
      return {
        ...body,
        entries: old.entries,
        checkpoint: jws,
        transparency: await tree.transparency(log, path),
      };
    });
    assert.deepEqual(await look(monitor), ['log-rollback']);
    evil.behave();
    assert.deepEqual(await look(monitor), ['device-added']);
  });

  test('whose tree has another account under the name', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const tree = await ForgedTree.copyOf(evil.broker);
    const other = 'E'.repeat(43);
    tree.leaves.push(formatTreeLeaf({ name: alice.name, identity: other, head: { seq: 0, hash: other } }));
    serve(tree);
    assert.deepEqual(await look(monitorOf(bob, alice.name)), ['account-changed']);
  });

  test('whose leaves are not those of the tree that it signed', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const monitor = monitorOf(bob, alice.name);
    evil.tamper((path, body) => {
      if (!path.startsWith('/tlog/tile/entries/')) return undefined;
      const altered = Buffer.from(body);
      const at = altered.indexOf('"seq":0');
      altered[at + '"seq":'.length] = '1'.charCodeAt(0);
      return altered;
    });
    assert.deepEqual(await look(monitor), ['tree-inconsistent']);
    evil.tamper((path, body) => path.startsWith('/tlog/tile/') && Buffer.from(body).subarray(0, -1));
    assert.deepEqual(await look(monitor), ['tree-invalid']);
    evil.behave();
    assert.deepEqual(await look(monitor), []);
  });

  test('whose tree shrank, or which does not know the account any more', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const monitor = monitorOf(bob, alice.name);
    await look(monitor);
    const { signer } = evil.broker.context;
    const empty = await webCrypto.sha256(new Uint8Array());
    const note = await signTreeHead(webCrypto, signer, treeOrigin(evil.origin), { size: 0, root: empty });
    evil.tamper((path) => path.startsWith('/tlog/checkpoint') && note);
    assert.deepEqual(await look(monitor), ['tree-inconsistent']);
    evil.tamper((path) => isLogOf(alice, path) && new Refusal('account-unknown'));
    assert.deepEqual(await look(monitor), ['account-unknown']);
    const never = monitorOf(bob, `nobody${serial}@example.com`);
    await assert.rejects(look(never), { code: 'account-unknown' });
  });

  /** Shows a tree in place of the real one: its head, its leaves, how it grew, and what stands in it. */
  function serve(tree: ForgedTree): void {
    evil.tamper(async (path, body) => {
      if (path.startsWith('/tlog/checkpoint')) return tree.head();
      if (path.startsWith('/tlog/proof')) {
        const query = new URL(path, evil.origin).searchParams;
        return { consistency: await tree.consistency(Number(query.get('from')), Number(query.get('to'))) };
      }
      if (path.startsWith('/tlog/tile/entries/')) return tree.bundle();
      if (body.transparency === undefined) return undefined;
      return { ...body, transparency: await tree.transparency(parseTreeLeaf(body.transparency.leaf), path) };
    });
  }
});

test('a look that meets an unreachable broker is no finding', async () => {
  const alice = await party('alice');
  const { keys, crypto } = alice.device.session;
  const api = new BrokerApi('http://127.0.0.1:1');
  const book = new AccountBook(api, crypto, alice.state, clock);
  const monitor = new LogMonitor({ api, book, state: alice.state, crypto }, keys.name);
  await assert.rejects(look(monitor), { code: 'broker-unreachable' });
});

describe('countersign monitor', () => {
  const CLI = fileURLToPath(import.meta.resolve('../packages/cli/src/main.ts'));

  test('shouts when a device is added by somebody else, and is silent about its own', {
    timeout: 300_000,
  }, async () => {
    await using folder = await temporaryFolder();
    await using broker = await startBrokerProcess(join(folder.path, 'broker'));
    const profile = (who: string) => join(folder.path, who);
    const run = async (who: string, ...words: string[]) => {
      const done = await countersign(profile(who), words, { env: { COUNTERSIGN_BROKER: broker.origin } });
      return {
        ...done,
        json: () =>
          done.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
      };
    };
    const good = async (who: string, ...words: string[]) => {
      const done = await run(who, ...words);
      assert.equal(done.status, 0, `${words.join(' ')}: ${done.stderr}`);
      return done;
    };
    try {
      await good('laptop', 'account', 'create', 'alice@example.com', '--device', 'laptop');
      const [began] = (await good('laptop', 'monitor', '--once', '--json')).json();
      assert.deepEqual([began.first, began.alarms, began.devices.length, began.leaves], [true, 0, 1, 1]);
      const { uri } = (await good('laptop', 'device', 'pin', '--rights', 'all', '--json')).json()[0];
      const newPhone = newcomer(clock);
      const { facts } = await newPhone.knock(parseDeviceLink(uri));
      await good('laptop', 'device', 'accept', facts.kid);
      await newPhone.complete();
      const phone = await newPhone.party();
      const [quiet] = (await good('laptop', 'monitor', '--once', '--json')).json();
      assert.deepEqual([quiet.first, quiet.alarms, quiet.devices.length], [false, 0, 2]);

      const marked = join(folder.path, 'marked');
      const kid = await (await addDevice(phone, 'tablet')).device.session.kid();
      const command = `cat > ${marked}.json; echo "$COUNTERSIGN_ALARM" > ${marked}`;
      const shouted = await run('laptop', 'monitor', '--once', '--json', '--exec', command);
      assert.equal(shouted.status, 7);
      const [alarm, round] = shouted.json();
      assert.deepEqual(
        [alarm.alarm, alarm.account, alarm.device.kid],
        ['device-added', 'alice@example.com', kid],
      );
      assert.equal(round.alarms, 1);
      assert.equal(await readFile(marked, 'utf8'), 'device-added\n');
      assert.deepEqual(JSON.parse(await readFile(`${marked}.json`, 'utf8')), alarm);
      assert.equal((await run('laptop', 'monitor', '--once')).status, 0);

      // While it runs, and in words.
      const env = { ...process.env, COUNTERSIGN_PROFILE: profile('laptop'), NO_COLOR: '1' };
      const child = spawn(process.execPath, [CLI, 'monitor', '--every', '1s'], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines: string[] = [];
      const heard = Promise.withResolvers<void>();
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (line.includes('signed by')) heard.resolve();
      });
      await addDevice(phone, 'watch');
      await heard.promise;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      assert.deepEqual(await gone, [7, null]);
      assert.match(lines.join('\n'), /ALARM {2}alice@example\.com: a device was let in, not by this profile/);
      assert.equal(lines.filter((line) => line.startsWith('ALARM')).length, 1);

      await broker.stop();
      const alone = await run('laptop', 'monitor', '--once');
      assert.equal(alone.status, 69, alone.stderr);
    } finally {
      await broker.stop();
    }
  });

  test('compares tree heads that two profiles saw, and finds out one that is of another tree', {
    timeout: 300_000,
  }, async () => {
    await using folder = await temporaryFolder();
    const origin = evil.origin;
    const run = (who: string, words: string[], input?: string) =>
      countersign(join(folder.path, who), words, {
        env: { COUNTERSIGN_BROKER: origin, COUNTERSIGN_PASSPHRASE: PASSPHRASE },
        ...(input === undefined ? {} : { input }),
      });
    for (const who of ['ann', 'ben']) {
      const made = await run(who, ['account', 'create', `${who}${++serial}@example.com`]);
      assert.equal(made.status, 0, made.stderr);
    }
    const { stdout: note } = await run('ben', ['account', 'log', '--tree']);
    assert.equal(note.split('\n')[0], treeOrigin(origin));
    const agreed = await run('ann', ['monitor', '--compare', '-', '--json'], note);
    assert.equal(agreed.status, 0, agreed.stderr);
    assert.equal(JSON.parse(agreed.stdout).consistent, true);

    const forged = await ForgedTree.copyOf(evil.broker);
    forged.leaves[0] = forged.leaves[0]!.replace('"seq":0', '"seq":1');
    const file = join(folder.path, 'other-head');
    await writeFile(file, await forged.head());
    const caught = await run('ann', ['monitor', '--compare', file, '--json']);
    assert.equal(caught.status, 8);
    assert.equal(JSON.parse(caught.stderr).error.code, 'tree-inconsistent');
    const kept = JSON.parse((await run('ann', ['account', 'log', '--tree', '--json'])).stdout);
    assert.deepEqual(kept.evidence, { older: await forged.head(), newer: kept.tree });

    for (const nothing of [join(folder.path, 'nowhere'), '-']) {
      const mistaken = await run('ann', ['monitor', '--compare', nothing, '--json'], 'hello');
      assert.equal(mistaken.status, 64);
      assert.equal(JSON.parse(mistaken.stderr).error.code, 'usage');
    }
  });
});
