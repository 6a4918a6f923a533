/**
 * The host's side of M-AUTH and nothing else: each connection is a sign-on of the next pair that is free, and goes the
 * way of a daemon's (announcement, handshake, context, answer, grant, done). Records are kept in memory.
 * Argument: a file with the records.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { systemClock } from '@countersign/client';
import { runAttempt } from '@countersign/client/m-auth';
import { drawSignOnPasscode, type InterfaceRecord, SignOnAttempt } from '@countersign/core/m-auth';
import { sodiumNoise } from '../../packages/gate/src/sodium-noise.ts';
import { HOST } from './pairs.ts';
import { duplexOf, whisper } from './wire.ts';

const [path] = process.argv.slice(2) as [string];
const all = JSON.parse(readFileSync(path, 'utf8')) as InterfaceRecord[];
const kept = new Map(all.map((record) => [record.id, record]));
const free = all.map(({ id }, place) => ({ id, place }));
const records = {
  async update(id: string, apply: (record: InterfaceRecord) => InterfaceRecord | undefined) {
    const next = apply(kept.get(id)!);
    if (next !== undefined) kept.set(id, next);
    return next !== undefined;
  },
};

const server = createServer({ noDelay: true }, async (socket) => {
  socket.on('error', () => socket.destroy());
  const taken = free.shift();
  if (taken === undefined) {
    socket.destroy();
    return;
  }
  const record = kept.get(taken.id)!;
  const context = {
    account: record.account,
    host: HOST,
    service: 'login',
    tty: 'pts/1',
    time: 1_800_000_000,
  };
  const attempt = new SignOnAttempt({
    crypto: sodiumNoise,
    records: [record],
    passcode: drawSignOnPasscode(sodiumNoise),
    context,
    opened: systemClock.monotonic(),
  });
  socket.write(attempt.request(whisper(taken.place, attempt.passcode), systemClock.monotonic()));
  const { finished } = runAttempt(attempt, duplexOf(socket), records, systemClock, () => {});
  await finished;
  free.push(taken);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ local: `tcp://127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
