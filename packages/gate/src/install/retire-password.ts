/**
 * Takes a user's password out of use: a long random one in its place, printed once, and no password asked for by the
 * services that are named. Linux, with shadow passwords.
 * @module
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountersignError, type CryptoProvider, encodeBase32, groupBase32 } from '@countersign/core';
import { ANY_SERVICE } from '@countersign/core/m-auth';
import * as v from 'valibot';
import { byHand, optionsIn } from './stack.ts';
import { stacksWithModule } from './system.ts';
import { writeWhole } from './write-whole.ts';

/** How a user can come in here. */
export type Standing = 'password only' | 'both' | 'gate only' | 'neither';

/** 160 bits: as good as no password, and it can be typed in an emergency. */
const PASSWORD_BYTES = 20;
const STACKS = '/etc/pam.d';
const RETIRED = v.record(v.string(), v.string());
/** A stack of Debian's, and of others, that asks for the password. */
const PASSWORD_LINE = /^(@include\s+common-auth|auth\s+\S+\s+(?:pam_unix\.so|system-auth|password-auth).*)$/;

/** @throws `usage` where there is no such user with a password */
export function checkPassword(user: string): void {
  if (shadowOf(user) === undefined)
    throw new CountersignError('usage', `no user ${user} with a password here: nothing was changed`);
}

/**
 * Sets a random password.
 * @returns it, to be sealed
 * @throws `usage` where it can't be set
 */
export async function retirePassword(crypto: CryptoProvider, data: string, user: string): Promise<string> {
  const password = groupBase32(encodeBase32(crypto.randomBytes(PASSWORD_BYTES)));
  const child = spawn('chpasswd', { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.end(`${user}:${password}\n`);
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new CountersignError('usage', `the password was not changed: ${said.trim()}`);
  const retired = readRetired(data);
  writeWhole(
    join(data, 'retired.json'),
    JSON.stringify({ ...retired, [user]: digest(shadowOf(user)!) }),
    0o600,
  );
  return password;
}

/** A stack before and after its password is taken off. */
export interface StackChange {
  readonly service: string;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * What has a service ask for no password: its line for that is put out of use, and ours in its place.
 * @returns nothing where it asks for none already
 * @throws `usage` where the service's stack is not of a kind that we know
 */
export function takingPasswordOff(service: string, options: readonly string[]): StackChange | undefined {
  const line = byHand({ stand: 'instead', options });
  const path = join(STACKS, service);
  if (!/^[\w.-]+$/.test(service) || !existsSync(path)) {
    throw new CountersignError('usage', `no stack of a service ${JSON.stringify(service)}`);
  }
  const before = readFileSync(path, 'utf8');
  const lines = before.split('\n');
  const at = lines.findIndex((text) => PASSWORD_LINE.test(text));
  if (at < 0) {
    if (lines.some((text) => optionsIn(text) !== undefined)) return undefined;
    throw new CountersignError('usage', `${path} does not ask for the password in a way that we know`, {
      hint: `write it by hand: ${line}`,
    });
  }
  const after = lines.toSpliced(at, 1, `# countersign-gate took this off: ${lines[at]}`, line).join('\n');
  return { service, path, before, after };
}

/**
 * How a user can come in.
 * @param services what their validators are for that are enabled; all, where they have an account to push to
 */
export function standingOf(data: string, user: string, services: readonly string[]): Standing {
  // A validator for a web page alone opens no login program.
  const any = services.some((service) => service === ANY_SERVICE || existsSync(join(STACKS, service)));
  const gate = any && stacksWithModule().length > 0;
  const hash = shadowOf(user);
  const password = hash !== undefined && readRetired(data)[user] !== digest(hash);
  if (gate) return password ? 'both' : 'gate only';
  return password ? 'password only' : 'neither';
}

/** Who has a password that opens something; only root can see that. */
export function usersWithPassword(): string[] {
  const names = readFileSync('/etc/shadow', 'utf8')
    .split('\n')
    .map((line) => line.split(':', 1)[0]!);
  return names.filter((name) => shadowOf(name) !== undefined);
}

/** The hash of a user's password, where there is one that opens something. */
function shadowOf(user: string): string | undefined {
  for (const line of readFileSync('/etc/shadow', 'utf8').split('\n')) {
    const [name, hash] = line.split(':');
    // With none at all, `nullok` of pam_unix opens to whoever presses Enter.
    if (name === user) return hash === undefined || /^[!*]/.test(hash) ? undefined : hash;
  }
  return undefined;
}

/** By it we see whether the password is still the one that we set. */
function digest(hash: string): string {
  return createHash('sha256').update(hash).digest('base64url');
}

function readRetired(data: string): Record<string, string> {
  const path = join(data, 'retired.json');
  return existsSync(path) ? v.parse(RETIRED, JSON.parse(readFileSync(path, 'utf8'))) : {};
}
