/**
 * A person's validator for tests, by the client library, over TCP; it keeps its record in memory.
 * @module
 */
import { createInterface } from 'node:readline';
import { systemClock } from '@countersign/client';
import {
  type ContextAnswer,
  joinPair,
  type ShownContext,
  type SignOnResult,
  signOn,
} from '@countersign/client/m-auth';
import { nodeNoise, reachHost } from '@countersign/client/node';
import { PairJoin, parsePairLink, type ValidatorRecord } from '@countersign/core/m-auth';
import type { NoiseKey } from '@countersign/core/noise';
import { gateCommand } from './gate-processes.ts';

export class TestValidator {
  record: ValidatorRecord;
  readonly #key: NoiseKey;
  readonly #secret: Uint8Array;

  constructor(record: ValidatorRecord, key: NoiseKey, secret: Uint8Array) {
    this.record = record;
    this.#key = key;
    this.#secret = secret;
  }

  async signOn(
    passcode: string,
    answer: (shown: ShownContext) => Promise<ContextAnswer> = async () => ({
      answer: 'accept',
      by: 'person',
    }),
  ): Promise<SignOnResult> {
    const update = async (_id: string, apply: (record: ValidatorRecord) => ValidatorRecord | undefined) => {
      const next = apply(this.record);
      this.record = next ?? this.record;
      return next !== undefined;
    };
    const duplex = await reachHost([this.record.addresses[0]!]);
    const { record } = this;
    return signOn(
      {
        crypto: nodeNoise,
        clock: systemClock,
        records: { update },
        record,
        key: this.#key,
        passcode,
        duplex,
      },
      { answer },
    );
  }

  /** What must be seen nowhere, as text. */
  async secrets(): Promise<string[]> {
    const secret = Buffer.from(this.#secret);
    return [this.record.ratchet, this.record.peer, secret.toString('base64url'), secret.toString('hex')];
  }
}

/** Runs `countersign-gate enroll`, and pairs a new validator with what it shows. */
export async function pairValidator(data: string, user: string): Promise<TestValidator> {
  const child = gateCommand(data, ['enroll', user, '--json']);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}') as Record<string, string>;
  const { link } = await next();
  const secret = nodeNoise.randomBytes(32);
  const key = await nodeNoise.importKey(secret);
  const parsed = parsePairLink(link ?? '');
  const join = new PairJoin({
    crypto: nodeNoise,
    link: parsed,
    key,
    name: `${user}’s phone`,
    eraseMaster: nodeNoise.randomBytes(16),
  });
  let kept: ValidatorRecord | undefined;
  const duplex = await reachHost([parsed.addresses[0]!]);
  const end = await joinPair(
    join,
    duplex,
    systemClock,
    async () => true,
    async (record) => {
      kept = record;
    },
  );
  const { outcome } = await next();
  if (end.outcome !== 'paired' || outcome !== 'paired' || kept === undefined) {
    throw new Error(`not paired: ${end.outcome}, ${outcome}`);
  }
  return new TestValidator(kept, key, secret);
}
