/**
 * What the two say to each other inside the channel: spec/m-auth.md#messages. JSON, filled up with spaces, so that
 * whoever carries it can't tell a yes from a no by its length.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES } from './base64url.ts';
import { CountersignError } from './errors.ts';
import { Seconds } from './keys.ts';
import { HostName, Line, LocalAccount, ServiceName } from './m-auth-record.ts';
import { parseStrictJson } from './strict-json.ts';

/** Every message is a multiple of this long. */
export const MESSAGE_BLOCK = 256;
const SPACE = 0x20;

const Whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** Text of the host’s system, word for word, which may hold anything: it is shown by `makeVisible` only. */
const Verbatim = (maxBytes: number) =>
  v.pipe(
    v.string(),
    v.check((text) => text.isWellFormed() && new TextEncoder().encode(text).length <= maxBytes),
  );

/** What is being signed on to. The person sees all of it, or a rule of theirs decides on it. */
export const SignOnContext = v.strictObject({
  account: LocalAccount,
  host: HostName,
  service: ServiceName,
  tty: v.optional(Verbatim(64)),
  /** From where, as the interface’s system names it: a host name, or an address. */
  remote: v.optional(Verbatim(253)),
  /** The address that it comes from, where there is one. */
  address: v.optional(v.pipe(v.string(), v.ip())),
  /** For sudo: the exact command, and the folder that it was given in. */
  command: v.optional(Verbatim(1024)),
  /** The interface’s time. */
  time: Seconds,
});
export type SignOnContext = v.InferOutput<typeof SignOnContext>;

/** @throws `input-invalid` for a context that no validator would take */
export function parseContext(value: unknown): SignOnContext {
  const parsed = v.safeParse(SignOnContext, value);
  if (parsed.success) return parsed.output;
  throw new CountersignError('input-invalid', `not a context: ${v.summarize(parsed.issues)}`);
}

export const ContextMessage = v.strictObject({
  kind: v.literal('context'),
  context: SignOnContext,
  /** The acknowledgement window, in seconds. */
  acknowledge: Whole(1, 120),
  /** How many approvers must agree after this person. */
  approvals: Whole(0, 16),
  /** The handshake that was granted last, where this one begins at the step before it. */
  unconfirmed: v.optional(v.pipe(v.string(), v.regex(BASE64URL_16_BYTES))),
  failed: Whole(0, Number.MAX_SAFE_INTEGER),
  alarms: Whole(0, Number.MAX_SAFE_INTEGER),
  last: v.optional(v.strictObject({ time: Seconds, service: ServiceName })),
});
export type ContextMessage = v.InferOutput<typeof ContextMessage>;

export const AnswerMessage = v.strictObject({
  kind: v.literal('answer'),
  answer: v.picklist(['accept', 'deny', 'fraud']),
  /** `rule`: nobody was asked. `copied`: the validator found that a copy of it is in use. */
  by: v.picklist(['person', 'rule', 'copied']),
});
export type AnswerMessage = v.InferOutput<typeof AnswerMessage>;

/** Sent at each approval, and every 15 s while approvals are awaited. */
export const ApprovalMessage = v.strictObject({
  kind: v.literal('approval'),
  needed: Whole(1, 16),
  given: Whole(0, 16),
});

export const REFUSALS = ['approver', 'approval-late', 'withdrawn'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A secret that an interface hands to those who pass, such as a network’s passphrase. */
export const HandedSecret = v.strictObject({ name: Line(64), value: Line(256) });
export type HandedSecret = v.InferOutput<typeof HandedSecret>;

export const ResultMessage = v.variant('result', [
  v.strictObject({
    kind: v.literal('result'),
    result: v.literal('granted'),
    secret: v.optional(HandedSecret),
  }),
  v.strictObject({
    kind: v.literal('result'),
    result: v.literal('refused'),
    reason: v.picklist(REFUSALS),
  }),
]);

export const DoneMessage = v.strictObject({ kind: v.literal('done') });

export type ChannelMessage = { readonly kind: string };

/** The bytes of a message, before they are sealed. */
export function encodeMessage(message: ChannelMessage): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const bytes = new Uint8Array(Math.ceil(json.length / MESSAGE_BLOCK) * MESSAGE_BLOCK).fill(SPACE);
  bytes.set(json);
  return bytes;
}

/**
 * A message that is due, from the bytes that were opened.
 * @throws `handshake-invalid` for any other
 */
export function parseMessage<S extends v.GenericSchema>(schema: S, bytes: Uint8Array): v.InferOutput<S> {
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch (cause) {
    throw new CountersignError('handshake-invalid', 'a message that is not JSON', { cause });
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success && bytes.length % MESSAGE_BLOCK === 0) return parsed.output;
  throw new CountersignError('handshake-invalid', 'a message that is not due, or of another form');
}
