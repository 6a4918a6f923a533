/**
 * How this system keeps PAM: where modules go, and what writes the stacks.
 * @module
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { machine as osMachine } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { CountersignError } from '@countersign/core';
import { MODULE, optionsIn } from './stack.ts';

export type Keeper = 'pam-auth-update' | 'authselect' | 'nobody';

export interface PamSystem {
  readonly keeper: Keeper;
  /** The folder of modules. */
  readonly security: string;
  readonly selinux: boolean;
}

const STACKS = '/etc/pam.d';
/** Those that others include. */
const COMMON = ['common-auth', 'system-auth', 'password-auth'];
const MODULE_FOLDERS = [
  '/usr/lib/*-linux-*/security/pam_unix.so',
  '/usr/lib64/security/pam_unix.so',
  '/usr/lib/security/pam_unix.so',
  '/lib/security/pam_unix.so',
];

/**
 * Reads what the system is; nothing where it has no PAM that we know.
 * @param root where its files are
 * @param machine as uname(1) has it
 */
export function readSystem(root = '/', machine = osMachine()): PamSystem | undefined {
  const there = (path: string) => existsSync(join(root, path));
  const found = MODULE_FOLDERS.flatMap((pattern) => globSync(join(root, pattern)));
  // Debian may have modules of another machine beside its own.
  const beside = found.find((path) => path.includes(`/${machine}-`)) ?? found[0];
  const keeper = there('/usr/sbin/pam-auth-update')
    ? 'pam-auth-update'
    : there('/usr/bin/authselect')
      ? 'authselect'
      : 'nobody';
  // A system without Linux-PAM's own module is BSD's or a stranger: the usual place of what is added there.
  const security = beside === undefined ? '/usr/local/lib' : join('/', relative(root, dirname(beside)));
  return there(STACKS) ? { keeper, security, selinux: there('/sys/fs/selinux/enforce') } : undefined;
}

/**
 * The options by which our module is installed.
 * @throws `usage` where it stands in no stack, or in several with different ones
 */
export function installedOptions(): string[] {
  const stacks = stacksWithModule();
  if (stacks.length === 0) {
    throw new CountersignError('usage', 'the module stands in no stack yet: nothing was changed', {
      hint: '`countersign-gate install` first',
    });
  }
  const common = COMMON.map((name) => join(STACKS, name)).filter((path) => stacks.includes(path));
  const lines = (common.length > 0 ? common : stacks).flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const options = optionsIn(line);
        return options === undefined ? [] : [JSON.stringify(options)];
      }),
  );
  const [first, ...others] = new Set(lines);
  if (first !== undefined && others.length === 0) return JSON.parse(first) as string[];
  throw new CountersignError('usage', `the module has different options in ${stacks.join(', ')}`, {
    hint: 'write the stacks of these services by hand',
  });
}

/** The files of stacks that name our module. */
export function stacksWithModule(): string[] {
  return readdirSync(STACKS)
    .map((name) => join(STACKS, name))
    .filter((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .some((line) => !line.trimStart().startsWith('#') && line.includes(MODULE)),
    );
}
