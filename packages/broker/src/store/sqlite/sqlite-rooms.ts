/**
 * Rooms on SQLite: a part of the store.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { RoomEvent, RoomItemRow, RoomStore } from '../store.ts';
import type { Part } from './sqlite-part.ts';

export function sqliteRooms({ sql, writes, record }: Part): RoomStore {
  function tellMembers(roomId: number): readonly RoomEvent[] {
    return sql.members.all(roomId).map(({ account_id }) => {
      const accountId = account_id as number;
      return { accountId, event: record({ kind: 'room' }, accountId) };
    });
  }

  return {
    createRoom: ({ room, members, maker, hash, jws }) =>
      writes.submit(() => {
        if (sql.room.get(room) !== undefined)
          throw new CountersignError('room-exists', 'there is such a room');
        if (members.some((member) => sql.standing.get(member, maker)?.policy === 'block')) {
          throw new CountersignError('not-permitted', 'one of its members takes nothing from you');
        }
        const id = Number(sql.insertRoom.run(room).lastInsertRowid);
        for (const member of members) sql.insertMember.run(id, member);
        sql.insertRoomItem.run(id, hash, jws);
        return tellMembers(id);
      }),

    async findMembers(room) {
      const row = sql.room.get(room) as { id: number } | undefined;
      return row && sql.members.all(row.id).map(({ account_id }) => account_id as number);
    },

    addRoomItem: ({ room, hash, jws, key, sealedTo }) =>
      writes.submit(() => {
        const row = sql.room.get(room) as { id: number; key_n: number; key_epochs: string } | undefined;
        if (row === undefined) throw new CountersignError('room-unknown', 'there is no such room');
        if (sql.roomItem.get(hash) !== undefined) return [];
        const epochs = Object.fromEntries(
          sql.members.all(row.id).map(({ account_id, epoch }) => [account_id as number, epoch as number]),
        );
        const sealed = key?.epochs ?? (JSON.parse(row.key_epochs) as Record<number, number>);
        const follows = key === undefined ? sealedTo === row.key_n : key.n === row.key_n + 1;
        const current = Object.entries(epochs).every(([member, epoch]) => sealed[Number(member)] === epoch);
        if (!follows || !current) {
          throw new CountersignError('room-key-stale', 'the room’s key has changed, or must change', {
            hint: 'read the room again; where a member’s epoch has changed, make a new key',
          });
        }
        if (key !== undefined) sql.setRoomKey.run(key.n, JSON.stringify(key.epochs), row.id);
        sql.insertRoomItem.run(row.id, hash, jws);
        return tellMembers(row.id);
      }),

    async listRoomItems(accountId, after, max) {
      return (sql.roomItems.all(accountId, after, max) as unknown as RoomItemRow[]).map((row) => ({
        ...row,
      }));
    },
  };
}
