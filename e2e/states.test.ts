import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import encodeQR from 'qr';
import {
  type BrokerProcess,
  countersign,
  type Finished,
  type RunOptions,
  startBrokerProcess,
  temporaryFolder,
} from './processes.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: BrokerProcess;
const profile = (name: string) => join(folder.path, name);

function run(who: string, words: string[], options: RunOptions = {}): Promise<Finished> {
  return countersign(profile(who), words, { ...options, env: { COUNTERSIGN_BROKER: broker.origin } });
}

async function ok(who: string, words: string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await run(who, words, options);
  assert.equal(finished.status, 0, `${words.join(' ')}: ${finished.stderr}${finished.stdout}`);
  return finished;
}

/** Makes accounts that know each other; the host's default contact is the person. */
async function introduce(person: string, host: string): Promise<void> {
  await Promise.all([person, host].map((name) => ok(name, ['account', 'create', `${name}@example.com`])));
  const [hers, its] = [
    await ok(person, ['account', 'show', '--link']),
    await ok(host, ['account', 'show', '--link']),
  ];
  await ok(person, ['contact', 'add', its.stdout.trim()]);
  await ok(host, ['contact', 'add', hers.stdout.trim(), '--default']);
}

interface AskedJson {
  id: string;
  hash: string;
  passcode?: string;
}

async function ask(host: string, ...words: string[]): Promise<AskedJson> {
  return JSON.parse((await ok(host, ['confirm', 'post', ...words, '--json'])).stdout) as AskedJson;
}

async function outcomeOf(
  host: string,
  id: string,
): Promise<[status: number, outcome: string, shown?: string]> {
  const { status, stdout } = await run(host, ['confirm', 'status', id, '--json']);
  const { outcome, shown } = JSON.parse(stdout) as { outcome: string; shown?: string };
  return shown === undefined ? [status, outcome] : [status, outcome, shown];
}

before(async () => {
  folder = await temporaryFolder();
  broker = await startBrokerProcess(join(folder.path, 'broker'));
  await introduce('alice', 'host');
});
after(async () => {
  await broker.stop();
  await folder[Symbol.asyncDispose]();
});

describe('every state is reached from separate processes, and has its exit status', () => {
  test('pending, then answered: 6, then 0', async () => {
    const { id } = await ask('host', 'Log in');
    assert.deepEqual(await outcomeOf('host', id), [6, 'pending']);
    await ok('alice', ['confirm', 'accept', id, '--shown']);
    assert.deepEqual(await outcomeOf('host', id), [0, 'accepted', 'caller']);
  });

  test('answered with a no: 1', async () => {
    const { id } = await ask('host', 'Log in');
    await ok('alice', ['confirm', 'reject', id], { terminal: true });
    assert.deepEqual(await outcomeOf('host', id), [1, 'rejected', 'screen']);
  });

  test('expired: 2', async () => {
    const { status, stdout } = await run('host', [
      'confirm',
      'post',
      'Log in',
      '--expires',
      '4s',
      '--wait',
      '--json',
    ]);
    assert.equal(status, 2, stdout);
    assert.equal((JSON.parse(stdout.trim().split('\n').at(-1)!) as { outcome: string }).outcome, 'expired');
  });

  test('refused: 3', async () => {
    await introduce('bob', 'shop');
    const { id } = await ask('shop', 'Buy');
    await ok('bob', ['confirm', 'block', 'shop@example.com']);
    assert.deepEqual(await outcomeOf('shop', id), [3, 'refused']);
    const again = await run('shop', ['confirm', 'post', 'Buy', '--json']);
    assert.equal(again.status, 3);
    assert.match(again.stderr, /"not-permitted"/);
  });

  test('cancelled by the enquirer: 4', async () => {
    await introduce('carol', 'bank');
    const { id } = await ask('bank', 'Pay', '--kind', 'payment', '--field', 'Amount=12.00 EUR');
    await ok('bank', ['confirm', 'cancel', id]);
    assert.deepEqual(await outcomeOf('bank', id), [4, 'cancelled-by-enquirer']);
  });

  test('cancelled by the broker: 4', async () => {
    const { id } = await ask('bank', 'Pay', '--kind', 'payment');
    await ok('bank', ['broker', 'cancel', id, '--reason', 'maintenance', '--data', broker.data]);
    assert.deepEqual(await outcomeOf('bank', id), [4, 'cancelled-by-broker']);
  });

  test('ended by three wrong passcodes: 5; and with the right one: 0', async () => {
    const { id, passcode } = await ask('bank', 'Log in', '--passcode');
    const wrong = passcode === '000000' ? '000001' : '000000';
    for (let i = 0; i < 2; i++) {
      const { status, stderr } = await run('carol', [
        'confirm',
        'accept',
        id,
        '--shown',
        '--passcode',
        wrong,
      ]);
      assert.equal(status, 9);
      assert.match(stderr, /more tr(?:y|ies) \(passcode-wrong\)/);
    }
    assert.equal((await run('carol', ['confirm', 'accept', id, '--shown', '--passcode', wrong])).status, 5);
    assert.deepEqual(await outcomeOf('bank', id), [5, 'passcode-failed']);
    const withQR = await ok('bank', ['confirm', 'post', 'Log in', '--passcode', '--qr']);
    const [, digits] = /Type this there: (\d{6})/.exec(withQR.stdout)!;
    assert.ok(withQR.stdout.includes(encodeQR(digits!, 'ascii', { ecc: 'low' })));
    const second = await ask('bank', 'Log in', '--passcode');
    await ok('carol', ['confirm', 'accept', second.id, '--shown', '--passcode', second.passcode!]);
    assert.deepEqual(await outcomeOf('bank', second.id), [0, 'accepted', 'caller']);
  });
});

