/**
 * The host's side of a sign-on without a secret: frames of the same sizes to and fro on one connection, and nothing
 * made or checked. What is left of M-AUTH's CPU beside it is the protocol's.
 * @module
 */
import { createServer } from 'node:net';
import { EXCHANGE } from '../gate/exchange.ts';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  let turn = 0;
  let due = 0;
  const say = () => {
    const next = EXCHANGE[turn++];
    if (next === undefined) return socket.end();
    socket.write(Buffer.alloc(next.host, turn));
    for (const length of next.validator) due += length;
  };
  socket.on('data', (chunk) => {
    due -= chunk.length;
    if (due === 0) say();
  });
  say();
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ local: `tcp://127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
