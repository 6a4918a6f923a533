/**
 * What the broker keeps, as an interface. Every write is atomic, and durable when its promise resolves. A
 * single-use step is a conditional update that says whether it happened. Ids and times come from the caller.
 * Times are seconds since 1970.
 * @module
 */
import type { Device, Head, Pending, PublicSigningJwk, Settled, Subtree } from '@countersign/core';
import type { AddressStore } from './address-store.ts';
import type { MemberStore } from './member-store.ts';
import type { ProfileStore } from './profile-store.ts';
import type { PushStore } from './push-store.ts';
import type { SessionStore } from './session-store.ts';
import type { SignatureStore } from './signature-store.ts';

/** An account as the hot path needs it: the outcome of its log's replay. */
export interface AccountRow {
  readonly id: number;
  readonly name: string;
  readonly identity: string;
  readonly head: Head;
  /** Number of the epoch that may be sealed to; -1 where a device that was shown out or frozen holds its key. */
  readonly epoch: number;
  /** By kid, also the ones that do not count; but none that was let in and has not signed that it is in. */
  readonly devices: ReadonlyMap<string, Device>;
  /** Kids of devices that were let in, and have not signed that they are in. */
  readonly incomplete: ReadonlySet<string>;
  /** Key of the printed code, if there is one; nothing where the row is older than this column. */
  readonly recoveryKey?: PublicSigningJwk | 'none';
}

export interface NewAccount extends Omit<AccountRow, 'id' | 'incomplete'> {
  readonly entries: readonly string[];
}

/** Who asks for an enquirer: a device of its account, a browser that wants a seat, or a member by theirs. */
export type Asker = 'device' | 'sign-in' | 'member';

export interface NewRequest {
  readonly hash: string;
  readonly jti: string;
  readonly jws: string;
  readonly enquirerId: number;
  readonly enquirer: { readonly name: string; readonly identity: string };
  readonly accountId: number;
  readonly asker: Asker;
  readonly exp: number;
}

export interface RequestRow extends NewRequest {
  readonly id: number;
  /** Posted by a stranger: shown to nobody until the account takes the asker. */
  readonly held: boolean;
  readonly postedAt: number;
  readonly state: Pending | Settled;
}

/** Something that the devices of an account are told. Ids grow, and are cursors. */
export interface AccountEvent {
  readonly id: number;
  readonly kind: 'request' | 'settled' | 'log' | 'contacts' | 'enrolment' | 'notice' | 'room';
  /** Of the kinds `request` and `settled`. */
  readonly requestId?: number;
}

export type Posted =
  | { readonly outcome: 'posted'; readonly request: RequestRow; readonly event: AccountEvent }
  /** The same statement was posted before. */
  | { readonly outcome: 'same'; readonly request: RequestRow }
  /** The same enquirer used this `jti` for another request. */
  | { readonly outcome: 'conflict' };

/** A settled request, with what woke whom. */
export interface Settlement {
  readonly request: RequestRow;
  readonly event: AccountEvent;
}

/** An event, and whose devices are told. */
export interface RoomEvent {
  readonly accountId: number;
  readonly event: AccountEvent;
}

export interface ContactChange {
  readonly accountId: number;
  readonly contactId: number;
  readonly seq: number;
  /** The account's newest entry, by which the change was judged. */
  readonly head: Head;
  readonly policy: 'allow' | 'block' | 'forget';
  readonly jws: string;
}

export interface NewInvitation {
  readonly accountId: number;
  /** Hash of the ticket. */
  readonly ticket: string;
  readonly uses: 'one' | 'many';
  readonly exp: number;
  readonly jws: string;
}

export interface NewEnrolment {
  readonly accountId: number;
  readonly hash: string;
  readonly kid: string;
  readonly jws: string;
  readonly exp: number;
}

export interface EnrolmentRow extends NewEnrolment {
  readonly postedAt: number;
  /** Waiting past `exp` is expired. */
  readonly state: 'waiting' | 'accepted' | 'complete' | 'rejected';
  /** The statement that settled it. */
  readonly outcome?: string;
  /** Room keys that the accepting device shared. */
  readonly share?: string;
  /** The invitation whose ticket it came with. */
  readonly invitation: string;
}

