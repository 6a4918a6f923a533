/**
 * What sudo does with a yes: for a while it runs further commands at the same terminal, and asks PAM nothing
 * (sudoers(5), timestamp_timeout). Nobody is shown those.
 * @module
 */
import { existsSync } from 'node:fs';
import { ask } from './run.ts';

const SUDOERS = '/etc/sudoers';

/** What to say of it here; nothing where there is no sudo, or it asks about each command. */
export async function sudoNote(): Promise<string | undefined> {
  // What sudo itself makes of all its files, for everybody; what stands there for some alone is not in it.
  if (!existsSync(SUDOERS) || asksEachTime(await ask('sudo', ['-n', '-l']))) return undefined;
  return [
    'sudo: whoever said yes to one command is not asked about others at that terminal for a while, 15 minutes by default.',
    'To have each command asked about, write this line by `visudo -f /etc/sudoers.d/countersign`:',
    '    Defaults timestamp_timeout=0',
  ].join('\n');
}

/** @param listed what `sudo -l` prints: the last setting counts */
export function asksEachTime(listed: string): boolean {
  const [, never, minutes] =
    [...listed.matchAll(/(!)timestamp_timeout\b|\btimestamp_timeout=(\S+?)(?=,|\s|$)/g)].at(-1) ?? [];
  return never !== undefined || Number(minutes) === 0;
}
