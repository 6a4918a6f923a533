/**
 * Puts the module in and takes it out. Each step says what it does before it does it; a dry run only says. What
 * goes wrong on the way in is undone.
 * @module
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CountersignError } from '@countersign/core';
import { countGranted } from '../pam/count-granted.ts';
import { afterwards, closing, type Firewall, openedPort, opening, readFirewall, runAll } from './firewall.ts';
import { run } from './run.ts';
import { byHand, MODULE, pamAuthUpdateProfile, type StackLine } from './stack.ts';
import { sudoNote } from './sudo.ts';
import { type PamSystem, stacksWithModule } from './system.ts';
import { writeWhole } from './write-whole.ts';

export interface InstallOptions {
  readonly system: PamSystem;
  readonly line: StackLine;
  /** The module, compiled. */
  readonly module: string;
  /** Where the daemon listens. */
  readonly socket: string;
  /** A folder for the backup; it must not be there yet. */
  readonly backup: string;
  /** To be opened in the firewall that is at work here; only where it is told. */
  readonly openPort?: number;
  readonly dryRun: boolean;
  readonly say: (text: string) => void;
  /** Whether somebody came in by a second session; a no undoes all. */
  readonly secondSession: () => Promise<boolean>;
}

const PROFILE = '/usr/share/pam-configs/countersign';
const PROFILE_NAME = 'countersign';
const STACKS = '/etc/pam.d';
const OUR_MANUAL = join(import.meta.dirname, '..', '..', 'pam', 'pam_countersign.8');
/** Where man(1) looks for what a system's own packages did not bring. */
const MANUAL = '/usr/local/share/man/man8/pam_countersign.8';

/** What stood here before: an installation, or nothing. */
interface Before {
  readonly module: Buffer | undefined;
  readonly manual: Buffer | undefined;
  readonly profile: Buffer | undefined;
  /** That was open in the firewall. */
  readonly port: number | undefined;
}

/**
 * Installs.
 * @returns false where it was undone, since nobody came in by a second session; what stood before stands again then
 * @throws `usage` where this system's stacks are not ours to write, or no daemon answers; nothing was changed then
 */
export async function install(options: InstallOptions): Promise<boolean> {
  const { system, line, dryRun, say, openPort } = options;
  const firewall = openPort === undefined ? undefined : await readFirewall();
  const commands = firewall === undefined || openPort === undefined ? [] : await opening(firewall, openPort);
  const aboutSudo = await sudoNote();
  if (system.keeper !== 'pam-auth-update') {
    say(linesByHand(system, line));
    if (aboutSudo !== undefined) say(aboutSudo);
    for (const words of commands) say(`For the port: ${words.join(' ')}`);
    throw new CountersignError(
      'usage',
      'nothing was changed: the stacks of this system are written by hand',
      {
        hint: 'the lines and the paths are above',
      },
    );
  }
  const { stand } = line;
  if (!dryRun && stand !== 'beside' && (await countGranted(options.socket)) === undefined) {
    throw new CountersignError('usage', `no daemon answers at ${options.socket}: nobody could come in`, {
      hint: 'start it first; nothing was changed',
    });
  }
  const target = join(system.security, MODULE);
  const before: Before = {
    module: existing(target),
    manual: existing(MANUAL),
    profile: existing(PROFILE),
    port: firewall === undefined ? undefined : await openedPort(firewall),
  };
  const steps: [string, () => unknown][] = [
    [`copy ${STACKS}, and what is installed, to ${options.backup}`, () => backUp(options.backup, before)],
    [`put the module at ${target}`, () => putModule(options.module, target)],
    [`put its manual page at ${MANUAL}`, () => putManual(readFileSync(OUR_MANUAL))],
    [
      `write ${PROFILE}:\n${pamAuthUpdateProfile(line).replace(/^/gm, '    ')}`,
      () => writeWhole(PROFILE, pamAuthUpdateProfile(line), 0o644),
    ],
    [`have pam-auth-update write ${STACKS}/common-auth`, enable],
    ...(firewall === undefined
      ? []
      : [
          [
            `open the port in ${firewall}, by ${commands.map((words) => words.join(' ')).join('; ')}`,
            // What an installation before this one opened goes first.
            async () => runAll([...(await closing()), ...commands], () => {}),
          ] satisfies [string, () => unknown],
        ]),
  ];
  if (openPort !== undefined && firewall === undefined) {
    say('No firewall that we know is at work here: there is no port to open.');
  }
  if (dryRun) {
    for (const [what] of steps) say(`would ${what}`);
    if (aboutSudo !== undefined) say(aboutSudo);
    return true;
  }
  try {
    for (const [what, work] of steps) {
      say(what);
      await work();
    }
    const note = firewall === undefined ? undefined : afterwards(firewall);
    if (note !== undefined) say(note);
    if (aboutSudo !== undefined) say(aboutSudo);
    if (await options.secondSession()) return true;
    say('nobody came in by a second session: it is undone');
  } catch (error) {
    await restore(system, before, say, firewall);
    throw error;
  }
  await restore(system, before, say, firewall);
  return false;
}

/**
 * Takes the module out of the stacks that pam-auth-update writes, then away.
 * @throws `usage` where other stacks still name it: without the file they would let nobody in
 */
