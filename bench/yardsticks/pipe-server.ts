/**
 * The least that a proxy in Node can be: each connection is joined to a new one, and bytes go both ways.
 * Argument: the port behind it.
 * @module
 */
import { connect, createServer } from 'node:net';

const behind = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (socket) => {
  const other = connect({ port: behind, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => socket.destroy());
  other.on('error', () => other.destroy());
  socket.pipe(other);
  other.pipe(socket);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ local: `tcp://127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
