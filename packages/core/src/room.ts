/**
 * Rooms: messages among accounts, end to end. Each room has a key of its own, sealed to the current epoch of every
 * member account; a new one follows whenever an epoch has changed, so that a device that was shown out reads
 * nothing more. Every item is signed by a device of a member, and says how much of its own log it knew.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, decodeBase64url, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, PublicSealingJwk, Signer } from './crypto-provider.ts';
import { checkKnownHead, type DeviceLog, deviceAt, sealingEpoch } from './device-log.ts';
import { DisplayLine } from './display-line.ts';
import { utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { Hash, Kid, KnownHead, PublicSealingKey, SealedBytes, Seconds, wholeFrom } from './keys.ts';
import { Salt } from './question.ts';
import { decodeText, drawSalt, openContent, parseContent, SealedContent, sealContent } from './sealing.ts';
import {
  type PayloadOf,
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';

export const MAX_MEMBERS = 50;
export const MAX_MESSAGE_BYTES = 4096;

const KEY_PURPOSE = 'countersign room-key 1';
const MESSAGE_PURPOSE = 'countersign message 1';
const SHARE_PURPOSE = 'countersign room-share 1';

const RoomId = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url'));
const Count = wholeFrom(0);
const Member = v.strictObject({ name: AccountName, identity: Hash });
const Members = v.pipe(
  v.array(Member),
  v.minLength(1),
  v.maxLength(MAX_MEMBERS),
  v.check(
    (members) => new Set(members.map(({ identity }) => identity)).size === members.length,
    'a member named twice',
  ),
);

/** Who signs an item: the account, and the newest entry of its log that the device knew. */
const author = {
  room: RoomId,
  iss: AccountName,
  iss_id: Hash,
  iat: Seconds,
  head: KnownHead,
};

/** A room and its members, one of whom makes it. */
export const RoomStatement = statementKind(
  'room',
  v.strictObject({
    ...author,
    name: DisplayLine(64),
    members: Members,
  }),
);

/** A room's key of a time, its private half sealed to each member account's epoch. */
export const RoomKeyStatement = statementKind(
  'room-key',
  v.strictObject({
    ...author,
    /** Counts the keys of a room from 0, without a gap. */
    n: Count,
    key: PublicSealingKey,
    sealed: v.record(Hash, v.strictObject({ epoch: Count, box: SealedBytes })),
  }),
);

/** A message, sealed to the room's newest key; `epoch` of the sealed content is that key's number. */
export const MessageStatement = statementKind(
  'message',
  v.strictObject({
    ...author,
    /** Hash of the newest item of the room that the sender knew: what is kept from a reader leaves a gap. */
    prev: Hash,
    sealed: SealedContent,
  }),
);

/** Earlier room keys for a device that is let in, sealed to that device. */
export const RoomShareStatement = statementKind(
  'room-share',
  v.strictObject({ sub_id: Hash, iat: Seconds, to: Kid, box: SealedBytes }),
);

export const ROOM_ITEMS = [RoomStatement, RoomKeyStatement, MessageStatement] as const;
export type RoomItem = PayloadOf<(typeof ROOM_ITEMS)[number]>;
export type Room = PayloadOf<typeof RoomStatement>;
export type RoomMember = v.InferOutput<typeof Member>;

const MessageContent = v.strictObject({
  salt: Salt,
  text: v.pipe(
    v.string(),
    v.check((text) => utf8Length(text) <= MAX_MESSAGE_BYTES, 'a message that is too long'),
  ),
});

/** A private JWK; what WebCrypto writes beside it, `key_ops` and `ext`, is nobody's concern. */
const PrivateHalf = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('X25519'),
  x: v.pipe(v.string(), v.regex(BASE64URL_32_BYTES)),
  d: v.pipe(v.string(), v.regex(BASE64URL_32_BYTES)),
});

const Shared = v.array(v.strictObject({ room: RoomId, n: Count, privateKey: v.string() }));
/** The private half of a room's key, as JSON text. */
export type SharedKey = v.InferOutput<typeof Shared>[number];

/** Who signs, and when, in seconds since 1970. */
export interface Author {
  readonly signer: Signer;
  readonly log: DeviceLog;
  readonly now: number;
}

export function createRoom(
  crypto: CryptoProvider,
  by: Author,
  name: string,
  members: readonly RoomMember[],
): Promise<Verified<Room>> {
  const room = encodeBase64url(crypto.randomBytes(16));
  return signStatement(crypto, RoomStatement, by.signer, {
    ...authorOf(by, room),
    name,
    members: [...members],
  });
}

/** @param key a new key pair, its private half as JSON text */
export async function createRoomKey(
  crypto: CryptoProvider,
  by: Author,
  room: string,
  n: number,
  members: readonly DeviceLog[],
  key: { readonly key: PublicSealingJwk; readonly privateKey: string },
): Promise<Verified<PayloadOf<typeof RoomKeyStatement>>> {
  const sealed: Record<string, { epoch: number; box: string }> = {};
  for (const { identity, ...log } of members) {
    const epoch = sealingEpoch({ identity, ...log });
    const box = await crypto.seal(
      epoch.key,
      bytes(key.privateKey),
      bytes(KEY_PURPOSE),
      bytes(JSON.stringify([room, n, identity])),
    );
    sealed[identity] = { epoch: epoch.n, box: encodeBase64url(box) };
  }
  return signStatement(crypto, RoomKeyStatement, by.signer, {
    ...authorOf(by, room),
    n,
    key: key.key,
    sealed,
  });
}

