/**
 * Debian packages that the tests need: installed when missing, saying so; where that may not be done, named.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program, or a file by a pattern, that must be there, and the package that has it. */
const NEEDED: readonly (readonly [program: string, debian: string])[] = [
  ['script', 'bsdutils'],
  ['chromium', 'chromium'],
  ['python3', 'python3'],
  // What `python3 -m venv` needs, and Debian keeps apart.
  ['/usr/lib/python3*/ensurepip/__init__.py', 'python3-venv'],
  ['openssl', 'openssl'],
  ['/usr/sbin/dnsmasq', 'dnsmasq-base'],
  ['zsh', 'zsh'],
  ['fish', 'fish'],
  ['dbus-run-session', 'dbus'],
  ['gnome-keyring-daemon', 'gnome-keyring'],
  ['nginx', 'nginx-light'],
  ['caddy', 'caddy'],
  ['openssl', 'openssl'],
  ['certutil', 'libnss3-tools'],
  ['cc', 'gcc'],
  ['make', 'make'],
  ['/usr/include/security/pam_modules.h', 'libpam0g-dev'],
  ['/usr/lib/*/libpam_wrapper.so', 'libpam-wrapper'],
  ['valgrind', 'valgrind'],
  ['mandoc', 'mandoc'],
  ['man', 'man-db'],
  ['pamtester', 'pamtester'],
  ['sudo', 'sudo'],
  ['login', 'login'],
  ['/usr/sbin/sshd', 'openssh-server'],
  ['ssh', 'openssh-client'],
  ['/usr/sbin/vsftpd', 'vsftpd'],
  ['i3lock', 'i3lock'],
  ['Xvfb', 'xvfb'],
  ['xdotool', 'xdotool'],
  ['xscreensaver', 'xscreensaver'],
  ['xdm', 'xdm'],
  ['/usr/sbin/lightdm', 'lightdm'],
  ['/usr/sbin/lightdm-gtk-greeter', 'lightdm-gtk-greeter'],
  ['/usr/sbin/hostapd', 'hostapd'],
  ['/usr/sbin/nft', 'nftables'],
  ['/usr/sbin/ufw', 'ufw'],
  ['/usr/bin/firewall-cmd', 'firewalld'],
  ['dbus-daemon', 'dbus'],
  ['/sbin/ip', 'iproute2'],
  ...(process.env.SLOW
    ? ([
        ['afl-clang-fast', 'afl++'],
        ['/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.asan-*.a', 'libclang-rt-14-dev'],
      ] as const)
    : []),
];

/** What `npm run bench -- gate` is measured beside. */
const MEASURED: typeof NEEDED = [
  ['/usr/sbin/haproxy', 'haproxy'],
  ['/usr/lib/*/security/pam_google_authenticator.so', 'libpam-google-authenticator'],
];

function isThere(program: string): boolean {
  if (program.startsWith('/')) return globSync(program).length > 0;
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a command while no package may start a service: sshd and vsftpd are the tests' to start. */
const WITHOUT_SERVICES = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
"$@"`;

/**
 * Installs what is missing, as root or through sudo; else ends the program with a message.
 * @param programs of the ones above; all of them by default
 */
export function installNeeded(programs?: readonly string[]): void {
  const named = programs === undefined ? NEEDED : [...NEEDED, ...MEASURED];
  const missing = named
    .filter(([program]) => programs?.includes(program) ?? true)
    .filter(([program]) => !isThere(program))
    .map(([, debian]) => debian);
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  process.stdout.write(
    `installing ${missing.join(', ')} with apt-get${sudo.length > 0 ? ' through sudo' : ''}\n`,
  );
  for (const words of [
    ['apt-get', 'update', '-q'],
    [
      'sh',
      '-c',
      WITHOUT_SERVICES,
      'sh',
      'apt-get',
      'install',
      '-q',
      '-y',
      '--no-install-recommends',
      ...missing,
    ],
  ]) {
    const [program, ...args] = [...sudo, ...words] as [string, ...string[]];
    const { status } = spawnSync(program, args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) {
      process.stderr.write(`These packages are needed, and could not be installed: ${missing.join(', ')}\n`);
      process.exit(1);
    }
  }
}
