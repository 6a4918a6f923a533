/**
 * Runs inside the host that `pam.ts` has made: `pamtester` with each stack in turn, and whoever answers it at once.
 * Arguments: the gate's folder, how many of each, the key of the one-time codes in hexadecimal. Prints milliseconds by stack, in JSON.
 * @module
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { pairValidator, type TestValidator } from '../../e2e/gate-validator.ts';

const [data, count, key] = process.argv.slice(2) as [string, string, string];
const STACKS = ['permit', 'totp', 'countersign'] as const;
type Stack = (typeof STACKS)[number];
/** Not counted: files are read for the first time, code is being compiled. */
const WARM_UP = 10;

const alice = await pairValidator(data, 'alice');
const times: Record<Stack, number[]> = { permit: [], totp: [], countersign: [] };
for (let i = 0; i < Number(count) + WARM_UP; i++) {
  for (const stack of i % 2 === 0 ? STACKS : STACKS.toReversed()) {
    const ms = await login(stack, i, alice);
    if (i >= WARM_UP) times[stack].push(ms);
  }
}
process.stdout.write(`${JSON.stringify(times)}\n`);
process.exit(0);

/** From the program's start to its end. */
async function login(stack: Stack, number: number, validator: TestValidator): Promise<number> {
  // From another address each time: one that asks again and again is slowed down.
  const from = `rhost=10.0.${number >> 8}.${number & 255}`;
  const began = performance.now();
  const child = spawn('pamtester', ['-I', from, stack, 'alice', 'authenticate'], {
    env: { PATH: '/usr/bin', LC_ALL: 'C' },
  });
  let screen = '';
  let answering: Promise<void> | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const passcode = /passcode (\d{3}) (\d{3})/.exec(screen)?.slice(1).join('');
    if (passcode === undefined || answering !== undefined) return;
    answering = validator.signOn(passcode).then(({ end }) => {
      if (end.outcome !== 'granted') throw new Error(`not granted: ${end.outcome}`);
    });
    child.stdin.write('\n');
  });
  if (stack === 'totp') child.stdin.write(`${timeCode()}\n`);
  child.stdout.resume();
  const [status] = (await once(child, 'exit')) as [number];
  const ms = performance.now() - began;
  await answering;
  if (status !== 0) throw new Error(`${stack}: ${status}, ${screen}`);
  return ms;
}

/** RFC 6238, six digits of this half minute. */
function timeCode(): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor((performance.timeOrigin + performance.now()) / 30_000)));
  const mac = createHmac('sha1', Buffer.from(key, 'hex')).update(counter).digest();
  const code = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, '0');
}
