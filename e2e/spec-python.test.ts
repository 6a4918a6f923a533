/**
 * The specification is enough: readers written from its pages, in another language and on a public JOSE library,
 * agree with ours about every receipt and every device log.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Receipt, type SignatureAlgorithm, statementId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { withLogs } from '../spec/generator/shared-logs.ts';
import type { Vector, VectorFile } from '../spec/generator/vector.ts';
import { introduce, makeParty, startTestBroker, TestClock } from './parties.ts';
import { type Finished, temporaryFolder } from './processes.ts';
import { makePython, run } from './python.ts';
import { ourReplay, randomLogs } from './random-logs.ts';

const SPEC = new URL('../spec/', import.meta.url);
const VERIFIER = fileURLToPath(new URL('python/verify_receipt.py', SPEC));
const REPLAYER = fileURLToPath(new URL('python/replay_log.py', SPEC));
const REQUIREMENTS = fileURLToPath(new URL('python/requirements.txt', SPEC));
const EXIT = { accepted: 0, rejected: 1, passcodeFailed: 5, notGood: 8, usage: 64 };
const EXIT_OF_DECISION: Readonly<Record<string, number>> = {
  accept: EXIT.accepted,
  reject: EXIT.rejected,
  fraud: EXIT.rejected,
  'passcode-failed': EXIT.passcodeFailed,
};

/** The files of vectors that are device logs. */
const LOG_TOPICS = [
  'genesis',
  'device-add',
  'device-revoke',
  'device-freeze',
  'device-thaw',
  'device-rights',
  'device-rotate',
  'epoch',
  'recovery',
  'recovery-complete',
  'recovery-set',
  'device-log',
];
/** Vectors that need the rules of display text, which the reader does not check. */
const DISPLAY_TEXT = ['device-name-link'];

/** Of the logs that are drawn at random: the same each time, unless another is asked for. */
const SEED = Number(process.env.SEED ?? 20_270_115);
const RANDOM_LOGS = process.env.SLOW === '1' ? 600 : 60;
/** Each of them refuses some random log: else too little was tried. */
const REPLAY_CODES = [
  'log-invalid',
  'signature-invalid',
  'account-mismatch',
  'device-unknown',
  'device-revoked',
  'device-frozen',
  'device-on-probation',
  'device-not-entitled',
  'last-device',
  'recovery-invalid',
  'recovery-early',
];

const folder = await temporaryFolder();
const { python, missing } = await makePython(
  folder.path,
  'the packages of spec/python/requirements.txt',
  REQUIREMENTS,
);
after(() => folder[Symbol.asyncDispose]());

let written = 0;

/** What the verifier says of a receipt. */
async function verify(receipt: unknown, ...options: string[]): Promise<Finished> {
  return run(python, '-B', VERIFIER, await save(receipt), ...options);
}