describe('the words of the source document', () => {
  test('its four commands run as printed, after the word countersign', async () => {
    await ok('source', ['account', 'create']);
    const { stdout } = await ok('source', ['account', 'show', '--json']);
    assert.equal((JSON.parse(stdout) as { name: string }).name, `${userInfo().username}@localhost`);
    await ok('host1', ['account', 'create', 'host1@example.com']);
    const link = async (who: string) => (await ok(who, ['account', 'show', '--link'])).stdout.trim();
    await ok('source', ['contact', 'add', await link('host1')]);
    await ok('host1', ['contact', 'add', await link('source'), '--default']);

    const posted = await ok('host1', ['confirm', 'post', 'Log in to Host1']);
    const id = /\bid\s+([A-Z2-7-]{34})/.exec(posted.stdout)![1]!;
    const inFives = id
      .replaceAll('-', '')
      .match(/.{1,5}/g)!
      .join('-');
    const pending = await ok('source', ['confirm', 'pending', '/'], { terminal: true });
    assert.match(pending.stdout, /Log in to Host1/);
    const accepted = await ok('source', ['confirm', 'accept', inFives, '/'], { terminal: true });
    assert.match(accepted.stdout, /host1@example\.com.* asks:\s+.*Log in to Host1/s);
    assert.deepEqual(await outcomeOf('host1', id), [0, 'accepted', 'screen']);
  });
});

describe('an id is taken', () => {
  test('in groups of four or five, in any case, without dashes, as a start, with a slash behind', async () => {
    await introduce('dora', 'ids');
    const { id } = await ask('ids', 'Log in');
    const bare = id.replaceAll('-', '');
    for (const typed of [
      id,
      bare,
      bare.toLowerCase(),
      bare.match(/.{1,5}/g)!.join('-'),
      bare.slice(0, 9),
      `${id}/`,
    ]) {
      assert.equal((await outcomeOf('ids', typed))[1], 'pending', typed);
    }
    await ask('ids', 'And again');
    const ambiguous = await run('ids', ['confirm', 'status', 'M', '--json']);
    assert.equal(ambiguous.status, 9);
    assert.match(ambiguous.stderr, /"request-ambiguous"/);
    assert.match((await run('ids', ['confirm', 'status', 'MZZZ-ZZZZ'])).stderr, /request-unknown/);
    assert.match((await run('ids', ['confirm', 'status', '!!'])).stderr, /fingerprint-invalid/);
  });
});

describe('what was not shown is not signed', () => {
  test('without a terminal, an accept needs the hash or somebody’s word', async () => {
    await introduce('erin', 'hashes');
    const { id, hash } = await ask('hashes', 'Log in');
    const bare = await run('erin', ['confirm', 'accept', id]);
    assert.equal(bare.status, 9);
    assert.match(bare.stderr, /not-shown/);
    const other = await run('erin', ['confirm', 'accept', id, '--hash', 'A'.repeat(43)]);
    assert.match(other.stderr, /request-mismatch/);
    await ok('erin', ['confirm', 'accept', id, '--hash', hash]);
    assert.deepEqual(await outcomeOf('hashes', id), [0, 'accepted', 'hash']);
  });

  test('the start of an id accepts only what was shown here before', async () => {
    await introduce('fred', 'starts');
    const first = await ask('starts', 'Pay 1 EUR');
    const terminal = { terminal: true };
    const start = first.id.slice(0, 7);
    const early = await run('fred', ['confirm', 'accept', start], terminal);
    assert.equal(early.status, 9);
    assert.match(early.stdout, /Pay 1 EUR.*not-shown/s);
    assert.match((await run('fred', ['confirm', 'accept', start, '--json', '--shown'])).stdout, /"accept"/);

    const second = await ask('starts', 'Pay 2 EUR');
    const byScript = await run('fred', ['confirm', 'accept', second.id.slice(0, 7), '--shown']);
    assert.match(byScript.stderr, /not-shown.*whole id/s);
    await ok('fred', ['confirm', 'pending']);
    await ok('fred', ['confirm', 'accept', second.id.slice(0, 7)], terminal);
    assert.deepEqual(await outcomeOf('starts', second.id), [0, 'accepted', 'screen']);

    const third = await ask('starts', 'Pay 3 EUR');
    await ok('fred', ['confirm', 'accept', third.id], terminal);
    assert.deepEqual(await outcomeOf('starts', third.id), [0, 'accepted', 'screen']);
  });
});

