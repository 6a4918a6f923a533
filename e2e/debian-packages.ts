/**
 * Debian packages that the tests need: installed when missing, saying so; where that may not be done, named.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that must be there, and the package that has it. */
const NEEDED: readonly (readonly [program: string, debian: string])[] = [
  ['script', 'bsdutils'],
  ['chromium', 'chromium'],
  ['python3', 'python3'],
  ['zsh', 'zsh'],
  ['fish', 'fish'],
  ['dbus-run-session', 'dbus'],
  ['gnome-keyring-daemon', 'gnome-keyring'],
];

function isThere(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs what is missing, as root or through sudo; else ends the program with a message. */
export function installNeeded(): void {
  const missing = NEEDED.filter(([program]) => !isThere(program)).map(([, debian]) => debian);
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  process.stdout.write(
    `installing ${missing.join(', ')} with apt-get${sudo.length > 0 ? ' through sudo' : ''}\n`,
  );
  for (const words of [
    ['apt-get', 'update', '-q'],
    ['apt-get', 'install', '-q', '-y', '--no-install-recommends', ...missing],
  ]) {
    const [program, ...args] = [...sudo, ...words] as [string, ...string[]];
    const { status } = spawnSync(program, args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) {
      process.stderr.write(
        `The tests need these packages, and could not install them: ${missing.join(', ')}\n`,
      );
      process.exit(1);
    }
  }
}
