/**
 * Signatures of organisations on texts: kept for whoever has the link. The broker never has the text.
 * @module
 */
import {
  CountersignError,
  parseStatement,
  TextSignatureStatement,
  verifyNewTextSignature,
} from '@countersign/core';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { seatOf } from './seats.ts';
import { checkTime } from './times.ts';

const MAX_PER_HOUR = 120;

/** Keeps a signature, by a device that counts now, or by the seat of a member. @returns its statement's hash */
export async function keepSignature(context: BrokerContext, jws: string): Promise<string> {
  const { crypto, store, now } = context;
  const parsed = await parseStatement(crypto, TextSignatureStatement, jws);
  const { iss, iss_id } = parsed.payload;
  const account = await findIdentified(context, iss, iss_id);
  const seat = await seatOf(context, account, parsed.kid);
  const { payload, hash } = await verifyNewTextSignature(crypto, jws, account, seat);
  checkTime(context, payload.iat);
  const end = payload.exp === undefined ? {} : { exp: payload.exp };
  await store.saveSignature({ hash, accountId: account.id, jws, ...end }, now(), MAX_PER_HOUR);
  return hash;
}

/** @throws `signature-unknown` */
export async function readSignature({ store }: BrokerContext, hash: string): Promise<string> {
  const jws = await store.readSignature(hash);
  if (jws !== undefined) return jws;
  throw new CountersignError('signature-unknown', 'there is no such signature here', {
    hint: 'is the link whole? an expired one may have been removed by now',
  });
}