export type EnrolmentPosted =
  | { readonly outcome: 'posted'; readonly enrolment: EnrolmentRow; readonly event: AccountEvent }
  | { readonly outcome: 'same'; readonly enrolment: EnrolmentRow }
  | { readonly outcome: 'pin-wrong' }
  | { readonly outcome: 'pin-expired' }
  /** Kept from the devices. Only the first of its kind in an hour is an event. */
  | { readonly outcome: Notice['kind']; readonly event?: AccountEvent };

/** How a waiting device was let in. */
export interface Accepted {
  readonly enrolment: EnrolmentRow;
  readonly statement: string;
  readonly share?: string | undefined;
}

export interface NewRoom {
  readonly room: string;
  /** Rows of the accounts that are in it, and of the one among them that makes it. */
  readonly members: readonly number[];
  readonly maker: number;
  readonly hash: string;
  readonly jws: string;
}

export interface NewRoomItem {
  readonly room: string;
  readonly hash: string;
  readonly jws: string;
  /** Of a key: its number, and the epoch of each member that it is sealed to, by account row. */
  readonly key?: { readonly n: number; readonly epochs: Readonly<Record<number, number>> };
  /** Of a message: the number of the key that it is sealed to. */
  readonly sealedTo?: number;
}

export interface RoomItemRow {
  readonly id: number;
  readonly room: string;
  readonly jws: string;
}

/** Something kept from an account's devices, and how often. Times are of the first and the newest. */
export interface Notice {
  readonly kind: 'pin-used' | 'pin-cancelled' | 'too-many-enrolments';
  readonly count: number;
  readonly first: number;
  readonly newest: number;
}

