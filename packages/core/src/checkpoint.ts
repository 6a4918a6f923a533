/**
 * A checkpoint: the broker's signed word that a head was an account's newest at a time. The broker can hide
 * a revocation, but only from readers that accept checkpoints older than it; and two different ones prove
 * that it lied.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, PublicSigningJwk, Signer } from './crypto-provider.ts';
import type { DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds } from './keys.ts';
import { Origin } from './origin.ts';
import { CLOCK_SKEW } from './request.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** How old a checkpoint a verifier accepts where it says nothing, in seconds. */
export const CHECKPOINT_AGE = { login: 3600, payment: 3600, approval: 86_400 } as const;

export const CheckpointStatement = statementKind(
  'checkpoint',
  v.strictObject({
    /** Origin of the broker. */
    iss: Origin,
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    head: KnownHead,
  }),
);
export type CheckpointPayload = v.InferOutput<typeof CheckpointStatement.schema>;

export function createCheckpoint(
  crypto: CryptoProvider,
  signer: Signer,
  broker: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
  now: number,
): Promise<Verified<CheckpointPayload>> {
  const { name: sub, identity: sub_id, head } = log;
  return signStatement(crypto, CheckpointStatement, signer, { iss: broker, sub, sub_id, iat: now, head });
}

/**
 * Checks that a checkpoint is by this broker and for exactly this head of this account.
 * @throws `checkpoint-invalid`, and what reading a statement throws
 */
export async function verifyCheckpoint(
  crypto: CryptoProvider,
  jws: string,
  broker: { readonly origin: string; readonly key: PublicSigningJwk },
  log: DeviceLog,
): Promise<Verified<CheckpointPayload>> {
  const statement = await parseStatement(crypto, CheckpointStatement, jws);
  const verified = await verifyStatement(crypto, statement, broker.key);
  if (verified.payload.iss !== broker.origin) {
    throw new CountersignError('checkpoint-invalid', 'the checkpoint is in the name of another broker');
  }
  if (!isForHead(verified.payload, log)) {
    throw new CountersignError('checkpoint-invalid', 'the checkpoint is for another head than the log has');
  }
  return verified;
}

/** Whether a checkpoint is about this account, and names exactly the newest entry of this log. */
export function isForHead(
  { sub, sub_id, head }: CheckpointPayload,
  log: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
): boolean {
  return (
    sub === log.name && sub_id === log.identity && head.seq === log.head.seq && head.hash === log.head.hash
  );
}

/**
 * Checks a checkpoint's age.
 * @param now and maxAge in seconds
 * @throws `checkpoint-stale`; `checkpoint-invalid` for one from the future, which would stay fresh too long
 */
export function checkFreshness({ payload }: Verified<CheckpointPayload>, now: number, maxAge: number): void {
  if (payload.iat > now + CLOCK_SKEW) {
    throw new CountersignError('checkpoint-invalid', 'the checkpoint comes from the future', {
      hint: 'the clock of the broker or of this machine is wrong',
    });
  }
  if (payload.iat < now - maxAge - CLOCK_SKEW) {
    throw new CountersignError('checkpoint-stale', `the newest checkpoint is ${now - payload.iat} s old`, {
      hint: 'the broker may be hiding a revocation; or a clock is wrong, its own or this machine’s',
    });
  }
}
