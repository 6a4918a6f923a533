/**
 * A host's system interface as the daemon has it, records on disk and a demultiplexer of its own before it. Each
 * connection opens a gate for the next user, is told `user passcode`, and the outcome once it is there.
 * Arguments: the host's folder, the demultiplexer's socket.
 * @module
 */
import { createServer } from 'node:net';
import { HostRecords, SystemInterface } from '../../packages/gate/src/index.ts';
import { sodiumNoise } from '../../packages/gate/src/sodium-noise.ts';
import { HOST } from './pairs.ts';

const [data, path] = process.argv.slice(2) as [string, string];
const records = new HostRecords(data);
const users = records.users().map(({ user }) => user);
const gate = new SystemInterface({
  records,
  demultiplexer: { path },
  host: HOST,
  noise: sodiumNoise,
  gateMs: 120_000,
});
let number = 0;
const server = createServer({ noDelay: true }, async (socket) => {
  socket.on('error', () => socket.destroy());
  const user = users[number++ % users.length]!;
  try {
    const signOn = await gate.open(user, { service: 'login', tty: `pts/${number}` });
    socket.write(`${user} ${signOn.passcode}\n`);
    const { outcome } = await signOn.result;
    socket.end(`${outcome}\n`);
  } catch (error) {
    socket.end(`${(error as Error).message}\n`);
  }
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ local: `tcp://127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
