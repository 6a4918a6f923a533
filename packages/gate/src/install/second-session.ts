/**
 * Waits until somebody has come in by a second session, as the daemon saw it: what is changed in PAM’s stacks stays
 * only then.
 * @module
 */
import { createInterface } from 'node:readline';
import { countGranted } from '../pam/count-granted.ts';

export interface SecondSession {
  /** Where the daemon listens. */
  readonly socket: string;
  readonly say: (text: string) => void;
  readonly input: NodeJS.ReadableStream;
  /** Aborted where this session is cut off. */
  readonly cut: AbortSignal;
}

/** Time to come in by a second session, in ms. */
const SECOND_SESSION_MS = 300_000;

/** @returns whether somebody came in; a line that does not say so, and a terminal that is gone, say no */
export async function askForSecondSession({ socket, say, input, cut }: SecondSession): Promise<boolean> {
  let before = await countGranted(socket);
  say('Leave this session open. Sign on in a second one now; once you are in, type in here: in');
  say(`Unless you do so in ${SECOND_SESSION_MS / 60_000} minutes, all is undone.`);
  const lines = createInterface({ input });
  const closed = new AbortController();
  const late = AbortSignal.timeout(SECOND_SESSION_MS);
  // A terminal that goes away may fail the read before any signal comes.
  lines.on('error', () => closed.abort());
  lines.on('close', () => closed.abort());
  let unchecked = false;
  // A line is heard while the daemon is asked, too; which question it answers is known when it is typed.
  const typed: { readonly line: string; readonly unchecked: boolean }[] = [];
  let heard = Promise.withResolvers<void>();
  lines.on('line', (line) => {
    typed.push({ line, unchecked });
    heard.resolve();
  });
  for (const signal of [cut, late, closed.signal]) {
    signal.addEventListener('abort', () => heard.resolve(), { once: true });
  }
  try {
    for (;;) {
      if (cut.aborted || late.aborted) return false;
      const next = typed.shift();
      if (next === undefined) {
        if (closed.signal.aborted) return false;
        await heard.promise;
        heard = Promise.withResolvers();
        continue;
      }
      if (next.line.trim() !== 'in') return false;
      const granted = await countGranted(socket);
      if (granted !== undefined && before !== undefined && granted > before) return true;
      if (granted === undefined) {
        // The same word twice is a person who means it, once they were told.
        if (next.unchecked) return true;
        unchecked = true;
        say(
          `No daemon at ${socket} says whether somebody came in: it can’t be checked. If you are in, type again: in`,
        );
      } else {
        unchecked = false;
        say('The daemon has let nobody in since: sign on by it in a second session, then type again: in');
      }
      before = granted;
    }
  } finally {
    lines.close();
  }
}
