/**
 * Rooms, as a device sees them: their members, their keys, and what was said, in the broker's order and by each
 * author's own signature.
 * @module
 */
import {
  CountersignError,
  createMessage,
  createRoom,
  createRoomKey,
  type DeviceLog,
  decodeBase64url,
  encodeBase64url,
  type MessageStatement,
  makeVisible,
  type Opener,
  openMessage,
  openRoomKey,
  type PayloadOf,
  type PublicSealingJwk,
  parseStatement,
  ROOM_ITEMS,
  type Room,
  type RoomKeyStatement,
  type RoomMember,
  type SharedKey,
  type Statement,
  type Verified,
  verifyRoomItem,
} from '@countersign/core';
import { importOpener } from '@countersign/core/webcrypto';
import { newEpoch } from './create-account.ts';
import type { Session } from './session.ts';

/** What was said in a room. */
export interface RoomMessage {
  readonly room: string;
  readonly hash: string;
  /** Name of the account, and of the device that signed. */
  readonly from: { readonly name: string; readonly identity: string; readonly device: string };
  /** By the sender's clock, seconds since 1970. */
  readonly sentAt: number;
  /** With everything that could mislead made visible; absent where this device may not read it. */
  readonly text?: string;
  /** Something between this and what the sender had seen was kept from us. */
  readonly gap?: true;
}

export interface KnownRoom {
  readonly room: string;
  readonly name: string;
  readonly members: readonly RoomMember[];
  readonly messages: readonly RoomMessage[];
  /** Items that the broker delivered and that are not good. */
  readonly suspects: readonly CountersignError[];
}

/** A room as it is being read. */
interface Reading {
  readonly statement: Room;
  readonly messages: RoomMessage[];
  readonly suspects: CountersignError[];
  /** Hashes of all good items. */
  readonly known: Set<string>;
  newest: string;
  key:
    | { readonly n: number; readonly key: PublicSealingJwk; readonly epochs: ReadonlyMap<string, number> }
    | undefined;
  /** Length of each author's log that its newest item knew. */
  readonly heads: Map<string, number>;
}

const KEYS_KIND = 'room-keys';
const PURPOSE = 'countersign kept room keys 1';
/** How old a member's log may be when a message is sealed to it, in seconds; the broker refuses older epochs. */
const MEMBER_AGE = 60;

export class Rooms {
  readonly #session: Session;
  readonly #rooms = new Map<string, Reading>();
  /** Private halves by room and number. */
  readonly #keys = new Map<string, SharedKey>();
  #keysRead = false;
  #cursor = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Makes a room among accounts, of which this one is one. */
  async create(name: string, others: readonly RoomMember[]): Promise<string> {
    const { api, crypto, keys, clock } = this.#session;
    const log = await this.#session.ownLog(0);
    const members = [{ name: log.name, identity: log.identity }, ...others];
    const by = { signer: keys.signer, log, now: clock.now() };
    const { jws, payload } = await createRoom(crypto, by, name, members);
    await api.createRoom(jws);
    await this.read();
    await this.#renewKey(payload.room);
    return payload.room;
  }

