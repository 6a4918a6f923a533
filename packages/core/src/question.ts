/**
 * What a person is asked: the content of a request. Plain parts, nothing active, each of them shown.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES } from './base64url.ts';
import { DisplayLine } from './display-line.ts';
import { checkDisplayLine, MAX_FIELDS_BYTES, MAX_TEXT_BYTES, utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { PasscodeCommitment } from './passcode.ts';

const MAX_PARTS = 32;
const MAX_FIELDS = 64;
/** Bytes of a button's words, and of a field's name. */
const MAX_LABEL_BYTES = 64;

/** A heading, a paragraph, or the words on a button (which stand beside *Accept* and *Reject*, never instead). */
export const Part = v.variant('type', [
  v.strictObject({ type: v.literal('h1'), text: DisplayLine(MAX_TEXT_BYTES) }),
  v.strictObject({ type: v.literal('p'), text: DisplayLine(MAX_TEXT_BYTES) }),
  v.strictObject({
    type: v.literal('button'),
    value: v.picklist(['accept', 'reject']),
    text: DisplayLine(MAX_LABEL_BYTES),
  }),
]);
export type Part = v.InferOutput<typeof Part>;

/** A named value, say the amount of a payment or the host of a login. */
export const Field = v.strictObject({
  name: DisplayLine(MAX_LABEL_BYTES),
  value: DisplayLine(MAX_FIELDS_BYTES),
});
export type Field = v.InferOutput<typeof Field>;

/** What an answer decides; it picks the right a device needs, and how long the question may stand. */
export const Kind = v.picklist(['login', 'payment', 'approval']);
export type Kind = v.InferOutput<typeof Kind>;

export const Salt = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url'));

export const Question = v.pipe(
  v.strictObject({
    kind: Kind,
    parts: v.pipe(v.array(Part), v.minLength(1), v.maxLength(MAX_PARTS)),
    fields: v.optional(v.pipe(v.array(Field), v.maxLength(MAX_FIELDS))),
    /** The answer must carry the passcode that the enquirer shows. */
    passcode: v.optional(PasscodeCommitment),
    /** The device must check that the person is there: a PIN, a fingerprint. */
    uv: v.optional(v.literal(true)),
    /** Keeps the digest of a sealed question from being guessed. */
    salt: Salt,
  }),
  v.check(({ parts }) => bytesOfParts(parts) <= MAX_TEXT_BYTES, `parts of more than ${MAX_TEXT_BYTES} bytes`),
  v.check(
    ({ fields = [] }) => bytesOfFields(fields) <= MAX_FIELDS_BYTES,
    `fields of more than ${MAX_FIELDS_BYTES} bytes`,
  ),
  v.check(({ parts }) => parts.some(({ type }) => type !== 'button'), 'buttons without a question'),
);
export type Question = v.InferOutput<typeof Question>;

/**
 * Checks the parts of a question that is yet to be asked, and says what is wrong with them; in a question that
 * came from elsewhere the same is `statement-malformed`.
 * @throws `text-refused`, `text-too-long`
 */
export function checkParts(parts: readonly Part[]): void {
  for (const { type, text } of parts) {
    checkDisplayLine(text, type === 'button' ? MAX_LABEL_BYTES : MAX_TEXT_BYTES);
  }
  checkAmount('parts', parts.length, MAX_PARTS, bytesOfParts(parts), MAX_TEXT_BYTES);
}

/** Checks fields as `checkParts` checks parts. */
export function checkFields(fields: readonly Field[]): void {
  for (const { name, value } of fields) {
    checkDisplayLine(name, MAX_LABEL_BYTES);
    checkDisplayLine(value, MAX_FIELDS_BYTES);
  }
  checkAmount('fields', fields.length, MAX_FIELDS, bytesOfFields(fields), MAX_FIELDS_BYTES);
}

function checkAmount(what: string, count: number, most: number, bytes: number, mostBytes: number): void {
  if (count > most) throw new CountersignError('text-refused', `more than ${most} ${what}`);
  if (bytes > mostBytes) {
    throw new CountersignError('text-too-long', `${what} of more than ${mostBytes} bytes together`);
  }
}

function bytesOfParts(parts: readonly { text: string }[]): number {
  return utf8Length(parts.map(({ text }) => text).join(''));
}

function bytesOfFields(fields: readonly Field[]): number {
  return utf8Length(fields.map(({ name, value }) => name + value).join(''));
}

/** Longest lifetime of a request by what it decides, in seconds. */
export const MAX_LIFETIME: Readonly<Record<Kind, number>> = { login: 600, payment: 600, approval: 86_400 };
/** Lifetime where the asker names none, in seconds. */
export const DEFAULT_LIFETIME: Readonly<Record<Kind, number>> = {
  login: 120,
  payment: 300,
  approval: 86_400,
};
