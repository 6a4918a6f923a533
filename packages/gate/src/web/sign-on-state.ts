/**
 * What a web sign-on's pages carry from one to the next: which attempt, for whom, and where to go after it; under a
 * MAC, and good in the one browser that began. Nothing in it is secret.
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parseStrictJson } from '@countersign/core';
import * as v from 'valibot';

const SignOnState = v.strictObject({
  attempt: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
  user: v.string(),
  /** Where the browser goes when it is in: a path of this site. */
  next: v.string(),
});
export type SignOnState = v.InferOutput<typeof SignOnState>;

const LONGEST = 4096;

/** @param browser what the one browser's cookie holds */
export function sealState(key: Uint8Array, state: SignOnState, browser: string): string {
  const body = Buffer.from(JSON.stringify(state)).toString('base64url');
  return `${body}.${mac(key, body, browser).toString('base64url')}`;
}

/** The state, where it was made here and for this browser; undefined for everything else. */
export function openState(key: Uint8Array, sealed: string, browser: string): SignOnState | undefined {
  if (sealed.length > LONGEST) return undefined;
  const [body = '', tag = '', ...more] = sealed.split('.');
  const given = Buffer.from(tag, 'base64url');
  const right = mac(key, body, browser);
  if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  // Another spelling of the same bytes is another text.
  if (given.toString('base64url') !== tag) return undefined;
  const parsed = v.safeParse(SignOnState, parseStrictJson(Buffer.from(body, 'base64url')));
  return parsed.success ? parsed.output : undefined;
}

function mac(key: Uint8Array, body: string, browser: string): Buffer {
  const bound = createHash('sha256').update(browser).digest('base64url');
  return createHmac('sha256', key).update(`countersign web sign-on 1.${bound}.${body}`).digest();
}

/** A path of this very site, as it stands; for anything else the site's root. */
export function safePath(asked: string | null | undefined): string {
  if (asked == null || asked.length > 1024 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(asked)) return '/';
  return asked.includes('\\') ? '/' : asked;
}
