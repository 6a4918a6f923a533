/**
 * What a person is asked: the content of a request. Plain parts, nothing active, each of them shown.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES } from './base64url.ts';
import { isDisplayLine, MAX_FIELDS_BYTES, MAX_TEXT_BYTES, utf8Length } from './display-text.ts';
import { PasscodeCommitment } from './passcode.ts';

const Line = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.check((text) => isDisplayLine(text, maxBytes), 'a text that may not be shown'),
  );

/** A heading, a paragraph, or the words on a button (which stand beside *Accept* and *Reject*, never instead). */
export const Part = v.variant('type', [
  v.strictObject({ type: v.literal('h1'), text: Line(MAX_TEXT_BYTES) }),
  v.strictObject({ type: v.literal('p'), text: Line(MAX_TEXT_BYTES) }),
  v.strictObject({
    type: v.literal('button'),
    value: v.picklist(['accept', 'reject']),
    text: Line(64),
  }),
]);
export type Part = v.InferOutput<typeof Part>;

/** A named value, say the amount of a payment or the host of a login. */
export const Field = v.strictObject({ name: Line(64), value: Line(MAX_FIELDS_BYTES) });
export type Field = v.InferOutput<typeof Field>;

/** What an answer decides; it picks the right a device needs, and how long the question may stand. */
export const Kind = v.picklist(['login', 'payment', 'approval']);
export type Kind = v.InferOutput<typeof Kind>;

export const Salt = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url'));

export const Question = v.pipe(
  v.strictObject({
    kind: Kind,
    parts: v.pipe(v.array(Part), v.minLength(1), v.maxLength(32)),
    fields: v.optional(v.pipe(v.array(Field), v.maxLength(64))),
    /** The answer must carry the passcode that the enquirer shows. */
    passcode: v.optional(PasscodeCommitment),
    /** The device must check that the person is there: a PIN, a fingerprint. */
    uv: v.optional(v.literal(true)),
    /** Keeps the digest of a sealed question from being guessed. */
    salt: Salt,
  }),
  v.check(
    ({ parts }) => utf8Length(parts.map((part) => part.text).join('')) <= MAX_TEXT_BYTES,
    `parts of more than ${MAX_TEXT_BYTES} bytes`,
  ),
  v.check(
    ({ fields = [] }) =>
      utf8Length(fields.map(({ name, value }) => name + value).join('')) <= MAX_FIELDS_BYTES,
    `fields of more than ${MAX_FIELDS_BYTES} bytes`,
  ),
  v.check(({ parts }) => parts.some(({ type }) => type !== 'button'), 'buttons without a question'),
);
export type Question = v.InferOutput<typeof Question>;

/** Longest lifetime of a request by what it decides, in seconds. */
export const MAX_LIFETIME: Readonly<Record<Kind, number>> = { login: 600, payment: 600, approval: 86_400 };
/** Lifetime where the asker names none, in seconds. */
export const DEFAULT_LIFETIME: Readonly<Record<Kind, number>> = {
  login: 120,
  payment: 300,
  approval: 86_400,
};
