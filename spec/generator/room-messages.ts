/**
 * Vectors of messages in a room.
 * @module
 */
import { createMessage, type ErrorCode, MAX_MESSAGE_BYTES, sealContent } from '@countersign/core';
import { newEpoch, type TestAccount } from './accounts.ts';
import { SALT } from './asking.ts';
import { expectOf } from './kinds.ts';
import { OTHER_HASH } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { authorVectors, ROOM_KEY, sceneOf } from './rooms.ts';
import { invalid, type VectorFile, valid } from './vector.ts';
import { sealingJwk, seeded, signLoose } from './world.ts';

export async function message(memory: Memory): Promise<VectorFile> {
  const inputOf = (statement: string, { log }: TestAccount) => ({
    statement,
    entries: log.entries,
    room_private_key: ROOM_KEY,
  });
  const to = { n: 0, key: newEpoch(ROOM_KEY).key };
  const say = ({ by, room, key }: Awaited<ReturnType<typeof sceneOf>>, text = 'Where?') =>
    createMessage(seeded('message'), by, room.payload.room, to, key.hash, text);
  const vectors = await authorVectors(
    memory,
    'message',
    (scene) => say(scene),
    inputOf,
    async (jws, { alice }) => ({ ...(await expectOf(jws, alice.devices[0]!)), text: 'Where?' }),
  );
  const scene = await sceneOf(memory);
  const { alice, bob } = scene;
  const { payload } = await say(scene);
  for (const [name, comment, text] of [
    ['longest', 'a text of 4096 bytes', 'ü'.repeat(MAX_MESSAGE_BYTES / 2)],
    ['empty', 'a text of nothing', ''],
    ['turned', 'any text at all: its reader makes visible what could mislead', 'turn\u202eeht\u0007'],
  ] as const) {
    const { jws } = await say(scene, text);
    vectors.push(
      valid(name, comment, inputOf(jws, alice), { ...(await expectOf(jws, alice.devices[0]!)), text }),
    );
  }
  const bad = async (name: string, comment: string, code: ErrorCode, changed: object) =>
    vectors.push(
      invalid(
        name,
        comment,
        code,
        inputOf(await signLoose(alice.devices[0]!, 'message', { ...payload, ...changed }), alice),
      ),
    );
  const seal = async (content: unknown, binding = [payload.room, alice.log.identity], n = to) => {
    const purpose = 'countersign message 1';
    return (await sealContent(seeded('message, otherwise'), n, purpose, binding, content)).sealed;
  };
  const content = { salt: SALT, text: 'Where?' };
  await bad('other-author', 'the sealed text of another member, under one’s own name', 'seal-broken', {
    sealed: await seal(content, [payload.room, bob.log.identity]),
  });
  await bad('other-room', 'the sealed text of another room', 'seal-broken', {
    sealed: await seal(content, [SALT, alice.log.identity]),
  });
  await bad('other-key', 'sealed to a key that is not the room’s', 'seal-broken', {
    sealed: await seal(content, undefined, { n: 0, key: newEpoch(sealingJwk('room key 1')).key }),
  });
  await bad('digest-other', 'the digest of another text', 'digest-mismatch', {
    sealed: { ...payload.sealed, digest: OTHER_HASH },
  });
  await bad('text-too-long', 'a text of more than 4096 bytes', 'statement-malformed', {
    sealed: await seal({ salt: SALT, text: 'x'.repeat(MAX_MESSAGE_BYTES + 1) }),
  });
  await bad('salt-missing', 'a text without its salt', 'statement-malformed', {
    sealed: await seal({ text: 'Where?' }),
  });
  await bad('salt-short', 'a salt of 3 bytes', 'statement-malformed', {
    sealed: await seal({ salt: 'AAAA', text: 'Where?' }),
  });
  await bad('content-more', 'a further member inside the seal', 'statement-malformed', {
    sealed: await seal({ ...content, note: 'x' }),
  });
  await bad('prev-missing', 'it follows nothing', 'statement-malformed', { prev: undefined });
  return {
    description:
      'Messages, read by the log of their author’s account, `entries`, and opened with the room’s private key.',
    spec: 'rooms.md#message',
    vectors,
  };
}
