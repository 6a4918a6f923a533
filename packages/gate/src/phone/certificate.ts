/**
 * An authority of this host's own and a certificate by it, for a network that no public authority knows. The authority may
 * vouch for this host's names and for nothing else (RFC 5280 section 4.2.1.10): whoever trusts it on a telephone gives
 * nobody the power to stand for other sites. Made by the `openssl` program.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface MadeCertificate {
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the authority's certificate, as telephones show it. */
  readonly fingerprint: string;
}

const AUTHORITY_DAYS = 3650;
/** Apple takes no certificate for a longer time, whoever vouches for it. */
const DAYS = 820;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;
const EVERY_IP = 'excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::';

/**
 * Makes the authority, where the folder has none, and a new certificate by it.
 * @param names host names and addresses, at least one of them a name
 * @throws Error where `openssl` is not there, or refuses
 */
export function makeCertificate(folder: string, names: readonly string[]): MadeCertificate {
  const strange = names.find((name) => isIP(name) === 0 && !HOST_NAME.test(name));
  if (strange !== undefined) throw new Error(`“${strange}” is no host’s name, and no address`);
  const hosts = names.filter((name) => isIP(name) === 0);
  const addresses = names.filter((name) => isIP(name) !== 0);
  if (hosts.length === 0) throw new Error('a certificate needs a host’s name, not addresses alone');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(folder, name);
  const [authority, authorityKey, cert, key] = [
    'authority.crt',
    'authority.key',
    'phone.crt',
    'phone.key',
  ].map(at) as [string, string, string, string];
  const work = mkdtempSync(join(tmpdir(), 'countersign-certificate-'));
  const wide = process.umask(0o077);
  try {
    if (!existsSync(authority)) {
      openssl([
        ...['req', '-x509', ...NEW_KEY, '-days', `${AUTHORITY_DAYS}`, '-subj', `/CN=${hosts[0]} (its own)`],
        ...['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0'],
        ...['-addext', 'keyUsage=critical,keyCertSign'],
        ...['-addext', `nameConstraints=critical,${limits(hosts, addresses)}`],
        ...['-keyout', authorityKey, '-out', authority],
      ]);
    }
    const [request, extensions] = [join(work, 'request.pem'), join(work, 'extensions')];
    // What is there stays, until all is made.
    const [freshCert, freshKey] = [`${cert}.new`, `${key}.new`];
    openssl(['req', '-new', ...NEW_KEY, '-subj', `/CN=${hosts[0]}`, '-keyout', freshKey, '-out', request]);
    const alternatives = [...hosts.map((name) => `DNS:${name}`), ...addresses.map((one) => `IP:${one}`)];
    writeFileSync(
      extensions,
      `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${alternatives.join(',')}\n`,
    );
    openssl([
      ...['x509', '-req', '-in', request, '-CA', authority, '-CAkey', authorityKey, '-CAcreateserial'],
      ...['-days', `${DAYS}`, '-extfile', extensions, '-out', freshCert],
    ]);
    // An authority that is there may not vouch for names that are new.
    openssl(['verify', '-CAfile', authority, freshCert]);
    renameSync(freshKey, key);
    renameSync(freshCert, cert);
  } finally {
    process.umask(wide);
    for (const left of [work, `${cert}.new`, `${key}.new`]) rmSync(left, { recursive: true, force: true });
  }
  for (const open of [authority, cert]) chmodSync(open, 0o644);
  const { fingerprint256 } = new X509Certificate(readFileSync(authority));
  return { authority, cert, key, fingerprint: fingerprint256 };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;

function limits(hosts: readonly string[], addresses: readonly string[]): string {
  const permitted = addresses.map(
    (one) => `permitted;IP:${one}/${isIPv4(one) ? '255.255.255.255' : ONE_IPV6}`,
  );
  const kinds = [isIPv4, (one: string) => !isIPv4(one)];
  const excluded = EVERY_IP.split(',').filter((_, i) => !addresses.some(kinds[i]!));
  return [...hosts.map((name) => `permitted;DNS:${name}`), ...permitted, ...excluded].join(',');
}

const ONE_IPV6 = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

function openssl(words: readonly string[]): void {
  try {
    execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (cause) {
    const { code, stderr } = cause as NodeJS.ErrnoException & { stderr?: string };
    const why = code === 'ENOENT' ? 'the program `openssl` is not installed' : `openssl: ${stderr?.trim()}`;
    throw new Error(why, { cause });
  }
}
