/**
 * The body of an answer, of bounded size: a broker may send without end, or a bomb of gzip.
 * @module
 */
import { CountersignError } from '@countersign/core';

/** Twice a receipt with two device logs as long as they may be. */
const MAX_BYTES = 16 * 1024 * 1024;

/** All bytes of an answer, unpacked. @throws `broker-answer-invalid` for more than 16 MiB */
export async function readAnswer({ body }: Response): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > MAX_BYTES) {
      await reader.cancel();
      throw new CountersignError('broker-answer-invalid', 'the broker’s answer is longer than any may be');
    }
    chunks.push(part.value);
  }
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
