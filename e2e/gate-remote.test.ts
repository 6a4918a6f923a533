/**
 * A host whose demultiplexer is on another one, by mutual TLS, as `configure --remote` sets it up; and who may be a
 * system interface where both are on one.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { encodeFrame } from '@countersign/core/m-auth';
import { countersignGate, type DemultiplexerProcess, type GateProcess, startGate } from './gate-processes.ts';
import { pairValidator } from './gate-validator.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld } from './gate-world.ts';
import { until } from './until.ts';

const ORIGIN = 'https://app.example';
const run = promisify(execFile);
const world = createGateWorld();
const file = world.at;
let demultiplexer: DemultiplexerProcess;

/** A certificate and its key, in `<name>.pem` and `<name>.key`. */
function certify(name: string, ...words: string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  execFileSync('openssl', ['req', '-x509', ...key, '-subj', `/CN=${name}`, ...files, ...words], {
    cwd: world.folder,
    stdio: 'pipe',
  });
}

before(async () => {
  certify('authority');
  certify('stranger');
  const issued = ['-CA', 'authority.pem', '-CAkey', 'authority.key'];
  certify('gate', ...issued, '-addext', 'subjectAltName=IP:127.0.0.1');
  certify('host7', ...issued);
  await world.demultiplex([
    ...['--remote', '127.0.0.1:0', '--remote-cert', file('gate.pem'), '--remote-key', file('gate.key')],
    ...['--remote-ca', file('authority.pem'), '--interfaces-mode', '0666'],
  ]);
  ({ demultiplexer } = world);
});

/** Says to a host's records that its demultiplexer is elsewhere, and who the host is there. */
async function configure(data: string, who: string, authority = 'authority'): Promise<void> {
  const { remotePort } = demultiplexer.lines.find(({ event }) => event === 'listening')!;
  const { status, stderr } = await countersignGate(data, [
    ...['configure', '--host', 'app.example', '--address', `127.0.0.1:${demultiplexer.port}`],
    ...['--remote', `127.0.0.1:${remotePort}`, '--cert', file(`${who}.pem`), '--key', file(`${who}.key`)],
    ...['--authority', file(`${authority}.pem`)],
  ]);
  assert.equal(status, 0, stderr);
}

test('with a certificate of the authority: status, pairing and a sign-on, all over the network', async () => {
  const data = file('good');
  await configure(data, 'host7');
  const { status, stdout } = await countersignGate(data, ['status', '--json']);
  assert.deepEqual([status, JSON.parse(stdout).demultiplexerAnswers], [0, true]);
  const alice = await pairValidator(data, 'alice');
  let gate: GateProcess | undefined;
  try {
    gate = await startGate(data, { origin: ORIGIN });
    const visit = await visitGate(`http://127.0.0.1:${gate.webPort}`, ORIGIN, 'alice');
    assert.equal((await alice.signOn(visit.passcode)).end.outcome, 'granted');
    assert.ok((await visit.end()).session);
    await bothAsk();
  } finally {
    await gate?.stop();
  }
  const queued = demultiplexer.lines.filter(({ event }) => event === 'queued');
  assert.deepEqual([...new Set(queued.map(({ owner }) => owner))], ['host host7']);
});

/** Lines to the demultiplexer that stand, as the kernel has them: where one end dies without a word, the other asks. */
async function bothAsk(): Promise<void> {
  const { remotePort } = demultiplexer.lines.find(({ event }) => event === 'listening')!;
  for (const end of ['sport', 'dport']) {
    // One that sends just now has another timer meanwhile.
    await until(async () => {
      const { stdout } = await run('ss', ['-tnoH', 'state', 'established', end, '=', `:${remotePort}`]);
      const lines = stdout.trim().split('\n');
      // The host waits for word of a lost device: one there is always.
      return lines[0] !== '' && lines.every((line) => line.includes('timer:(keepalive,'));
    });
  }
}

test('to a demultiplexer of another authority nothing is said', async () => {
  const data = file('other');
  await configure(data, 'host7', 'stranger');
  const { status, stdout } = await countersignGate(data, ['status', '--json']);
  assert.deepEqual([status, JSON.parse(stdout).demultiplexerAnswers], [1, false]);
});

test('on one host, whoever is not named is no system interface, though the socket lets them connect', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('another user is needed');
  const tag = new Uint8Array(16).fill(1);
  const request = encodeFrame({
    kind: 'request',
    purpose: 'sign-on',
    lifetime: 500,
    bucket: tag,
    tags: [tag],
  });
  const script = `
    const socket = require('node:net').createConnection(process.argv[1]);
    socket.on('connect', () => socket.write(Buffer.from(process.argv[2], 'hex')));
    socket.on('error', () => {});
    socket.on('close', () => console.log('closed'));`;
  const words = ['-e', script, demultiplexer.interfaces, Buffer.from(request).toString('hex')];
  const owners = () =>
    demultiplexer.lines.filter(({ event }) => event === 'queued').map(({ owner }) => String(owner));
  const before = owners().length;
  const stranger = await run(process.execPath, words, { uid: 65_534, gid: 65_534, cwd: '/' });
  assert.equal(stranger.stdout, 'closed\n');
  assert.equal(owners().length, before);
  const root = await run(process.execPath, words);
  assert.equal(root.stdout, 'closed\n');
  assert.deepEqual(owners().slice(before), ['uid 0']);
});
