/**
 * Vectors of one kind of log entry: good ones, and each way in which such an entry is not good.
 * @module
 */
import type { ErrorCode } from '@countersign/core';
import { extended, type TestAccount } from './accounts.ts';
import { flippedLast, goodLog, OTHER_HASH, PLACE, REPLAYED } from './log-vectors.ts';
import {
  duplicateMember,
  flipSignature,
  invalid,
  type Loose,
  payloadOf,
  type Vector,
  type VectorFile,
} from './vector.ts';
import { ALGORITHMS, NOW, signLoose, type TestDevice } from './world.ts';

export interface EntryKind {
  /** As in its `typ`. */
  readonly kind: string;
  readonly what: string;
}

export class EntryVectors {
  readonly vectors: Vector[] = [];
  readonly #kind: EntryKind;

  constructor(kind: EntryKind) {
    this.#kind = kind;
  }

  get file(): VectorFile {
    const { kind, what } = this.#kind;
    return { description: `${what} ${REPLAYED}`, spec: `device-log.md#${kind}`, vectors: this.vectors };
  }

  /** A log that replays. */
  async good(name: string, comment: string, account: TestAccount, ...entries: string[]): Promise<void> {
    this.vectors.push(await goodLog(name, comment, await extended(account, ...entries)));
  }

  /** A log whose last entry does not. */
  bad(name: string, comment: string, code: ErrorCode, account: TestAccount, ...entries: string[]): void {
    this.vectors.push(invalid(name, comment, code, { entries: [...account.log.entries, ...entries] }));
  }

  /** What each kind is tried with, in both algorithms. @param make the account, and the good entry that follows */
  async altered(
    make: (algorithm: 'EdDSA' | 'ES256') => Promise<{ account: TestAccount; entry: string; comment: string }>,
    special: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    for (const algorithm of ALGORITHMS) {
      const { account, entry, comment } = await make(algorithm);
      const { entries } = account.log;
      await this.good(`${algorithm}-good`, comment, account, entry);
      this.bad(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        account,
        flipSignature(entry),
      );
      this.vectors.push(...flippedLast(algorithm, [...entries, entry], PLACE, special));
    }
  }

  /** Payloads that are not of the form, or not at their place, under a good signature. */
  async misshapen(
    account: TestAccount,
    by: TestDevice,
    entry: string,
    wrong: readonly (readonly [name: string, comment: string, changed: object])[],
  ): Promise<void> {
    const { kind } = this.#kind;
    const payload = payloadOf(entry);
    const signed = async (changed: object) => signLoose(by, kind, { ...payload, ...changed });
    const { seq } = payload as { seq: number };
    for (const [name, comment, changed] of [
      ['wrong-prev', 'it follows another entry', { prev: OTHER_HASH }],
      ['wrong-seq', 'a number is left out', { seq: seq + 1 }],
      ['wrong-sub', 'an entry of another account', { sub: 'mallory@example.com' }],
    ] as const) {
      this.bad(name, comment, 'log-invalid', account, await signed(changed));
    }
    for (const [name, comment, changed] of [
      ...wrong,
      ['member-more', 'a further member', { more: 1 }],
      ...Object.keys(payload)
        .filter((member) => !OPTIONAL.has(member))
        .map((member) => [`${member}-missing`, `without ${member}`, { [member]: undefined }] as const),
    ] as const) {
      this.bad(name, comment, 'statement-malformed', account, await signed(changed));
    }
    const other = kind === 'epoch' ? 'device-add' : 'epoch';
    this.bad(
      'wrong-typ',
      'the same payload as another kind',
      'statement-malformed',
      account,
      await signLoose(by, other, payload),
    );
    this.bad(
      'duplicate-member',
      'a member twice',
      'json-invalid',
      account,
      await signLoose(by, kind, duplicateMember(payload, 'seq')),
    );
  }
}

const OPTIONAL = new Set(['proof']);

/** A payload of a kind at the next place of an account's log, under a good signature, whatever it says. */
export function nextEntry(account: TestAccount, by: TestDevice, kind: string, payload: Loose) {
  const { log } = account;
  const place = { sub: log.name, iat: NOW - 70_000, seq: log.head.seq + 1, prev: log.head.hash };
  return signLoose(by, kind, { ...place, ...payload });
}
