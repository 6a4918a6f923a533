/**
 * Members of an organisation: which accounts may do what in its console. Each change is a statement by a device of
 * the organisation, chained to the one before; whoever replays them gets the same roles. An organisation that has
 * members has an owner among them. A device that was lost takes the roles with it that it gave.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { type DeviceLog, wordsStand } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds, wholeFrom } from './keys.ts';
import { parseStatement, type Statement, signStatement, statementKind, type Verified } from './statement.ts';
import { verifyAtHead } from './verify-at-head.ts';

/** `owner` sees and ends all of it, `agent` makes sessions and signatures of their own, `auditor` reads. */
export const ROLES = ['owner', 'agent', 'auditor'] as const;
export const Role = v.picklist(ROLES);
export type Role = v.InferOutput<typeof Role>;

/** What a member does at the organisation's broker. */
export type Act = 'sessions' | 'signatures' | 'history' | 'members' | 'asked' | 'profile';

const MAY: Readonly<Record<Role, readonly Act[]>> = {
  owner: ['sessions', 'signatures', 'history', 'members', 'asked', 'profile'],
  agent: ['sessions', 'signatures'],
  auditor: ['history', 'members', 'asked', 'profile'],
};

export const MemberStatement = statementKind(
  'member',
  v.strictObject({
    /** The organisation. */
    sub: AccountName,
    sub_id: Hash,
    /** Counts the changes of this list from 1, without a gap. */
    seq: wholeFrom(1),
    /** Hash of the change before; absent from the first. */
    prev: v.optional(Hash),
    /** Since when the role holds. */
    iat: Seconds,
    /** The newest entry of the organisation's log that the device knew: it must have been in the account then. */
    head: KnownHead,
    member: AccountName,
    member_id: Hash,
    /** `none` removes the member. */
    role: v.picklist([...ROLES, 'none']),
  }),
);
export type MemberPayload = v.InferOutput<typeof MemberStatement.schema>;

export interface Member {
  readonly name: string;
  readonly identity: string;
  readonly role: Role;
  /** Seconds since 1970. */
  readonly since: number;
  /** The device that gave the role. */
  readonly by: string;
}

/** The list after some changes. */
export interface MemberList {
  readonly seq: number;
  /** Hash of the newest change. */
  readonly hash?: string;
  /** When the newest change was made, in seconds since 1970. */
  readonly changedAt: number;
  /** Length of the organisation's log that the newest change knew. */
  readonly headSeq: number;
  /** By identity. */
  readonly members: ReadonlyMap<string, Member>;
  /** Whose role is none, because the device that gave it was lost since, or is frozen; by identity. */
  readonly fallen: ReadonlyMap<string, Member>;
}

export const NO_MEMBERS: MemberList = {
  seq: 0,
  changedAt: 0,
  headSeq: 0,
  members: new Map(),
  fallen: new Map(),
};

export function roleMay(role: Role, act: Act): boolean {
  return MAY[role].includes(act);
}

/** @throws `role-missing` */
export function checkRole(role: Role, act: Act): void {
  if (roleMay(role, act)) return;
  throw new CountersignError('role-missing', `the role “${role}” does not extend to ${act}`, {
    hint: 'an owner of the organisation gives roles, in its console under Members',
  });
}

/** Signs the next change of a list. @param role `none` removes the member */
export function createMember(
  crypto: CryptoProvider,
  signer: Signer,
  organisation: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
  list: MemberList,
  member: { readonly name: string; readonly identity: string },
  role: MemberPayload['role'],
  now: number,
): Promise<Verified<MemberPayload>> {
  return signStatement(crypto, MemberStatement, signer, {
    sub: organisation.name,
    sub_id: organisation.identity,
    seq: list.seq + 1,
    ...(list.hash === undefined ? {} : { prev: list.hash }),
    // A clock that was set back must not stop the organisation from removing somebody.
    iat: Math.max(now, list.changedAt),
    head: organisation.head,
    member: member.name,
    member_id: member.identity,
    role,
  });
}