describe('a script learns', () => {
  test('that a command was not understood (64), that nobody answers (69), that there is no account (9)', async () => {
    for (const words of [
      [],
      ['nonsense'],
      ['confirm', 'accept'],
      ['confirm', 'post', 'x', '--kind', 'odd'],
      ['broker', 'serve', '--port', 'x'],
    ]) {
      assert.equal((await run('alice', words)).status, 64, words.join(' '));
    }
    const gone = await run('new', ['account', 'create', 'x@example.com', '--broker', 'http://127.0.0.1:9']);
    assert.equal(gone.status, 69);
    assert.match(gone.stderr, /hint: is it running/);
    assert.equal((await run('none', ['confirm', 'pending'])).status, 9);
  });

  test('that help in the place of a text is no yes', async () => {
    await introduce('gina', 'texts');
    for (const text of ['-h', '--help', '--version']) {
      const { status } = await run('texts', ['confirm', 'post', 'gina@example.com', text, '--wait']);
      assert.equal(status, 64, text);
      assert.equal((await run('texts', ['confirm', 'post', text, '--wait'])).status, 64, text);
    }
    assert.equal((await run('texts', ['confirm', 'post', '--help'])).status, 0);
    assert.equal((await run('texts', ['help', 'confirm'])).status, 0);
    const { stdout } = await ok('texts', ['confirm', 'post', 'gina@example.com', '--json', '--', '-h']);
    assert.match((await ok('gina', ['confirm', 'pending'])).stdout, /: -h$/m);
    const { id, hash } = JSON.parse(stdout) as AskedJson;

    await ok('gina', ['confirm', 'accept', id, '--hash', hash]);
    const receipt = join(folder.path, 'receipt.json');
    await ok('texts', ['confirm', 'verify', id, '--out', receipt]);
    const brokerKey = /its key\s+(\S+)/.exec((await ok('texts', ['account', 'show'])).stdout)![1]!;
    const bare = await ok('texts', ['receipt', 'verify', receipt]);
    assert.match(bare.stdout, new RegExp(`broker\\s+${brokerKey}.*Whose key it is was not compared`, 's'));
    const compared = await ok('texts', ['receipt', 'verify', receipt, '--broker-key', brokerKey]);
    assert.doesNotMatch(compared.stdout, /was not compared/);
    const other = await run('texts', ['receipt', 'verify', receipt, '--broker-key', id]);
    assert.equal(other.status, 8);
  });

  test('that an empty passphrase seals nothing', async () => {
    const { status, stderr } = await countersign(
      profile('empty'),
      ['account', 'create', 'empty@example.com', '--broker', broker.origin],
      { env: { COUNTERSIGN_PASSPHRASE: '' } },
    );
    assert.equal(status, 9);
    assert.match(stderr, /passphrase-needed/);
  });

  test('a wrong passphrase, a name that is taken, a profile that is used: each by its code', async () => {
    const wrong = await countersign(profile('alice'), ['confirm', 'pending'], {
      env: { COUNTERSIGN_PASSPHRASE: 'no' },
    });
    assert.match(wrong.stderr, /passphrase-wrong/);
    assert.match((await run('other', ['account', 'create', 'alice@example.com'])).stderr, /account-exists/);
    assert.match((await run('alice', ['account', 'create', 'again@example.com'])).stderr, /profile-exists/);
    assert.match((await ok('alice', ['account', 'show'])).stdout, /alice@example\.com/);
  });

  test('that a name was taken on first use', async () => {
    await ok('stranger', ['account', 'create', 'stranger@example.com']);
    const { stdout } = await ok('stranger', ['confirm', 'post', 'alice@example.com', 'Hello']);
    assert.match(stdout, /taken on first use/);
    const pending = await ok('alice', ['confirm', 'pending']);
    assert.match(pending.stdout, /contact request\s+stranger@example\.com/);
    assert.doesNotMatch(pending.stdout, /Hello/);
  });
});
