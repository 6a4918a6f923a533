/**
 * The host's CPU for one M-AUTH, beside a server's for one handshake of mutual TLS 1.3 in the same Node.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { HostRecords } from '../../packages/gate/src/index.ts';
import type { Progress } from '../progress.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { median, rounded } from '../statistics.ts';
import { startDemultiplexer } from './demultiplexer.ts';
import { checkExchange, exchange } from './exchange.ts';
import { makePairs } from './pairs.ts';
import { signOnAtDaemon, signOnAtProtocol } from './sign-ons.ts';

const PROTOCOL = fileURLToPath(new URL('protocol-server.ts', import.meta.url));
const DAEMON = fileURLToPath(new URL('daemon-server.ts', import.meta.url));
const BARE = fileURLToPath(new URL('../yardsticks/exchange-server.ts', import.meta.url));
const TLS = fileURLToPath(new URL('../yardsticks/tls-server.ts', import.meta.url));
const PAIRS = 64;
const IN_FLIGHT = 16;

interface Contestant {
  readonly server: ServerProcess;
  once(): Promise<unknown>;
}

export async function benchHandshakes(folder: string, quick: boolean, progress: Progress) {
  const [rounds, size] = handshakeRounds(quick);
  const pairs = await makePairs(PAIRS);
  const file = join(folder, 'records.json');
  writeFileSync(file, JSON.stringify(pairs.map(({ host }) => host)), { mode: 0o600 });
  await using protocol = await startServer(PROTOCOL, [file]);
  await using bare = await startServer(BARE, []);
  const certificates = makeCertificates(folder);
  const { server: own, client, authority } = certificates;
  await using tls = await startServer(TLS, [own.cert, own.key, authority]);
  const identity = {
    cert: readFileSync(client.cert),
    key: readFileSync(client.key),
    ca: readFileSync(authority),
  };
  await using demultiplexer = await startDemultiplexer(folder);
  const onDisk = await makePairs(PAIRS);
  const data = join(folder, 'host');
  const store = new HostRecords(data);
  for (const { user, host } of onDisk) store.addPair(user, host, 0);
  store.close();
  const byUser = new Map(onDisk.map((pair) => [pair.user, pair]));
  await using daemon = await startServer(DAEMON, [data, demultiplexer.interfaces]);

  checkExchange(await signOnAtProtocol(protocol.port, pairs));
  const contestants: Record<'mAuth' | 'bare' | 'tls' | 'daemon', Contestant> = {
    mAuth: { server: protocol, once: () => signOnAtProtocol(protocol.port, pairs) },
    bare: { server: bare, once: () => exchange(bare.port) },
    tls: { server: tls, once: () => handshake(tls.port, identity) },
    daemon: { server: daemon, once: () => signOnAtDaemon(daemon.port, demultiplexer.port, byUser) },
  };
  const names = Object.keys(contestants) as (keyof typeof contestants)[];
  const cpu = { mAuth: [], bare: [], tls: [], daemon: [] } as Record<keyof typeof contestants, number[]>;
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { server, once } = contestants[name];
      const before = server.cpuSeconds();
      await many(size, IN_FLIGHT, once);
      if (round > 0) cpu[name].push(((server.cpuSeconds() - before) / size) * 1e6);
    }
    progress.step(round === 0 ? 'handshakes: warm' : `handshakes: round ${round} of ${rounds}`);
  }
  const ratios = (name: 'mAuth' | 'bare' | 'daemon') => cpu[name].map((one, round) => one / cpu.tls[round]!);
  return {
    signOns: size,
    rounds,
    cpuMicroseconds: {
      mAuth: rounded(median(cpu.mAuth), 0),
      bare: rounded(median(cpu.bare), 0),
      mutualTls: rounded(median(cpu.tls), 0),
      daemon: rounded(median(cpu.daemon), 0),
    },
    ratioToMutualTls: rounded(median(ratios('mAuth'))),
    ratios: ratios('mAuth').map((ratio) => rounded(ratio)),
    bareToMutualTls: rounded(median(ratios('bare'))),
    daemonToMutualTls: rounded(median(ratios('daemon'))),
  };
}

export function handshakeRounds(quick: boolean): [rounds: number, size: number] {
  return quick ? [3, 300] : [7, 1000];
}

/** So many of them, some at a time. */
export async function many(count: number, inFlight: number, once: () => Promise<unknown>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function handshake(port: number, identity: { cert: Buffer; key: Buffer; ca: Buffer }): Promise<void> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    minVersion: 'TLSv1.3',
    ...identity,
  });
  // One byte: both certificates were good.
  await once(socket, 'data');
  socket.destroy();
}

/** P-256 throughout, and an authority that signs for both sides. */
function makeCertificates(folder: string) {
  const place = join(folder, 'certificates');
  mkdirSync(place);
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: place, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=authority',
    '-days',
    '2',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  const signed = (name: string) => {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(place, 'names'), 'subjectAltName=DNS:localhost');
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
    return { cert: join(place, `${name}.pem`), key: join(place, `${name}.key`) };
  };
  return { server: signed('server'), client: signed('client'), authority: join(place, 'ca.pem') };
}