export interface Page {
  readonly max: number;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

/**
 * The tree of all heads. A leaf is added by whatever makes a head, in the same transaction; nothing else changes
 * the tree.
 */
export interface TreeStore {
  /** How many leaves there are. */
  size(): Promise<number>;
  /** The leaf of an account's head of a number. */
  findLeaf(accountId: number, seq: number): Promise<TreeLeaf | undefined>;
  /** Leaves in order, at most so many. */
  readLeaves(from: number, max: number): Promise<string[]>;
  /** Roots of perfect trees, which must be there, in the order asked for. */
  readHashes(subtrees: readonly Subtree[]): Promise<Uint8Array[]>;
}

export interface TreeLeaf {
  readonly index: number;
  readonly leaf: string;
}

/** Invitations, and devices that wait before the door. */
export interface EnrolmentStore {
  /** Keeps an invitation; one that is kept already stays as it is. */
  createInvitation(invitation: NewInvitation): Promise<void>;
  /** Takes an invitation back, where it stands or was taken back before; else says why not. */
  cancelInvitation(
    accountId: number,
    ticket: string,
    statement: string,
    now: number,
  ): Promise<'cancelled' | 'pin-wrong' | 'pin-used' | 'pin-expired'>;
  /** Those by which a device may come by now, as they were signed, oldest first. */
  listInvitations(accountId: number, now: number): Promise<string[]>;
  /** The invitation of a ticket, as it was signed. */
  findInvitation(accountId: number, ticket: string): Promise<string | undefined>;
  /** Lets a device wait, where its ticket is good and not too many wait or came; a ticket for one is used up. */
  postEnrolment(enrolment: NewEnrolment, ticket: string, now: number): Promise<EnrolmentPosted>;
  findEnrolment(accountId: number, hash: string): Promise<EnrolmentRow | undefined>;
  /** Those that wait by now, oldest first. */
  listEnrolments(accountId: number, now: number): Promise<EnrolmentRow[]>;
  /** Settles what waits by now as rejected, or what was accepted as complete; else says nothing happened. */
  settleEnrolment(
    enrolment: EnrolmentRow,
    state: 'rejected' | 'complete',
    statement: string,
    now: number,
  ): Promise<AccountEvent | undefined>;
  /** What was kept from the devices since a time. */
  readNotices(accountId: number, since: number): Promise<Notice[]>;
  /** Forgets hours that ended before a time. */
  pruneNotices(before: number): Promise<number>;
}

export interface RoomStore {
  /** @throws `room-exists`; `not-permitted` where a member blocks whoever makes it */
  createRoom(room: NewRoom): Promise<readonly RoomEvent[]>;
  /** Rows of a room's members, if there is such a room. */
  findMembers(room: string): Promise<readonly number[] | undefined>;
  /**
   * Adds an item, where it is a key that follows the newest one, or a message sealed to the newest key, which is
   * sealed to what every member's epoch is by now; adds nothing where it is there already.
   * @throws `room-key-stale`
   */
  addRoomItem(item: NewRoomItem): Promise<readonly RoomEvent[]>;
  /** Items of an account's rooms after a place, oldest first. */
  listRoomItems(accountId: number, after: number, max: number): Promise<RoomItemRow[]>;
}

export interface Store
  extends SessionStore,
    SignatureStore,
    MemberStore,
    ProfileStore,
    EnrolmentStore,
    RoomStore,
    PushStore,
    AddressStore {
  readonly tree: TreeStore;
  /** @throws `account-exists` */
  createAccount(account: NewAccount, now: number): Promise<AccountRow>;
  findAccount(name: string): Promise<AccountRow | undefined>;
  /** The row of the account of an identity. */
  accountOfIdentity(identity: string): Promise<number | undefined>;
  /** Entries from number `from` on, at most so many. */
  readLog(accountId: number, from: number, max?: number): Promise<string[]>;
  /**
   * Appends entries where the head is still the expected one; where they let a device in that waited, settles
   * its enrolment with them.
   * @throws `log-conflict`, `enrolment-settled`
   */
  appendLog(
    accountId: number,
    expected: Head,
    next: Pick<NewAccount, 'head' | 'epoch' | 'devices' | 'entries' | 'recoveryKey'>,
    accepted?: Accepted,
  ): Promise<AccountEvent>;

  /** @throws what `judgePost` throws */
  postRequest(request: NewRequest, now: number): Promise<Posted>;
  findRequest(hash: string): Promise<RequestRow | undefined>;
  getRequest(id: number): Promise<RequestRow | undefined>;
  /**
   * Settles a request if it is pending by now and, for an answer, not past its time; else says nothing
   * happened. The row may be older than the request's state.
   */
  settleRequest(request: RequestRow, outcome: Settled): Promise<Settlement | undefined>;
  /** Settles as expired what is pending past its time, at most `max`, and remembers who was ignored. */
  expireRequests(now: number, max: number): Promise<Settlement[]>;
  /** An account's requests that are pending by now, oldest first. */
  listPending(accountId: number, page: Page, now: number): Promise<RequestRow[]>;
  /** An account's settled requests, newest first. */
  listSettled(accountId: number, page: Page): Promise<RequestRow[]>;
  /** Removes what was settled before a time and expired before another; returns how many went. */
  pruneSettled(settledBefore: number, expiredBefore: number, max: number): Promise<number>;
  /** Pauses an enquirer after an account reported fraud, and keeps the first report for it. */
  reportFraud(request: RequestRow, report: string, now: number): Promise<void>;

  /**
   * Records a change of contacts that follows the ones before, where the account's head is still the one by
   * which it was judged. `allow` shows what was held, `block` refuses
   * what is pending; both are returned.
   * @throws `contact-conflict`
   */
  changeContact(
    change: ContactChange,
    now: number,
  ): Promise<{ event: AccountEvent; shown: Settlement[]; refused: Settlement[] }>;
  readContacts(accountId: number, from: number): Promise<string[]>;

  /** Events after a cursor, oldest first. */
  readEvents(accountId: number, after: number, max: number): Promise<AccountEvent[]>;
  /** The cursor of an account's newest event, and of the oldest that is still kept. */
  eventBounds(accountId: number): Promise<{ newest: number; oldest: number }>;
  /**
   * Removes events that were there before a time, as far as it was called by then, now and then; at most so many.
   * Ids are never used again.
   */
  pruneEvents(before: number, now: number, max: number): Promise<number>;
  countPending(): Promise<number>;
  /** Hashes of all pending requests, oldest first, at most so many. */
  pendingHashes(max: number): Promise<string[]>;
  close(): Promise<void>;
}
