/**
 * A real mail server on the loopback interface, which keeps what it is given.
 * @module
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { until } from './until.ts';

export interface Mail {
  readonly to: string;
  /** Head and body as they came, long lines in one piece again (RFC 2045 section 6.7, soft line breaks). */
  readonly text: string;
}

export interface MailServer extends AsyncDisposable {
  readonly url: string;
  readonly mails: readonly Mail[];
  /** Takes no recipient, while this is set. */
  refuse: boolean;
  /** Waits for the first mail to an address from a place on. @throws after ten seconds */
  mailTo(address: string, from?: number): Promise<string>;
}

export async function startMailServer(): Promise<MailServer> {
  const mails: Mail[] = [];
  let refuse = false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_to, _session, done) => done(refuse ? new Error('no such mailbox') : undefined),
    onData(stream, { envelope }, done) {
      void text(stream).then((mail) => {
        for (const { address } of envelope.rcptTo)
          mails.push({ to: address, text: mail.replaceAll('=\r\n', '') });
        done();
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    get refuse() {
      return refuse;
    },
    set refuse(value) {
      refuse = value;
    },
    async mailTo(address, from = 0) {
      const { text } = await until(
        () => mails.slice(from).find(({ to }) => to === address),
        () => `no mail for ${address}`,
      );
      return text;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
