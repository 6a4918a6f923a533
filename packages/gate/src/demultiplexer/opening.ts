/**
 * The first frame of a connection: all that the demultiplexer reads.
 * @module
 */
import type { Duplex } from 'node:stream';
import { type RequestFrame, takeFrame, type ValidateFrame } from '@countersign/core/m-auth';

export type Opening = RequestFrame | ValidateFrame;

/** Reads the first frame of a stream, and leaves the stream paused; `bytes` is all that came, the frame included. */
export function readOpening(
  stream: Duplex,
  first: Buffer | undefined,
  then: (opening: Opening | undefined, bytes: Uint8Array) => void,
): void {
  let seen: Uint8Array = new Uint8Array();
  stream.on('error', () => stream.destroy());
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const opening = parseOpening(seen);
    if (opening === 'incomplete') {
      stream.resume();
      return;
    }
    stream.off('data', onData);
    stream.pause();
    then(opening === 'malformed' ? undefined : opening, seen);
  };
  stream.on('data', onData);
  if (first === undefined) stream.resume();
  else onData(first);
}

/** What the first bytes of a connection open it with. */
export function parseOpening(seen: Uint8Array): Opening | 'incomplete' | 'malformed' {
  try {
    const frame = takeFrame(seen)?.frame;
    if (frame === undefined) return 'incomplete';
    return frame.kind === 'request' || frame.kind === 'validate' ? frame : 'malformed';
  } catch {
    return 'malformed';
  }
}
