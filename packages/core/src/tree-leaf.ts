/**
 * A leaf of a broker's tree: the newest head of one account after an append, as canonical JSON (RFC 8785), so
 * that whoever knows the head knows every byte of the leaf.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash } from './keys.ts';
import { parseStrictJson } from './strict-json.ts';

const Leaf = v.strictObject({
  head: Hash,
  seq: v.pipe(v.number(), v.integer(), v.minValue(0)),
  sub: AccountName,
  sub_id: Hash,
});

/** What a leaf says. */
export type LoggedHead = Pick<DeviceLog, 'name' | 'identity' | 'head'>;

/** The leaf's text: its members by name, without white space. */
export function formatTreeLeaf({ name, identity, head }: LoggedHead): string {
  return JSON.stringify({ head: head.hash, seq: head.seq, sub: name, sub_id: identity });
}

/**
 * Reads a leaf, which has one text only.
 * @throws `tree-invalid`
 */
export function parseTreeLeaf(leaf: string | Uint8Array): LoggedHead {
  // A mark of the order of bytes is kept: it is not of the one text.
  const text = typeof leaf === 'string' ? leaf : new TextDecoder('utf-8', { ignoreBOM: true }).decode(leaf);
  const read = v.safeParse(Leaf, jsonOf(text));
  if (read.success) {
    const { sub, sub_id, seq, head } = read.output;
    const logged = { name: sub, identity: sub_id, head: { seq, hash: head } };
    if (formatTreeLeaf(logged) === text) return logged;
  }
  throw new CountersignError(
    'tree-invalid',
    'a leaf of the broker’s tree that is not of the form for leaves',
  );
}

function jsonOf(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch {
    return undefined;
  }
}
