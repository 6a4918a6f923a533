/**
 * A mail server as a program, for tests and the demo: it takes every mail, and prints each as a line of JSON.
 * @module
 */
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  onData(stream, session, done) {
    text(stream).then(
      (mail) => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        process.stdout.write(`${JSON.stringify({ to, mail })}\n`);
        done();
      },
      (error: Error) => done(error),
    );
  },
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `smtp://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => server.close(() => process.exit(0)));
