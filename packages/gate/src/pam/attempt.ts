/**
 * What the module says of an attempt: who wants to come in, where, and how the program can speak with them.
 * @module
 */
import { CountersignError } from '@countersign/core';
import * as v from 'valibot';

const VERSION = 'countersign-pam/1';

const Text = (most: number) =>
  v.pipe(
    v.string(),
    v.check((text) => Buffer.byteLength(text) <= most, `more than ${most} bytes`),
  );
const Named = v.pipe(Text(256), v.nonEmpty());

const Fields = v.strictObject({
  /** PAM's service: sshd, su, sudo, … */
  service: Named,
  /** The local user whose door it is. */
  user: Named,
  mode: v.picklist(['gate', 'push']),
  /**
   * How a person can be told something: `info` shows it at once; `prompt` shows it together with a question
   * only; `silent` shows nothing, and has one hidden field.
   */
  conv: v.picklist(['prompt', 'info', 'silent']),
  qr: v.picklist(['none', 'ascii', 'utf8']),
  /** Seconds that the module waits, at the most. */
  timeout: v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,2}$/), v.transform(Number), v.maxValue(600)),
  tty: v.optional(Text(256)),
  /** Whence, as the service knows it: an address or a name. */
  rhost: v.optional(Text(512)),
  /** The user who asks, where that is another: su, sudo. */
  ruser: v.optional(Text(256)),
  /** For sudo: its own words, as they were given to it, each. */
  arg: v.optional(v.array(Text(4096))),
  /** For sudo: the folder that it was started in. */
  cwd: v.optional(Text(4096)),
});
export type AttemptFields = v.InferOutput<typeof Fields>;

/**
 * Reads the payload of an `A` frame.
 * @throws `input-invalid` where it is of another version, has what it must not or lacks what it must
 */
export function parseAttempt(payload: Buffer): AttemptFields {
  if (payload.at(-1) !== 0) throw new CountersignError('input-invalid', 'an attempt that does not end');
  const [version, ...pairs] = decode(payload.subarray(0, -1)).split('\0');
  if (version !== VERSION) {
    throw new CountersignError('input-invalid', `expected an attempt of ${VERSION}`, {
      hint: 'the module and the daemon are of different releases: install both anew',
    });
  }
  const fields = new Map<string, string | string[]>();
  for (const pair of pairs) {
    const cut = pair.indexOf('=');
    const [name, value] = [pair.slice(0, cut), pair.slice(cut + 1)];
    const before = fields.get(name);
    if (name === 'arg') fields.set(name, [...(before ?? []), value]);
    else if (cut < 1 || before !== undefined) {
      throw new CountersignError('input-invalid', 'an attempt with a field that is none, or there twice');
    } else fields.set(name, value);
  }
  const parsed = v.safeParse(Fields, Object.fromEntries(fields));
  if (parsed.success) return parsed.output;
  const [{ path, message }] = parsed.issues;
  const where = path?.map(({ key }) => String(key)).join('.') ?? '';
  throw new CountersignError('input-invalid', `an attempt with a bad ${where}: ${message}`);
}

function decode(payload: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  } catch (cause) {
    throw new CountersignError('input-invalid', 'an attempt that is not UTF-8', { cause });
  }
}
