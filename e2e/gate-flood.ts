/**
 * A flood for tests, as a process of its own: openings with tags that nobody waits for, so many a second, from many
 * addresses of the loopback network. Arguments: port, openings a second. It prints how many it has made.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { encodeFrame } from '@countersign/core/m-auth';

const ADDRESSES = 64;
const EVERY_MS = 10;

const [port, perSecond] = process.argv.slice(2).map(Number) as [number, number];
let made = 0;
const began = performance.now();

setInterval(() => {
  const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
  for (; made < due; made++) {
    const socket = createConnection({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.7.${1 + (made % ADDRESSES)}`,
    });
    socket.on('error', () => socket.destroy());
    socket.on('connect', () =>
      socket.write(
        encodeFrame({ kind: 'validate', purpose: 'sign-on', tag: randomBytes(16), proof: randomBytes(16) }),
      ),
    );
    socket.resume();
  }
}, EVERY_MS);

process.on('SIGTERM', () => {
  process.stdout.write(`${made}\n`);
  process.exit(0);
});
