/**
 * Work that a signal, or a terminal that goes away, must not leave half done.
 * @module
 */
const CUT = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Does a work to its end, whatever signals come: a session that is cut off must not leave half of it behind. */
export async function uncut<T>(work: (cut: AbortSignal) => Promise<T>): Promise<T> {
  const cut = new AbortController();
  const onCut = () => cut.abort();
  for (const signal of CUT) process.on(signal, onCut);
  // A terminal that is gone can't be read or written, and that is no reason to stop.
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', onCut);
  try {
    return await work(cut.signal);
  } finally {
    for (const signal of CUT) process.off(signal, onCut);
    for (const stream of [process.stdin, process.stdout, process.stderr]) stream.off('error', onCut);
  }
}