/** What the reader of device logs finds in each, or the code that it refuses it by: in one process. */
async function replayEach(logs: readonly unknown[]): Promise<unknown[]> {
  const { status, stdout, stderr } = await run(python, '-B', REPLAYER, '--each', await save(logs));
  assert.equal(status, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function save(value: unknown): Promise<string> {
  const file = join(folder.path, `input-${written++}.json`);
  await writeFile(file, JSON.stringify(value));
  return file;
}

if (missing === undefined) {
  describe('the Python verifier of receipts', agreement);
  describe('the Python reader of device logs', sameReplay);
} else {
  test('the Python programs agree with ours', { skip: missing }, () => {});
}

function agreement(): void {
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    describe(`of receipts that our broker and clients just made, with ${algorithm}`, () => {
      let made: Made;
      before(async () => {
        made = await makeReceipts(algorithm);
      });

      for (const how of ['sealed', 'clear'] as const) {
        test(`finds an accept with a passcode, ${how}`, async () => {
          const { status, stdout, stderr } = await verify(made.receipts[`${how}-accept`], '--json');
          assert.equal(status, EXIT.accepted, stderr);
          const found = JSON.parse(stdout);
          assert.equal(found.decision, 'accept');
          assert.deepEqual(found.account, made.account);
          assert.deepEqual(found.enquirer, made.enquirer);
          assert.equal(found.device, made.device);
        });

        test(`finds a reject, ${how}`, async () => {
          const { status, stderr } = await verify(made.receipts[`${how}-reject`]);
          assert.equal(status, EXIT.rejected, stderr);
        });
      }

      test('says to a person who was asked what by whom, and what was answered', async () => {
        const { stdout } = await verify(made.receipts['sealed-accept']);
        for (const said of [made.account.name, made.enquirer.name, 'accept', 'Log in to Host1']) {
          assert.ok(stdout.includes(said), `${said} is missing from: ${stdout}`);
        }
      });

      test('compares the fingerprints that it is given', async () => {
        const receipt = made.receipts['sealed-accept'];
        const { account, enquirer } = made;
        const both = ['--account', account.fingerprint, '--enquirer', enquirer.fingerprint.toLowerCase()];
        assert.equal((await verify(receipt, ...both)).status, EXIT.accepted);
        for (const option of ['--account', '--enquirer']) {
          const other = option === '--account' ? enquirer.fingerprint : account.fingerprint;
          const { status, stderr } = await verify(receipt, option, other);
          assert.equal(status, EXIT.notGood);
          assert.match(stderr, /account-mismatch/);
          assert.equal((await verify(receipt, option, 'MAAA')).status, EXIT.usage);
        }
      });
    });
  }

  describe('of the vectors', { concurrency: 4 }, () => {
    const text = readFileSync(new URL('vectors/receipt.json', SPEC), 'utf8');
    const file = JSON.parse(text) as VectorFile;
    for (const vector of file.vectors) {
      test(`${vector.name}: ${vector.comment}`, () => checkVector(withLogs(file, vector)));
    }
  });

  test('refuses a file that says two things', async () => {
    const file = join(folder.path, 'twice.json');
    await writeFile(file, '{"countersign":"receipt/1","countersign":"receipt/1"}');
    const { status, stderr } = await run(python, '-B', VERIFIER, file);
    assert.equal(status, EXIT.notGood);
    assert.match(stderr, /json-invalid/);
  });
}

function sameReplay(): void {
  for (const topic of LOG_TOPICS) {
    const { vectors } = JSON.parse(
      readFileSync(new URL(`vectors/${topic}.json`, SPEC), 'utf8'),
    ) as VectorFile;
    const ours = vectors.filter(({ name }) => !DISPLAY_TEXT.includes(name));
    describe(`of the vectors of ${topic}`, () => {
      let found: unknown[];
      before(async () => {
        found = await replayEach(
          ours.map(({ entries, pinned, offered, from }) => entries ?? { pinned, offered, from }),
        );
      });
      for (const [i, { name, comment, result, code, expect }] of ours.entries()) {
        test(`${name}: ${comment}`, () => {
          assert.deepEqual(found[i], result === 'valid' ? expect : { code });
        });
      }
    });
  }

  test(`agrees about random logs, taken and refused, and about each with an entry that is not right (SEED=${SEED})`, async () => {
    const logs = await randomLogs(SEED, RANDOM_LOGS);
    const theirs = await replayEach(logs.map(({ entries }) => entries));
    assert.equal(theirs.length, logs.length);
    const codes = new Map<string, number>();
    for (const [i, log] of logs.entries()) {
      const ours = await ourReplay(log);
      assert.deepEqual(theirs[i], ours, `log ${log.name}, SEED=${SEED}`);
      const code = 'code' in ours ? String(ours.code) : 'good';
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    assert.ok(codes.get('good')! >= RANDOM_LOGS, 'few logs are good');
    for (const code of REPLAY_CODES) assert.ok(codes.has(code), `no log was refused as ${code}`);
  });

  test('says what is wrong with a log by its exit status, and by its code', async () => {
    const { vectors } = JSON.parse(
      readFileSync(new URL('vectors/device-freeze.json', SPEC), 'utf8'),
    ) as VectorFile;
    for (const { entries, code, expect } of vectors.slice(0, 2)) {
      const { status, stdout, stderr } = await run(python, '-B', REPLAYER, await save(entries));
      assert.equal(status, code === undefined ? EXIT.accepted : EXIT.notGood);
      if (code === undefined) assert.deepEqual(JSON.parse(stdout), expect);
      else assert.match(stderr, new RegExp(`^not good: ${code}:`));
    }
    assert.equal((await run(python, '-B', REPLAYER, 'nowhere.json')).status, EXIT.usage);
  });
}

async function checkVector({ receipt, result, code, expect }: Vector): Promise<void> {
  const { status, stdout, stderr } = await verify(receipt, '--json');
  if (result === 'invalid') {
    assert.equal(status, EXIT.notGood);
    assert.equal(/^not good: ([\w-]+):/.exec(stderr)?.[1], code, stderr);
    assert.equal(stdout, '');
    return;
  }
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), expect);
  assert.equal(status, EXIT_OF_DECISION[(expect as { decision: string }).decision]);
}

interface Identified {
  readonly name: string;
  readonly fingerprint: string;
}

interface Made {
  readonly account: Identified;
  readonly enquirer: Identified;
  /** The kid of the device that answered. */
  readonly device: string;
  readonly receipts: Readonly<Record<`${'sealed' | 'clear'}-${'accept' | 'reject'}`, Receipt>>;
}

/** Receipts of all four ways to ask and answer, by a broker and two parties of our own. */
async function makeReceipts(algorithm: SignatureAlgorithm): Promise<Made> {
  const clock = new TestClock();
  await using broker = await startTestBroker(clock);
  const alice = await makeParty(broker.origin, 'alice@example.com', clock, algorithm);
  const host = await makeParty(broker.origin, 'host1@example.com', clock, algorithm);
  await introduce(alice, host);

  const ask = async (sealed: boolean, decision: 'accept' | 'reject'): Promise<Receipt> => {
    const asked = await host.enquirer.ask({
      account: alice.name,
      text: 'Log in to Host1',
      fields: [{ name: 'address', value: '192.0.2.1' }],
      passcode: decision === 'accept',
      sealed,
    });
    const [request] = (await alice.device.pending()).requests;
    const { passcode } = asked;
    await alice.device.answer(request!, {
      decision,
      shown: 'screen',
      ...(passcode === undefined ? {} : { passcode }),
    });
    await host.enquirer.wait(asked.hash);
    return host.enquirer.receipt(asked.hash);
  };

  const identify = async ({ name, device }: typeof alice): Promise<Identified> => ({
    name,
    fingerprint: await statementId(webCrypto, device.session.keys.identity),
  });
  return {
    account: await identify(alice),
    enquirer: await identify(host),
    device: await alice.device.session.kid(),
    receipts: {
      'sealed-accept': await ask(true, 'accept'),
      'sealed-reject': await ask(true, 'reject'),
      'clear-accept': await ask(false, 'accept'),
      'clear-reject': await ask(false, 'reject'),
    },
  };
}
