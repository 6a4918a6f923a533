/**
 * Reads the body of a form.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { CountersignError } from '@countersign/core';

const LONGEST = 8192;

/** @throws `body-too-large`, `input-invalid` */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
    throw new CountersignError('input-invalid', 'expected a form');
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST)
      throw new CountersignError('body-too-large', `a form of more than ${LONGEST} bytes`);
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