  /** Reads what is new, and says how all rooms are by now. */
  async read(): Promise<readonly KnownRoom[]> {
    // One after the other: two readings at once would take the same items twice.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readOn());
    await this.#reading;
    return [...this.#rooms.values()].map(({ statement: { room, name, members }, messages, suspects }) => ({
      room,
      name,
      members,
      messages: [...messages],
      suspects: [...suspects],
    }));
  }

  /** Says something in a room; with a new key first, where a member's epoch has changed. */
  async send(room: string, text: string): Promise<void> {
    for (let again = 0; ; again++) {
      try {
        return await this.#send(room, text);
      } catch (error) {
        const stale =
          error instanceof CountersignError &&
          (error.code === 'room-key-stale' || error.code === 'epoch-unknown');
        if (!stale || again === 3) throw error;
        await this.read();
        await this.#renewKey(room);
      }
    }
  }

  /** All room keys that this device holds, for one that it lets in. */
  async held(): Promise<SharedKey[]> {
    await this.read();
    return [...this.#keys.values()];
  }

  /** Takes room keys that another device of the account shared. */
  async keep(keys: readonly SharedKey[]): Promise<void> {
    await this.#readKeys();
    for (const key of keys) this.#keys.set(keyName(key.room, key.n), key);
    await this.#writeKeys();
  }

  async #send(room: string, text: string): Promise<void> {
    const { api, crypto, keys, clock } = this.#session;
    const { key, newest } = this.#room(room);
    if (key === undefined) throw stale();
    const log = await this.#session.ownLog();
    const by = { signer: keys.signer, log, now: clock.now() };
    const { jws } = await createMessage(crypto, by, room, key, newest, text);
    await api.addRoomItem(room, jws);
    await this.read();
  }

  /** A new key, sealed to what every member's epoch is by now. */
  async #renewKey(room: string): Promise<void> {
    const { api, crypto, keys, clock, book } = this.#session;
    const { statement, key } = this.#room(room);
    const logs: DeviceLog[] = [];
    for (const { name, identity } of statement.members) {
      const { log } = await book.find(name, 0);
      if (log.identity !== identity)
        throw new CountersignError('account-changed', `${name} is another account now`);
      logs.push(log);
    }
    if (key !== undefined && logs.every(({ identity, epoch }) => key.epochs.get(identity) === epoch.n))
      return;
    const by = { signer: keys.signer, log: await this.#session.ownLog(0), now: clock.now() };
    const made = await createRoomKey(crypto, by, room, (key?.n ?? -1) + 1, logs, await newEpoch());
    try {
      await api.addRoomItem(room, made.jws);
    } catch (error) {
      // Another member was quicker: theirs does as well.
      if (!(error instanceof CountersignError) || error.code !== 'room-key-stale') throw error;
    }
    await this.read();
  }

  async #readOn(): Promise<void> {
    const { api, keys } = this.#session;
    await this.#readKeys();
    for (;;) {
      const items = await api.readRoomItems(keys.signer, keys.name, this.#cursor);
      for (const { cursor, room, statement } of items) {
        await this.#take(room, statement);
        this.#cursor = cursor;
      }
      if (items.length === 0) return;
    }
  }

  async #take(room: string, jws: string): Promise<void> {
    const reading = this.#rooms.get(room);
    try {
      const statement = await parseStatement(this.#session.crypto, ROOM_ITEMS, jws);
      if (statement.payload.room !== room)
        throw new CountersignError('room-unknown', 'an item of another room');
      if ('members' in statement.payload) await this.#begin(statement as Statement<Room>);
      else if (reading === undefined)
        throw new CountersignError('room-unknown', 'an item of a room that was not made');
      else if ('n' in statement.payload)
        await this.#takeKey(reading, statement as Statement<PayloadOf<typeof RoomKeyStatement>>);
      else await this.#takeMessage(reading, statement as Statement<PayloadOf<typeof MessageStatement>>);
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'broker-unreachable') throw error;
      reading?.suspects.push(error);
    }
  }

  async #begin(statement: Statement<Room>): Promise<void> {
    const { payload, hash } = await this.#verify(statement);
    const { identity } = this.#session.keys;
    const inIt = (one: string) => payload.members.some((member) => member.identity === one);
    if (!inIt(identity) || !inIt(payload.iss_id) || this.#rooms.has(payload.room)) {
      throw new CountersignError('room-unknown', 'a room that is not ours');
    }
    this.#rooms.set(payload.room, {
      statement: payload,
      messages: [],
      suspects: [],
      known: new Set([hash]),
      newest: hash,
      key: undefined,
      heads: new Map(),
    });
  }

  async #takeKey(reading: Reading, statement: Statement<PayloadOf<typeof RoomKeyStatement>>): Promise<void> {
    const verified = await this.#verifyMember(reading, statement);
    const { room, n, key, sealed } = verified.payload;
    if (n !== (reading.key?.n ?? -1) + 1) throw stale();
    const members = reading.statement.members.map(({ identity }) => identity);
    if (
      Object.keys(sealed).length !== members.length ||
      !members.every((one) => Object.hasOwn(sealed, one))
    ) {
      throw new CountersignError('room-key-stale', 'a room key that is not sealed to exactly the members');
    }
    const epochs = new Map(Object.entries(sealed).map(([identity, { epoch }]) => [identity, epoch]));
    reading.key = { n, key, epochs };
    this.#seen(reading, verified.hash);
    if (this.#keys.has(keyName(room, n))) return;
    try {
      const { identity } = this.#session.keys;
      const privateKey = await openRoomKey(verified, identity, this.#session.epochOpener);
      await this.keep([{ room, n, privateKey }]);
    } catch (error) {
      // From before this device was in: it reads nothing of that, unless the key was shared with it.
      if (!(error instanceof CountersignError) || error.code !== 'epoch-unknown') throw error;
    }
  }

  async #takeMessage(
    reading: Reading,
    statement: Statement<PayloadOf<typeof MessageStatement>>,
  ): Promise<void> {
    const { crypto, book } = this.#session;
    const verified = await this.#verifyMember(reading, statement);
    const { room, iss, iss_id, iat, prev, sealed } = verified.payload;
    const held = this.#keys.get(keyName(room, sealed.epoch));
    const text =
      held === undefined
        ? undefined
        : await openMessage(crypto, verified, await importOpener(JSON.parse(held.privateKey) as JsonWebKey));
    const { log } = await book.find(iss, MEMBER_AGE);
    reading.messages.push({
      room,
      hash: verified.hash,
      from: { name: iss, identity: iss_id, device: log.devices.get(verified.kid)?.name ?? verified.kid },
      sentAt: iat,
      ...(text === undefined ? {} : { text: visible(text) }),
      ...(reading.known.has(prev) ? {} : { gap: true as const }),
    });
    this.#seen(reading, verified.hash);
  }

  async #verifyMember<T extends PayloadOf<typeof RoomKeyStatement | typeof MessageStatement>>(
    reading: Reading,
    statement: Statement<T>,
  ): Promise<Verified<T>> {
    const { iss_id, head } = statement.payload;
    if (!reading.statement.members.some(({ identity }) => identity === iss_id)) {
      throw new CountersignError('not-permitted', 'an item by somebody who is not in the room');
    }
    if (reading.known.has(statement.hash)) {
      throw new CountersignError('request-replayed', 'an item that was delivered before');
    }
    // Whoever knew less of the log than before may have been shown out in between.
    if (head.seq < (reading.heads.get(iss_id) ?? 0)) {
      throw new CountersignError(
        'device-revoked',
        'an item by a device that knew an older log than those before it',
      );
    }
    const verified = await this.#verify(statement);
    reading.heads.set(iss_id, head.seq);
    return verified;
  }

  async #verify<T extends PayloadOf<(typeof ROOM_ITEMS)[number]>>(
    statement: Statement<T>,
  ): Promise<Verified<T>> {
    const { crypto, book } = this.#session;
    const { iss, head } = statement.payload;
    let { log } = await book.find(iss, MEMBER_AGE);
    if (head.seq > log.head.seq) ({ log } = await book.find(iss, 0));
    return verifyRoomItem(crypto, statement, log, (seq) => log.hashes[seq]);
  }

  #seen(reading: Reading, hash: string): void {
    reading.known.add(hash);
    reading.newest = hash;
  }

  #room(room: string): Reading {
    const reading = this.#rooms.get(room);
    if (reading === undefined) throw new CountersignError('room-unknown', 'there is no such room');
    return reading;
  }

  /** Room keys rest sealed to this device's own key. */
  async #readKeys(): Promise<void> {
    if (this.#keysRead) return;
    const { state, keys } = this.#session;
    const box = await state.get<string>(KEYS_KIND, placeOf(keys.identity, keys.opener));
    if (box !== undefined) {
      const opened = await keys.opener.open(decodeBase64url(box), bytes(PURPOSE), bytes(keys.identity));
      for (const key of JSON.parse(new TextDecoder().decode(opened)) as SharedKey[]) {
        this.#keys.set(keyName(key.room, key.n), key);
      }
    }
    this.#keysRead = true;
  }

  async #writeKeys(): Promise<void> {
    const { state, keys } = this.#session;
    const box = await this.#sealKept(keys.opener);
    await state.update<string>(KEYS_KIND, placeOf(keys.identity, keys.opener), () => box);
  }

  /** Seals the room keys to another key of this device too, which is about to take the old one's place. */
  async resealTo(next: Opener): Promise<void> {
    await this.#readKeys();
    if (this.#keys.size === 0) return;
    const { state, keys } = this.#session;
    const box = await this.#sealKept(next);
    await state.update<string>(KEYS_KIND, placeOf(keys.identity, next), () => box);
  }

  /** Forgets what was sealed to a key that is gone. */
  async forget(old: Opener): Promise<void> {
    await this.#session.state.delete(KEYS_KIND, placeOf(this.#session.keys.identity, old));
  }

  async #sealKept(to: Opener): Promise<string> {
    const { keys, crypto } = this.#session;
    const text = JSON.stringify([...this.#keys.values()]);
    return encodeBase64url(
      await crypto.seal(to.publicKey, bytes(text), bytes(PURPOSE), bytes(keys.identity)),
    );
  }
}

function placeOf(identity: string, opener: Opener): string {
  return `${identity} ${opener.publicKey.x}`;
}

function visible(text: string): string {
  return text.split('\n').map(makeVisible).join('\n');
}

function keyName(room: string, n: number): string {
  return `${room} ${n}`;
}

function stale(): CountersignError {
  return new CountersignError('room-key-stale', 'the room has no key that follows');
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
