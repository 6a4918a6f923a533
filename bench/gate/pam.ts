/**
 * A PAM login whose person answers at once, beside modules that ask nobody, or for a code: `pamtester`, from its
 * start to its end, in a host of namespaces. Needs root.
 * @module
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { countersignGate, startDemultiplexer, startGate } from '../../e2e/gate-processes.ts';
import { Host, SKIP } from '../../e2e/pam-host.ts';
import { build, sharedFolder } from '../../e2e/pam-module.ts';
import type { Progress } from '../progress.ts';
import { median, percentile, rounded } from '../statistics.ts';

const DRIVER = fileURLToPath(new URL('pam-driver.ts', import.meta.url));
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

export async function benchPam(quick: boolean, progress: Progress) {
  if (SKIP) return { skipped: SKIP };
  using folder = sharedFolder();
  build(folder.path, ['pam_countersign.so']);
  const data = join(folder.path, 'gate');
  const pam = join(folder.path, 'pam.sock');
  const demultiplexer = await startDemultiplexer(folder.path);
  await countersignGate(data, [
    ...['configure', '--host', 'bench.example', '--demultiplexer', demultiplexer.interfaces],
    ...['--address', `127.0.0.1:${demultiplexer.port}`],
  ]);
  const gate = await startGate(data, { pam });
  const host = await Host.start();
  try {
    const key = randomBytes(20);
    host.write('/home/alice/.google_authenticator', `${base32(key)}\n" WINDOW_SIZE 3\n" TOTP_AUTH\n`, 0o400);
    host.run(['chown', 'alice:alice', '/home/alice/.google_authenticator']);
    host.stack('permit', 'auth required pam_permit.so');
    host.stack('totp', 'auth required pam_google_authenticator.so');
    const module = join(folder.path, 'pam_countersign.so');
    host.stack('countersign', `auth required ${module} socket=${pam} mode=gate conv=prompt`);
    const count = quick ? 20 : 100;
    const [program, ...args] = host.words([...NODE, DRIVER, data, String(count), key.toString('hex')]);
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (status !== 0) throw new Error(`the logins failed: ${status}`);
    const times = JSON.parse(output) as Record<'permit' | 'totp' | 'countersign', number[]>;
    progress.step(`${count} logins by each of three modules`);
    const of = (all: readonly number[]) => ({
      p50: rounded(percentile(all, 50), 1),
      p99: rounded(percentile(all, 99), 1),
    });
    return {
      logins: count,
      permit: of(times.permit),
      googleAuthenticator: of(times.totp),
      countersign: of(times.countersign),
      overPermit: rounded(median(times.countersign) - median(times.permit), 1),
    };
  } finally {
    await host[Symbol.asyncDispose]();
    await gate.stop();
    await demultiplexer.stop();
  }
}

/** RFC 4648 section 6; of 20 bytes there is no rest. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replaceAll(/.{5}/g, (five) => BASE32[Number.parseInt(five, 2)]!);
}
