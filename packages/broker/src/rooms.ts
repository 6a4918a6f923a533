/**
 * Rooms: the broker keeps their items in one order, for members only, and takes none that is sealed to a key that
 * a device which was shown out may hold. What they say it can't read.
 * @module
 */
import {
  CountersignError,
  MessageStatement,
  parseStatement,
  RoomKeyStatement,
  RoomStatement,
  verifyRoomItem,
} from '@countersign/core';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { RoomEvent } from './store/store.ts';
import { checkTime } from './times.ts';

/** Makes a room, by one of its members. */
export async function createRoom(context: BrokerContext, jws: string): Promise<void> {
  const { crypto, store } = context;
  const statement = await parseStatement(crypto, RoomStatement, jws);
  const { iss, iss_id, iat, room, members } = statement.payload;
  checkTime(context, iat);
  await verifyRoomItem(crypto, statement, await findIdentified(context, iss, iss_id));
  const rows = await Promise.all(
    members.map(({ name, identity }) => findIdentified(context, name, identity)),
  );
  if (!members.some(({ identity }) => identity === iss_id)) {
    throw new CountersignError('not-permitted', 'whoever makes a room is in it');
  }
  const ids = rows.map(({ id }) => id);
  const maker = ids[members.findIndex(({ identity }) => identity === iss_id)]!;
  context.roomItems.count(String(maker), context.now());
  tell(context, await store.createRoom({ room, members: ids, maker, hash: statement.hash, jws }));
}

/** Adds a key or a message, by a member. */
export async function addRoomItem(context: BrokerContext, room: string, jws: string): Promise<void> {
  const { crypto, store } = context;
  const statement = await parseStatement(crypto, [RoomKeyStatement, MessageStatement], jws);
  const { iss, iss_id, iat } = statement.payload;
  if (statement.payload.room !== room) throw new CountersignError('room-unknown', 'an item of another room');
  checkTime(context, iat);
  const author = await findIdentified(context, iss, iss_id);
  await verifyRoomItem(crypto, statement, author);
  const members = await store.findMembers(room);
  // No word to strangers on which rooms there are.
  if (!members?.includes(author.id)) throw new CountersignError('room-unknown', 'there is no such room');
  context.roomItems.count(String(author.id), context.now());
  const item = { room, hash: statement.hash, jws };
  const { payload } = statement;
  if (!('n' in payload)) {
    tell(context, await store.addRoomItem({ ...item, sealedTo: payload.sealed.epoch }));
    return;
  }
  const { n, sealed } = payload;
  const epochs: Record<number, number> = {};
  for (const [identity, { epoch }] of Object.entries(sealed)) {
    const id = await store.accountOfIdentity(identity);
    // Members would refuse it, and every key after it: one of them alone could end a room so.
    if (id === undefined || !members.includes(id)) throw notForMembers();
    epochs[id] = epoch;
  }
  if (Object.keys(epochs).length !== members.length) throw notForMembers();
  tell(context, await store.addRoomItem({ ...item, key: { n, epochs } }));
}

function notForMembers(): CountersignError {
  return new CountersignError('room-key-stale', 'a room key that is not sealed to exactly the members');
}

function tell({ streams }: BrokerContext, events: readonly RoomEvent[]): void {
  for (const { accountId, event } of events) streams.publish(accountId, event, undefined);
}