/**
 * The private half of a room's key as JSON text.
 * @throws `epoch-unknown`, `seal-broken`, `json-invalid`, `statement-malformed`; `key-invalid` where it is of
 *   another key than the one that messages are sealed to
 */
export async function openRoomKey(
  { payload: { room, n, key, sealed } }: Verified<PayloadOf<typeof RoomKeyStatement>>,
  identity: string,
  openerOf: (epoch: number) => Promise<Opener | undefined>,
): Promise<string> {
  const own = sealed[identity];
  const opener = own && (await openerOf(own.epoch));
  if (opener === undefined) {
    throw new CountersignError(
      'epoch-unknown',
      'this room key is not sealed to anything that this device holds',
    );
  }
  const aad = bytes(JSON.stringify([room, n, identity]));
  const privateKey = decodeText(await opener.open(decodeBase64url(own!.box), bytes(KEY_PURPOSE), aad));
  if (parseContent(PrivateHalf, privateKey).x !== key.x) {
    throw new CountersignError('key-invalid', 'the private half of another room key than it says');
  }
  return privateKey;
}

export async function createMessage(
  crypto: CryptoProvider,
  by: Author,
  room: string,
  key: { readonly n: number; readonly key: PublicSealingJwk },
  prev: string,
  text: string,
): Promise<Verified<PayloadOf<typeof MessageStatement>>> {
  const content = { salt: drawSalt(crypto), text };
  if (utf8Length(text) > MAX_MESSAGE_BYTES) {
    throw new CountersignError('text-too-long', `a message of more than ${MAX_MESSAGE_BYTES} bytes`);
  }
  const binding = [room, by.log.identity];
  const { sealed } = await sealContent(crypto, key, MESSAGE_PURPOSE, binding, content);
  return signStatement(crypto, MessageStatement, by.signer, { ...authorOf(by, room), prev, sealed });
}

/** A message's text. Nothing is promised of it but its length: make it visible before it is shown. */
export async function openMessage(
  crypto: CryptoProvider,
  { payload: { room, iss_id, sealed } }: Verified<PayloadOf<typeof MessageStatement>>,
  opener: Opener,
): Promise<string> {
  const plaintext = await openContent(crypto, opener, MESSAGE_PURPOSE, [room, iss_id], sealed);
  return parseContent(MessageContent, plaintext).text;
}

/** Earlier room keys, for a device that is being let in. */
export async function createRoomShare(
  crypto: CryptoProvider,
  by: Author,
  to: { readonly kid: string; readonly enc: PublicSealingJwk },
  keys: readonly SharedKey[],
): Promise<string> {
  const { identity } = by.log;
  const aad = bytes(JSON.stringify([identity, to.kid]));
  const box = await crypto.seal(to.enc, bytes(JSON.stringify(keys)), bytes(SHARE_PURPOSE), aad);
  const payload = { sub_id: identity, iat: by.now, to: to.kid, box: encodeBase64url(box) };
  return (await signStatement(crypto, RoomShareStatement, by.signer, payload)).jws;
}

/**
 * The room keys that a device of the account shared with this one.
 * @throws `account-mismatch`, `signature-invalid`, `seal-broken`, `json-invalid`, `statement-malformed`, and what
 *   `deviceAt` throws
 */
export async function openRoomShare(
  crypto: CryptoProvider,
  jws: string,
  log: DeviceLog,
  kid: string,
  opener: Opener,
): Promise<SharedKey[]> {
  const statement = await parseStatement(crypto, RoomShareStatement, jws);
  const { sub_id, to, box } = statement.payload;
  if (sub_id !== log.identity || to !== kid) {
    throw new CountersignError('account-mismatch', 'room keys for another device');
  }
  await verifyStatement(crypto, statement, deviceAt(log, statement.kid, log.head.seq).sig);
  const aad = bytes(JSON.stringify([log.identity, kid]));
  const plaintext = decodeText(await opener.open(decodeBase64url(box), bytes(SHARE_PURPOSE), aad));
  const keys = parseContent(Shared, plaintext);
  for (const { privateKey } of keys) parseContent(PrivateHalf, privateKey);
  return keys;
}

/**
 * Checks an item by its author's log: by a device that counted at the head that it names.
 * @param hashAt hash of the log's entry of a number, if there is one
 * @throws `account-mismatch`, `log-rollback`, `log-fork`, `signature-invalid`, and what `deviceAt` throws
 */
export async function verifyRoomItem<T extends RoomItem>(
  crypto: CryptoProvider,
  statement: Statement<T>,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  hashAt?: (seq: number) => string | undefined,
): Promise<Verified<T>> {
  const { iss, iss_id, head } = statement.payload;
  if (iss !== log.name || iss_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'an item by another account than it says');
  }
  if (hashAt !== undefined) checkKnownHead(head, hashAt);
  return verifyStatement(crypto, statement, deviceAt(log, statement.kid, head.seq).sig);
}

function authorOf({ log, now }: Author, room: string) {
  return { room, iss: log.name, iss_id: log.identity, iat: now, head: log.head };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