export async function uninstall({
  system,
  dryRun,
  say,
}: Pick<InstallOptions, 'system' | 'dryRun' | 'say'>): Promise<void> {
  if (dryRun) {
    say(
      `would take pam_countersign out of ${stacksWithModule().join(', ') || 'no stack'}, and the module and ${MANUAL} away`,
    );
    for (const words of await closing()) say(`would close the port, by ${words.join(' ')}`);
    return;
  }
  await takeOut(system, say);
}

/** Brings back what stood before an installation that came to nothing. */
async function restore(
  system: PamSystem,
  before: Before,
  say: (text: string) => void,
  firewall: Firewall | undefined,
): Promise<void> {
  const { module, manual, profile, port } = before;
  if (module === undefined || profile === undefined) {
    await takeOut(system, say, before);
  } else {
    say('put back the installation that was there');
    writeWhole(join(system.security, MODULE), module, 0o644);
    putBackManual(manual);
    writeWhole(PROFILE, profile, 0o644);
    await enable();
    if (firewall !== undefined) await runAll(await closing(), say);
  }
  if (firewall !== undefined && port !== undefined) await runAll(await opening(firewall, port), say);
}

/** @param kept a module, and a page, that stay in place */
async function takeOut(
  system: PamSystem,
  say: (text: string) => void,
  kept: Partial<Pick<Before, 'module' | 'manual'>> = {},
): Promise<void> {
  if (system.keeper === 'pam-auth-update' && existsSync(PROFILE)) {
    say('take pam_countersign out of the stacks');
    await run('pam-auth-update', ['--package', '--remove', PROFILE_NAME]);
    rmSync(PROFILE);
  }
  // What keeps the module in place must not keep the port open.
  await runAll(await closing(), say);
  const target = join(system.security, MODULE);
  if (kept.module !== undefined) {
    writeWhole(target, kept.module, 0o644);
    putBackManual(kept.manual);
    return;
  }
  const left = stacksWithModule();
  if (left.length > 0) {
    throw new CountersignError('usage', `these stacks still name ${MODULE}: ${left.join(', ')}`, {
      hint: 'take the line out of them, then run this again; the module stays until then',
    });
  }
  say(`take ${target} away, and ${MANUAL}`);
  rmSync(target, { force: true });
  putBackManual(kept.manual);
}

async function enable(): Promise<void> {
  await run('pam-auth-update', ['--package']);
  if (stacksWithModule().includes(join(STACKS, 'common-auth'))) return;
  throw new CountersignError('usage', `pam-auth-update leaves ${STACKS}/common-auth as it was`, {
    hint: 'it was changed by hand, probably; `pam-auth-update --force` makes it pam-auth-update’s again',
  });
}

function backUp(folder: string, { module, manual, profile }: Before): void {
  if (existsSync(folder)) throw new CountersignError('usage', `there is a backup at ${folder} already`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(STACKS, join(folder, 'pam.d'), { recursive: true });
  if (module !== undefined) writeFileSync(join(folder, MODULE), module);
  if (manual !== undefined) writeFileSync(join(folder, basename(MANUAL)), manual);
  if (profile !== undefined) writeFileSync(join(folder, 'profile'), profile);
}

function existing(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

function putModule(from: string, to: string): void {
  if (!existsSync(from)) {
    throw new CountersignError('usage', `no module at ${from}`, {
      hint: 'build it: make -C packages/gate/pam',
    });
  }
  // A login that begins now finds the old one or the new one.
  writeWhole(to, readFileSync(from), 0o644);
}

function putManual(page: Buffer): void {
  const folder = dirname(MANUAL);
  // Whatever the umask takes away.
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
  writeWhole(MANUAL, page, 0o644);
}

/** As it was before an installation: another one's, or none. */
function putBackManual(page: Buffer | undefined): void {
  if (page === undefined) rmSync(MANUAL, { force: true });
  else putManual(page);
}

/** What to do where we don't. */
export function linesByHand({ keeper, security, selinux }: PamSystem, line: StackLine): string {
  const where =
    line.stand === 'both'
      ? 'below that of pam_unix.so, which must be required (below a sufficient one it is not reached)'
      : 'above that of pam_unix.so';
  return [
    `Put the module at ${join(security, MODULE)}, and its manual page, ${OUR_MANUAL}, at ${MANUAL}.`,
    ...(keeper === 'authselect'
      ? [
          'authselect writes the stacks here. Make a profile of your own out of the one that `authselect current` shows:',
          '    authselect create-profile countersign -b sssd',
          `In its system-auth and password-auth (/etc/authselect/custom/countersign/), put this line ${where}:`,
        ]
      : [`Put this line ${where}, in the file of each service (/etc/pam.d/sshd, …):`]),
    `    ${byHand(line)}`,
    ...(keeper === 'authselect'
      ? [
          'Then, with the features that are on now:',
          '    authselect select custom/countersign --backup=before-countersign',
          'and to go back: authselect backup-restore before-countersign',
        ]
      : []),
    ...(selinux
      ? [
          'SELinux: login programs must be let to connect to the daemon’s socket. After a first try:',
          '    ausearch -m avc -ts recent | audit2allow -M countersign && semodule -i countersign.pp',
        ]
      : []),
    'Try it in a second session before you close this one.',
  ].join('\n');
}
