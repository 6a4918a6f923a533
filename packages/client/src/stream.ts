/**
 * A device's stream of events: opened again after every cut, from where it was, and where it has died without a word.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { Session } from './session.ts';
import { sleep } from './sleep.ts';
import type { WireEvent } from './wire.ts';

/** An event; or, at the end, the news that some were lost: read the pending list, and follow from there. */
export type StreamEvent = { readonly kind: 'event'; readonly event: WireEvent } | { readonly kind: 'resync' };

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** Events that wait to be read; when more come, the line is cut, and the next one begins where reading is. */
const MOST_WAITING = 1000;
/** The broker says something every 30 s: two and a half times that is a line that nobody is at the end of. */
const SILENCE_MS = 75_000;
const BEAT = 'beat';
/** RFC 6455 section 7.4.1; the second one is never sent. */
const NORMAL = 1000;
const LOST = 1006;
/** The broker's close codes. */
const REVOKED = 4403;
const CURSOR = 4410;

/** @param silenceMs how long a line may say nothing, in ms, before another one is opened */
export async function* openEvents(
  session: Session,
  from: number,
  signal: AbortSignal,
  onLine?: (up: boolean) => void,
  silenceMs = SILENCE_MS,
): AsyncGenerator<StreamEvent> {
  let cursor = from;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const line = await connect(session, cursor, signal, silenceMs);
    if (line !== undefined) {
      onLine?.(true);
      for await (const event of line.events) {
        pause = FIRST_PAUSE_MS;
        cursor = event.cursor;
        yield { kind: 'event', event };
      }
      // A plain call says what has become of this device.
      if (line.closed() === REVOKED) await checkWelcome(session);
      if (line.closed() === CURSOR) {
        yield { kind: 'resync' };
        return;
      }
    } else await checkWelcome(session);
    if (signal.aborted) return;
    onLine?.(false);
    await sleep(pause * (0.5 + Math.random()), signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** A refused upgrade does not say why, where it is a browser that asks: a plain call does. */
async function checkWelcome({ api, keys }: Session): Promise<void> {
  try {
    await api.list(keys.signer, keys.name, 'pending', { max: 1 });
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'broker-unreachable') throw error;
  }
}

interface Line {
  readonly events: AsyncGenerator<WireEvent>;
  closed(): number;
}

async function connect(
  session: Session,
  cursor: number,
  signal: AbortSignal,
  silenceMs: number,
): Promise<Line | undefined> {
  const { api, keys } = session;
  const socket = await api.openStream(keys.signer, keys.name, cursor);
  const queue: WireEvent[] = [];
  let wake = () => {};
  let code = 0;
  let open = false;
  let overflowed = false;
  let failed: unknown;
  // Not every engine tells the close of a socket that was never open, and none soon that of a dead one.
  const leave = (why: number) => {
    code ||= why;
    socket.close();
    wake();
  };
  const abort = () => leave(NORMAL);
  let silence: ReturnType<typeof setTimeout>;
  const heard = () => {
    clearTimeout(silence);
    if (code === 0) silence = setTimeout(() => leave(LOST), silenceMs);
  };
  heard();
  // It may have come while the call was signed.
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  socket.addEventListener('open', () => {
    open = true;
    heard();
    wake();
  });
  socket.addEventListener('message', ({ data }) => {
    heard();
    // What is not taken here comes again: the cursor goes with what was read.
    if (overflowed) return;
    try {
      const event = api.parseEvent(data);
      if (event.kind === BEAT) return;
      if (queue.length < MOST_WAITING) queue.push(event);
      else {
        overflowed = true;
        socket.close();
      }
    } catch (error) {
      failed = error;
      socket.close();
    }
    wake();
  });
  socket.addEventListener('error', () => wake());
  socket.addEventListener('close', (event) => {
    code = event.code;
    clearTimeout(silence);
    signal.removeEventListener('abort', abort);
    wake();
  });
  const change = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  while (!open && code === 0) await change();
  if (!open) return undefined;

  async function* events(): AsyncGenerator<WireEvent> {
    for (;;) {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) yield next;
      if (failed !== undefined) throw failed;
      if (code !== 0) return;
      await change();
    }
  }
  return { events: events(), closed: () => code };
}
