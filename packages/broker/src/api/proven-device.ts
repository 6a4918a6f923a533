/**
 * Who makes a call, by its DPoP proof.
 * @module
 */
import { type Act, activeDevice, checkRole, type Device, roleMay } from '@countersign/core';
import type { FastifyRequest } from 'fastify';
import { findAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import { type Actor, seatOf } from '../seats.ts';
import type { AccountRow } from '../store/store.ts';

/** The device of an account that a call is by. */
export async function provenDevice(
  context: BrokerContext,
  call: FastifyRequest,
  name: string,
): Promise<{ account: AccountRow; device: Device }> {
  const account = await findAccount(context, name);
  const { proof, urls } = proofOf(context, call);
  const device = await context.proofs.check(proof, call.method, urls, account);
  context.reached.note(account.id, device.kid);
  return { account, device };
}

/**
 * Who makes a call in an organisation's name. What a member may do is for their role to say; a device of the
 * organisation itself may do all of it.
 * @param acts of which the member's role must extend to one
 * @throws `seat-over`, `role-missing`, and what `provenDevice` throws
 */
export async function provenActor(
  context: BrokerContext,
  call: FastifyRequest,
  name: string,
  ...acts: readonly [Act, ...Act[]]
): Promise<Actor> {
  const account = await findAccount(context, name);
  const { proof, urls } = proofOf(context, call);
  const kid = await context.proofs.checkAny(proof, call.method, urls);
  const seat = await seatOf(context, account, kid);
  if (seat !== undefined) {
    if (!acts.some((act) => roleMay(seat.role, act))) checkRole(seat.role, acts[0]);
    return { account, kid, seat };
  }
  activeDevice(account, kid);
  context.reached.note(account.id, kid);
  return { account, kid };
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
