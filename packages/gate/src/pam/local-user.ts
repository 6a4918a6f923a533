/**
 * The number of a local user, as the system's own lookup has it (files, LDAP, systemd).
 * @module
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 5000;

/** @returns nothing where there is no such user, or nobody can tell */
export async function uidOf(user: string): Promise<number | undefined> {
  // getent takes a number for a uid, and a leading dash for an option.
  if (!/^[a-z_][a-z0-9_.@-]*\$?$/i.test(user)) return undefined;
  try {
    const { stdout } = await promisify(execFile)('getent', ['passwd', user], { timeout: TIMEOUT_MS });
    const [name, , uid] = stdout.trimEnd().split(':');
    return name === user && uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined;
  } catch {
    return undefined;
  }
}
