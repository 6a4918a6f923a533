/**
 * sshd and vsftpd on a test's host, and how a person comes to them.
 * @module
 */
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { freePort, isTaken } from './free-port.ts';
import type { Host } from './pam-host.ts';
import { until } from './until.ts';

/** Starts sshd with keyboard-interactive only. @returns the words of ssh's own client, for alice and a command */
export async function startSshd(host: Host): Promise<(...command: string[]) => string[]> {
  const port = await freePort();
  host.run(['sh', '-c', 'test -e /etc/ssh/test_key || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/test_key']);
  host.write(
    '/etc/ssh/test_config',
    [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', 'HostKey /etc/ssh/test_key', 'PidFile none'],
      ...['UsePAM yes', 'KbdInteractiveAuthentication yes'],
      ...['PasswordAuthentication no', 'PubkeyAuthentication no'],
    ].join('\n'),
  );
  host.serve(['/usr/sbin/sshd', '-D', '-e', '-f', '/etc/ssh/test_config']);
  await untilTaken(port);
  return (...command) => [
    ...['ssh', '-F', 'none', '-tt', '-p', String(port)],
    ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR'],
    ...['-o', 'PreferredAuthentications=keyboard-interactive', '-o', 'NumberOfPasswordPrompts=1'],
    ...['alice@127.0.0.1', ...command],
  ];
}

/** Starts vsftpd. @returns a try to log in, with the server's last reply */
export async function startVsftpd(
  host: Host,
  seccomp: 'YES' | 'NO' = 'YES',
): Promise<(user: string, password: string) => Promise<string>> {
  const port = await freePort();
  const config = `/etc/vsftpd-${seccomp}.conf`;
  host.write(
    config,
    [
      ...['listen=YES', 'listen_ipv6=NO', `listen_port=${port}`, 'listen_address=127.0.0.1'],
      ...['background=NO', 'anonymous_enable=NO', 'local_enable=YES', 'pam_service_name=vsftpd'],
      ...[`seccomp_sandbox=${seccomp}`, 'secure_chroot_dir=/run/vsftpd/empty', ''],
    ].join('\n'),
  );
  host.serve(['/usr/sbin/vsftpd', config]);
  await untilTaken(port);
  return async (user, password) => {
    const ftp = createConnection(port, '127.0.0.1');
    const replies = createInterface({ input: ftp })[Symbol.asyncIterator]();
    let reply = '';
    for (const words of [undefined, `USER ${user}`, `PASS ${password}`]) {
      if (words !== undefined) ftp.write(`${words}\r\n`);
      reply = String((await replies.next()).value);
    }
    ftp.destroy();
    return reply;
  };
}

/**
 * The words that start an X server without a screen. It leaves nothing in the machine's own folders; and it goes on as
 * it is when its last client leaves, where by default it would begin anew, and drop who connects at that moment.
 */
export function xServer(display: string): string[] {
  const screen = ['-screen', '0', '640x480x24', '-nolisten', 'tcp', '-ac', '-nolock', '-noreset'];
  return ['/usr/bin/Xvfb', display, ...screen];
}

let displays = 0;
export function newDisplay(): string {
  return `:${100 + (process.pid % 5000) * 10 + displays++}`;
}

/** Starts an X server on a host. @returns its display */
export async function startX(host: Host): Promise<string> {
  const display = newDisplay();
  host.serve(xServer(display)).stderr?.resume();
  await until(() => host.run(['env', `DISPLAY=${display}`, 'xdotool', 'getmouselocation']).status === 0);
  return display;
}

async function untilTaken(port: number): Promise<void> {
  await until(
    () => isTaken(port),
    () => `nothing listens on ${port}`,
  );
}
