/**
 * Frames between pam_countersign and the daemon: one byte of type, two of length, a payload (spec/pam-daemon.md).
 * Bytes in, frames out; no socket.
 * @module
 */
import { CountersignError } from '@countersign/core';

export const MAX_PAYLOAD = 4096;
/** What a person may type, in bytes. */
export const MAX_ANSWER = 512;
/** Frames that a daemon may send in one attempt. */
export const MAX_FRAMES = 16;
const HEAD = 3;

/** What the module says: `A` an attempt, `R` what was typed. And `C` of root's: how many attempts were granted. */
export type ModuleFrame = { readonly type: 'A' | 'R' | 'C'; readonly payload: Buffer };
/** What the daemon says: prompts with echo and without, information, an error message, the verdict; and that count. */
export type DaemonFrame = 'P' | 'S' | 'I' | 'E' | 'V' | 'C';

const LONGEST: Readonly<Record<string, number>> = { A: MAX_PAYLOAD, R: MAX_ANSWER, C: 0 };

/** @throws TypeError where the text does not fit into a frame, or has a zero in it */
export function encodeFrame(type: DaemonFrame, text: string): Buffer {
  const payload = Buffer.from(text, 'utf8');
  if (payload.length > MAX_PAYLOAD) throw new TypeError(`a text of more than ${MAX_PAYLOAD} bytes`);
  if (payload.includes(0)) throw new TypeError('a text with a zero in it');
  const frame = Buffer.alloc(HEAD + payload.length);
  frame.write(type, 0, 'latin1');
  frame.writeUInt16BE(payload.length, 1);
  payload.copy(frame, HEAD);
  return frame;
}

/** Cuts a stream into frames, however it was cut on its way. Never holds more than one frame. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @returns the frames that are whole by now
   * @throws `input-invalid` at a type that no module sends, or a length that its type does not have
   */
  push(chunk: Buffer): ModuleFrame[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: ModuleFrame[] = [];
    while (this.#bytes.length > 0) {
      const type = this.#bytes.toString('latin1', 0, 1);
      const longest = LONGEST[type];
      if (longest === undefined) throw new CountersignError('input-invalid', 'a frame of an unknown type');
      if (this.#bytes.length < HEAD) break;
      const length = this.#bytes.readUInt16BE(1);
      if (length > longest) throw new CountersignError('input-invalid', `a frame of ${length} bytes`);
      if (this.#bytes.length < HEAD + length) break;
      const payload = Buffer.from(this.#bytes.subarray(HEAD, HEAD + length));
      frames.push({ type: type as ModuleFrame['type'], payload });
      this.#bytes = this.#bytes.subarray(HEAD + length);
    }
    return frames;
  }
}
