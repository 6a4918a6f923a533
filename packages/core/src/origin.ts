/**
 * Origins of brokers, in the one text that each has (RFC 6454 section 6.2): they are compared as they stand.
 * @module
 */
import * as v from 'valibot';

const MAX_LENGTH = 255;
/** What `URL` leaves as it is beside these in a host, other readers may not. */
const PLAIN = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[1-9]\d*)?$/;

/** Whether a text is an origin of `http` or `https` in its canonical form: `https://broker.example`. */
export function isOrigin(text: string): boolean {
  return text.length <= MAX_LENGTH && PLAIN.test(text) && URL.parse(text)?.origin === text;
}

export const Origin = v.pipe(v.string(), v.check(isOrigin, 'expected an origin like https://broker.example'));
