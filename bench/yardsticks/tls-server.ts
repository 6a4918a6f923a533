/**
 * A server of mutual TLS 1.3 that says one byte to a client whose certificate it has checked.
 * Arguments: the files of its certificate, its key, and the authority of both sides.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [cert, key, ca] = process.argv.slice(2).map((path) => readFileSync(path)) as [Buffer, Buffer, Buffer];
const server = createServer(
  { cert, key, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', noDelay: true },
  (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {});
    socket.write('1');
  },
);
server.on('tlsClientError', () => {});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ local: `tcp://127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
