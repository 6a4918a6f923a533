/**
 * Between rows of the database and values.
 * @module
 */
import type { Device, Pending, PublicSigningJwk, Settled } from '@countersign/core';
import type { AccountRow, EnrolmentRow, RequestRow } from '../store.ts';

export interface AccountRecord {
  id: number;
  name: string;
  identity: string;
  head_seq: number;
  head_hash: string;
  epoch: number;
  devices: string;
  recovery: string | null;
}

export interface RequestRecord {
  id: number;
  hash: Uint8Array;
  jti: Uint8Array;
  jws: string;
  enquirer_id: number;
  enquirer_name: string;
  enquirer_identity: string;
  account_id: number;
  asker: RequestRow['asker'];
  held: number;
  posted_at: number;
  exp: number;
  state: (Pending | Settled)['state'];
  settled_at: number | null;
  outcome: string | null;
}

export interface EnrolmentRecord {
  account_id: number;
  hash: string;
  kid: string;
  jws: string;
  posted_at: number;
  exp: number;
  state: EnrolmentRow['state'];
  outcome: string | null;
  share: string | null;
  invitation: string;
}

export interface InvitationRecord {
  id: number;
  uses: 'one' | 'many';
  exp: number;
  used_at: number | null;
  cancelled: string | null;
}

/** A device as an account's row keeps it; `incomplete` until it has signed that it is in. */
export type DeviceRecord = Device & { readonly incomplete?: true };

export function enrolmentOf(row: EnrolmentRecord): EnrolmentRow {
  return {
    accountId: row.account_id,
    hash: row.hash,
    kid: row.kid,
    jws: row.jws,
    postedAt: row.posted_at,
    exp: row.exp,
    state: row.state,
    invitation: row.invitation,
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.share === null ? {} : { share: row.share }),
  };
}

export function accountOf(row: AccountRecord): AccountRow {
  const all = JSON.parse(row.devices) as DeviceRecord[];
  const devices = all.filter(({ incomplete }) => !incomplete);
  const waiting = all.filter(({ incomplete }) => incomplete).map(({ kid }) => kid);
  return {
    id: row.id,
    name: row.name,
    identity: row.identity,
    head: { seq: row.head_seq, hash: row.head_hash },
    epoch: row.epoch,
    devices: new Map(devices.map((device) => [device.kid, device])),
    incomplete: new Set(waiting),
    ...(row.recovery === null ? {} : { recoveryKey: JSON.parse(row.recovery) as PublicSigningJwk | 'none' }),
  };
}

export function requestOf(row: RequestRecord): RequestRow {
  return {
    id: row.id,
    hash: hashText(row.hash),
    jti: hashText(row.jti),
    jws: row.jws,
    enquirerId: row.enquirer_id,
    enquirer: { name: row.enquirer_name, identity: row.enquirer_identity },
    accountId: row.account_id,
    asker: row.asker,
    held: row.held === 1,
    postedAt: row.posted_at,
    exp: row.exp,
    state: stateOf(row),
  };
}

function stateOf({ state, settled_at: at, outcome }: RequestRecord): Pending | Settled {
  switch (state) {
    case 'pending':
      return { state };
    case 'expired':
      return { state, at: at! };
    case 'answered':
      return { state, at: at!, response: outcome! };
    case 'refused':
    case 'cancelled-by-enquirer':
      return { state, at: at!, statement: outcome! };
    case 'cancelled-by-broker':
      return { state, at: at!, reason: outcome! };
  }
}

/** The one text that a settled state carries. */
export function outcomeOf(settled: Settled): string | null {
  switch (settled.state) {
    case 'expired':
      return null;
    case 'answered':
      return settled.response;
    case 'refused':
    case 'cancelled-by-enquirer':
      return settled.statement;
    case 'cancelled-by-broker':
      return settled.reason;
  }
}

export function blob(hash: string): Buffer {
  return Buffer.from(hash, 'base64url');
}

export function hashText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
