/**
 * Who makes a call, by its DPoP proof.
 * @module
 */
import type { Device } from '@countersign/core';
import type { FastifyRequest } from 'fastify';
import { findAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import type { AccountRow } from '../store/store.ts';

/** The device of an account that a call is by. */
export async function provenDevice(
  context: BrokerContext,
  call: FastifyRequest,
  name: string,
): Promise<{ account: AccountRow; device: Device }> {
  const account = await findAccount(context, name);
  const { proof, urls } = proofOf(context, call);
  return { account, device: await context.proofs.check(proof, call.method, urls, account) };
}

/** Checks that a call is by the key of a fingerprint, which is no device's yet. */
export async function checkWaitingKey(
  context: BrokerContext,
  call: FastifyRequest,
  kid: string,
): Promise<void> {
  const { proof, urls } = proofOf(context, call);
  await context.proofs.checkKey(proof, call.method, urls, kid);
}

function proofOf({ origins }: BrokerContext, call: FastifyRequest) {
  const { dpop } = call.headers;
  const path = call.url.split('?')[0]!;
  return {
    proof: Array.isArray(dpop) ? undefined : dpop,
    urls: origins.map((origin) => origin + path),
  };
}
