/**
 * `npm run bench -- gate`: what a sign-on costs its host, what the demultiplexer costs, how long a PAM login takes, and
 * how all of it stands a crowd. Needs root and the Debian packages `haproxy`, `pamtester`, `libpam-google-authenticator`.
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { installNeeded } from '../e2e/debian-packages.ts';
import { benchCrowd, crowdSteps } from './gate/crowd.ts';
import { benchForwarding, forwardingRounds } from './gate/forwarding.ts';
import { benchHandshakes, handshakeRounds } from './gate/handshakes.ts';
import { benchPam } from './gate/pam.ts';
import { Progress, say } from './progress.ts';
import { rounded } from './statistics.ts';

export async function benchGate(folder: string, quick: boolean) {
  installNeeded([
    '/usr/sbin/haproxy',
    '/usr/lib/*/security/pam_google_authenticator.so',
    'pamtester',
    'cc',
    'make',
  ]);
  const load = () => rounded(loadavg()[0]!, 1);
  const before = load();
  say(`load of this machine: ${before}`);
  const own = async (name: string) => {
    const path = join(folder, name);
    await mkdir(path);
    return path;
  };
  const steps = handshakeRounds(quick)[0] + 1 + forwardingRounds(quick)[0] + 1 + 1 + crowdSteps(quick);
  const progress = new Progress(steps);
  const handshakes = await benchHandshakes(await own('handshakes'), quick, progress);
  const forwarding = await benchForwarding(await own('forwarding'), quick, progress);
  const pam = await benchPam(quick, progress);
  const crowd = await benchCrowd(await own('crowd'), quick, progress);
  return { handshakes, forwarding, pam, ...crowd, load: { before, after: load() } };
}
