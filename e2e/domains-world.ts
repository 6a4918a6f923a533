/**
 * Domains of the tests' own: a DNS server (Debian's dnsmasq) and a web server with a certificate of the tests' CA, on
 * loopback. Whoever changes a record restarts the DNS server, as its configuration is read once.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { DomainLookupOptions } from '../packages/broker/src/domain-lookup.ts';
import { temporaryFolder } from './processes.ts';
import { until } from './until.ts';

/** What answers for a name: its address, and its TXT records. */
export interface Zone {
  /** Addresses by name. */
  addresses: Record<string, readonly string[]>;
  /** Texts by name. */
  texts: Record<string, readonly string[]>;
}

export interface DomainsWorld extends AsyncDisposable {
  readonly zone: Zone;
  /** Where it is and whom it trusts, as the broker takes it: with loopback allowed. */
  readonly lookup: DomainLookupOptions;
  /** Path of the CA's certificate. */
  readonly ca: string;
  /** Makes the DNS server answer by the zone as it is now. */
  publish(): Promise<void>;
  /** Ends the DNS server: nothing answers any more. */
  silence(): Promise<void>;
  /** What the web server answers, and how often it was called. */
  answer: RequestListener;
  readonly calls: { readonly host: string | undefined; readonly path: string | undefined }[];
}

/** @param names for which the web server has a certificate */
export async function startDomains(names: readonly string[]): Promise<DomainsWorld> {
  const folder = await temporaryFolder();
  const { cert, key, ca } = makeCertificates(folder.path, names);
  const calls: { host: string | undefined; path: string | undefined }[] = [];
  const web: Server = createServer({ cert, key }, (call, reply) => {
    calls.push({ host: call.headers.host, path: call.url });
    world.answer(call, reply);
  }) as unknown as Server;
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const port = (web.address() as AddressInfo).port;
  const dnsPort = await freePort();
  const server = `127.0.0.1:${dnsPort}`;
  let dns: ChildProcess | undefined;

  const silence = async () => {
    if (dns === undefined) return;
    const gone = once(dns, 'exit');
    dns.kill();
    await gone;
    dns = undefined;
  };
  const zone: Zone = { addresses: {}, texts: {} };
  const world: DomainsWorld = {
    zone,
    calls,
    ca: join(folder.path, 'ca.pem'),
    lookup: { servers: [server], networks: ['127.0.0.0/8'], port, ca },
    answer: (_call, reply) => void reply.writeHead(404).end(),
    async publish() {
      await silence();
      const file = join(folder.path, 'dnsmasq.conf');
      writeFileSync(file, configuration(zone, dnsPort));
      dns = spawn('/usr/sbin/dnsmasq', ['--keep-in-foreground', '--no-daemon', `--conf-file=${file}`], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      dns.stderr!.on('data', (text) => {
        said += text;
      });
      await answers(server, () => said);
    },
    silence,
    async [Symbol.asyncDispose]() {
      await silence();
      web.closeAllConnections();
      web.close();
      await folder[Symbol.asyncDispose]();
    },
  };
  return world;
}

function configuration({ addresses, texts }: Zone, port: number): string {
  return [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'no-poll',
    'user=root',
    'pid-file=',
    // It knows all there is: what it does not know is not there.
    'local=/#/',
    'txt-record=ready.example,yes',
    ...Object.entries(addresses).flatMap(([name, all]) =>
      all.map((address) => `host-record=${name},${address}`),
    ),
    ...Object.entries(texts).flatMap(([name, all]) => all.map((text) => `txt-record=${name},${parts(text)}`)),
  ].join('\n');
}

/** A text of more than 255 bytes stands in several strings (RFC 1035 section 3.3). */
function parts(text: string): string {
  return (text.match(/.{1,200}/g) ?? ['']).map((part) => `"${part}"`).join(',');
}

async function answers(server: string, said: () => string): Promise<void> {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([server]);
  await until(
    async () => (await resolver.resolveTxt('ready.example').catch(() => [])).length > 0,
    () => `the DNS server does not answer: ${said()}`,
  );
}

/** A port that was free a moment ago, by UDP and TCP. */
async function freePort(): Promise<number> {
  const tcp = createTcpServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  udp.close();
  tcp.close();
  return port;
}

function makeCertificates(folder: string, names: readonly string[]) {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=Tests', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl(
    ...[
      'req',
      '-x509',
      ...newKey,
      '-subj',
      `/CN=${names[0]}`,
      '-keyout',
      at('web.key'),
      '-out',
      at('web.pem'),
    ],
    ...['-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ...['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  const read = (name: string) => readFileSync(at(name), 'utf8');
  return { cert: read('web.pem'), key: read('web.key'), ca: read('ca.pem') };
}
