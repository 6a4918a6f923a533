/**
 * The daemon's end of `pam_countersign`: a Unix socket that login programs of root, and screen lockers of their
 * own user, speak to. It knows no policy; `authenticate` does.
 * @module
 */
import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { CountersignError } from '@countersign/core';
import { type AttemptFields, parseAttempt } from './attempt.ts';
import { Connection } from './connection.ts';
import { type Attempt, type Authenticate, attemptOf, type Verdict } from './door.ts';
import { uidOf } from './local-user.ts';
import { type Peer, peerReader } from './peer.ts';
import { PeerRates } from './peer-rates.ts';

export interface PamOptions {
  /** Where modules find it; or the number of a socket that systemd listens on already. */
  readonly socket: string | { readonly fd: number };
  readonly authenticate: Authenticate;
  /** Milliseconds that are never set back. */
  readonly monotonic: () => number;
  /** One line a happening, for the log. */
  readonly log?: (event: PamEvent) => void;
  readonly uidOf?: (user: string) => Promise<number | undefined>;
}

export type PamEvent =
  | { readonly what: 'attempt'; readonly attempt: Attempt }
  | {
      readonly what: 'verdict';
      readonly attempt: Attempt;
      readonly verdict: Verdict;
      readonly cause?: unknown;
    }
  | { readonly what: 'left'; readonly attempt: Attempt }
  | { readonly what: 'refused'; readonly why: string; readonly peer?: Peer };

export interface PamListener extends AsyncDisposable {
  /** Ends what is open: each gets `unavailable`. */
  close(): Promise<void>;
}

/** What all connections of a listener share. */
interface Served {
  readonly rates: PeerRates;
  /** Attempts of login programs that were granted, since it began. */
  granted: number;
}

/** Time that a module has to say what it wants, in ms. */
const HELLO_MS = 5000;

/**
 * Serves modules.
 * @throws TypeError where peers can't be known on this system; what listening throws
 */
export async function servePam(options: PamOptions): Promise<PamListener> {
  const { socket: place } = options;
  const peerOf = await peerReader();
  const served = { rates: new PeerRates(options.monotonic), granted: 0 };
  const open = new Set<Promise<void>>();
  const closing = new AbortController();
  const server = createServer((socket) => {
    const peer = peerOf(socket);
    if (peer === undefined) {
      options.log?.({ what: 'refused', why: 'the peer is not known' });
      socket.destroy();
      return;
    }
    const one = serveOne(options, served, peer, socket, closing.signal).finally(() => open.delete(one));
    open.add(one);
  });
  await (typeof place === 'string' ? listenAt(server, place) : listenOn(server, place.fd));
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    closing.abort(new CountersignError('overloaded', 'the daemon ends'));
    await Promise.all(open);
    await closed;
  };
  return { close, [Symbol.asyncDispose]: close };
}

async function serveOne(
  options: PamOptions,
  served: Served,
  peer: Peer,
  socket: Socket,
  closing: AbortSignal,
): Promise<void> {
  const leave = served.rates.enter(peer.uid);
  const connection = new Connection(socket);
  const refuse = (why: string, verdict: Verdict) => {
    options.log?.({ what: 'refused', why, peer });
    return connection.end(verdict);
  };
  try {
    if (leave === undefined) {
      // At once, so that a user's flood holds no place of anybody.
      options.log?.({ what: 'refused', why: 'too many attempts', peer });
      return connection.destroy();
    }
    const opening = await connection.opening(HELLO_MS);
    if (opening === undefined) return connection.destroy();
    if (opening.type === 'C') {
      // Who comes in when is root's to know.
      return peer.uid === 0 ? await connection.count(served.granted) : connection.destroy();
    }
    const fields = parseAttempt(opening.payload);
    if (!(await mayAsk(options, peer, fields)))
      return await refuse('asks for what is root’s to ask', 'denied');
    const deadline = options.monotonic() + fields.timeout * 1000;
    const over = AbortSignal.timeout(fields.timeout * 1000);
    const signal = AbortSignal.any([connection.gone, closing, over]);
    const attempt = attemptOf(fields, peer, deadline, signal);
    options.log?.({ what: 'attempt', attempt });
    await answer(options, served, attempt, connection);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    await refuse(error.message, 'unavailable');
  } finally {
    leave?.();
  }
}

async function answer(
  options: PamOptions,
  served: Served,
  attempt: Attempt,
  connection: Connection,
): Promise<void> {
  const { signal } = attempt;
  const over = new Promise<'over'>((resolve) => {
    if (signal.aborted) resolve('over');
    signal.addEventListener('abort', () => resolve('over'), { once: true });
  });
  const deciding = options.authenticate(attempt, connection.conversation);
  let verdict: Verdict = 'unavailable';
  let cause: unknown;
  try {
    const said = await Promise.race([deciding, over]);
    // Late, or to nobody: an approval of an attempt that is over opens nothing.
    if (said !== 'over' && !signal.aborted) verdict = said === 'unanswered' ? 'denied' : said;
  } catch (error) {
    cause = error;
  }
  if (connection.gone.aborted) {
    options.log?.({ what: 'left', attempt });
    connection.destroy();
  } else {
    if (verdict === 'granted' && attempt.peer.uid === 0) served.granted++;
    options.log?.({ what: 'verdict', attempt, verdict, ...(cause === undefined ? {} : { cause }) });
    await connection.end(verdict);
  }
  // What it has yet to tidy up is part of the attempt.
  await deciding.catch(() => {});
}

/** Root's login programs ask for anyone; everybody else for themself alone, and nobody else brings a command. */
async function mayAsk(options: PamOptions, peer: Peer, { user, arg }: AttemptFields): Promise<boolean> {
  if (peer.uid === 0) return true;
  return arg === undefined && (await (options.uidOf ?? uidOf)(user)) === peer.uid;
}

async function listenAt(server: Server, path: string): Promise<void> {
  await clearStale(path);
  server.listen(path);
  await once(server, 'listening');
  // Screen lockers run as their user; who asks for whom is checked for each.
  await chmod(path, 0o666);
}

async function listenOn(server: Server, fd: number): Promise<void> {
  server.listen({ fd });
  await once(server, 'listening');
}

/** Takes away what a daemon that was killed left behind; never a living one's, and nothing that is no socket. */
async function clearStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isSocket()) return;
  const probe = connect(path);
  const code = await once(probe, 'connect').then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  probe.destroy();
  if (code === 'ECONNREFUSED') await unlink(path);
}