/**
 * Checks one change by the organisation's log: its device was in the account at the head that it names, with the
 * right to admit.
 * @param hashAt hash of the log's entry of a number, if there is one
 * @throws `account-mismatch`, `log-rollback`, `log-fork`, `device-unknown`, `device-revoked`, `device-frozen`,
 *   `device-not-entitled`, `signature-invalid`
 */
export async function verifyMember(
  crypto: CryptoProvider,
  statement: Statement<MemberPayload>,
  organisation: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  hashAt: (seq: number) => string | undefined,
): Promise<Verified<MemberPayload>> {
  const { sub, sub_id } = statement.payload;
  if (sub !== organisation.name || sub_id !== organisation.identity) {
    throw new CountersignError('account-mismatch', 'a change of another organisation’s members');
  }
  return verifyAtHead(crypto, statement, organisation, hashAt, 'admit');
}

/**
 * The list after one more verified change; whether its device's words still stand is for `judgeMembers` to say.
 * @throws `member-conflict` where it does not follow the ones before; `last-owner` where nobody would be an owner
 */
export function applyMember(list: MemberList, { kid, payload, hash }: Verified<MemberPayload>): MemberList {
  const { seq, prev, iat, head, member: name, member_id: identity, role } = payload;
  // A device that knew less of the log than the change before may have been revoked in between.
  const follows =
    seq === list.seq + 1 && prev === list.hash && head.seq >= list.headSeq && iat >= list.changedAt;
  if (!follows) {
    throw new CountersignError('member-conflict', `change ${seq} does not follow change ${list.seq}`, {
      hint: 'another owner changed the members: read them again and repeat',
    });
  }
  const [members, fallen] = [new Map(list.members), new Map(list.fallen)];
  fallen.delete(identity);
  if (role === 'none') members.delete(identity);
  else members.set(identity, { name, identity, role, since: iat, by: kid });
  // Of those whose role fell too: else nothing could follow where the last owner was named by a device that was lost.
  if (![...members.values(), ...fallen.values()].some((member) => member.role === 'owner')) {
    throw new CountersignError('last-owner', 'an organisation’s members have an owner among them', {
      hint: 'make somebody else an owner first',
    });
  }
  return { seq, hash, changedAt: iat, headSeq: head.seq, members, fallen };
}

/**
 * The list by the organisation's devices as they are: a role that was given by one that was lost or undone, or is
 * frozen, is none. Nobody can tell what its owner gave from what its thief did, who dates it as they like; so no later
 * change vouches for it, but one that gives the role anew.
 */
export function judgeMembers(list: MemberList, organisation: Pick<DeviceLog, 'devices'>): MemberList {
  const [members, fallen] = [new Map<string, Member>(), new Map<string, Member>()];
  for (const member of [...list.members.values(), ...list.fallen.values()]) {
    const device = organisation.devices.get(member.by);
    const stands = device !== undefined && wordsStand(organisation, device);
    (stands ? members : fallen).set(member.identity, member);
  }
  return { ...list, members, fallen };
}

export function parseMember(crypto: CryptoProvider, jws: string): Promise<Statement<MemberPayload>> {
  return parseStatement(crypto, MemberStatement, jws);
}

/**
 * Replays a list of changes, each of them verified, and judges it by the organisation's devices.
 * @param until leaves out what was changed after a time, in seconds since 1970
 * @throws what `parseMember`, `verifyMember` and `applyMember` throw
 */
export async function replayMembers(
  crypto: CryptoProvider,
  changes: readonly string[],
  organisation: Pick<DeviceLog, 'name' | 'identity' | 'devices' | 'hashes'>,
  from: MemberList = NO_MEMBERS,
  until = Number.POSITIVE_INFINITY,
): Promise<MemberList> {
  let list = from;
  for (const jws of changes) {
    const statement = await parseMember(crypto, jws);
    // None that follows is older.
    if (statement.payload.iat > until) break;
    list = applyMember(
      list,
      await verifyMember(crypto, statement, organisation, (seq) => organisation.hashes[seq]),
    );
  }
  return judgeMembers(list, organisation);
}
