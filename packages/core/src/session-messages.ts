/**
 * What the two pages of a mutual session send each other through the server. None of it holds a value, or
 * anything by which a value could be tried.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, BASE64URL_64_BYTES } from './base64url.ts';
import { CountersignError } from './errors.ts';
import { SESSION_TRIES } from './session-terms.ts';

/** Of the largest message, as JSON without white space. */
export const MAX_SESSION_MESSAGE_BYTES = 320;
/** From one customer's page in one session: five tries, with each word of theirs said three times over. */
export const MAX_SESSION_MESSAGES = 33;

const bytes = (form: RegExp) => v.pipe(v.string(), v.regex(form, 'expected bytes in base64url'));

const common = {
  session: bytes(BASE64URL_16_BYTES),
  try: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(SESSION_TRIES)),
};

/** Customer: the values are typed; this try begins. */
export const SessionOpen = v.strictObject({ kind: v.literal('open'), ...common });
/** Agent: its share of the key. */
export const SessionShare = v.strictObject({
  kind: v.literal('share'),
  ...common,
  share: bytes(BASE64URL_32_BYTES),
});
/** Customer: its share, a commitment to its nonce, and the proof that it has the key. */
export const SessionAnswer = v.strictObject({
  kind: v.literal('answer'),
  ...common,
  share: bytes(BASE64URL_32_BYTES),
  commitment: bytes(BASE64URL_32_BYTES),
  tag: bytes(BASE64URL_64_BYTES),
});
/** Agent: its nonce, drawn after the customer's was committed to, and the proof that it has the key. */
export const SessionConfirm = v.strictObject({
  kind: v.literal('confirm'),
  ...common,
  nonce: bytes(BASE64URL_32_BYTES),
  tag: bytes(BASE64URL_64_BYTES),
});
/** Agent: the values differ. Nobody signs it: it tells the customer to try again, and no more. */
export const SessionMismatch = v.strictObject({ kind: v.literal('mismatch'), ...common });
/** Customer: the passcode stands on the screen; the nonce, opened. */
export const SessionSeen = v.strictObject({
  kind: v.literal('seen'),
  ...common,
  nonce: bytes(BASE64URL_32_BYTES),
});

/** What the customer's page may hear to its answer. */
export const SessionReply = v.variant('kind', [SessionConfirm, SessionMismatch]);

export const SessionMessage = v.variant('kind', [
  SessionOpen,
  SessionShare,
  SessionAnswer,
  SessionConfirm,
  SessionMismatch,
  SessionSeen,
]);
export type SessionMessage = v.InferOutput<typeof SessionMessage>;
export type MessageOf<K extends SessionMessage['kind']> = Extract<SessionMessage, { kind: K }>;

/** Whether a message's text is the agent's word that the values are equal: `confirm`. */
export function isSessionMatch(text: string): boolean {
  try {
    return v.is(SessionConfirm, JSON.parse(text));
  } catch {
    return false;
  }
}

/**
 * Of which kind a message of the customer's page is, by its text, for a server that counts tries. What the agent's page
 * would begin a try with is `open`, whatever else is wrong with it.
 * @returns nothing for what is no message of that page
 */
export function customerKind(text: string): 'open' | 'answer' | 'seen' | undefined {
  try {
    const { kind } = Object(JSON.parse(text)) as { kind?: unknown };
    return kind === 'open' || kind === 'answer' || kind === 'seen' ? kind : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the message that must come next.
 * @throws `session-invalid` for another kind, another form, another session or another try
 */
export function parseSessionMessage<S extends v.GenericSchema<unknown, SessionMessage>>(
  schema: S,
  message: unknown,
  expected: { readonly session: string; readonly try?: number },
): v.InferOutput<S> {
  const { success, output } = v.safeParse(schema, message);
  if (!success) throw new CountersignError('session-invalid', 'not the message that comes next');
  if (output.session !== expected.session || output.try !== (expected.try ?? output.try)) {
    throw new CountersignError('session-invalid', 'a message of another session or of another try');
  }
  return output;
}
