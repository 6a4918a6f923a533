/**
 * Signs and publishes the next card of the organisation.
 * @module
 */
import type { Device } from '@countersign/client';
import { type Card, createCard, encodeBase64url, hashPicture } from '@countersign/core';

/** What a card says; `picture` is the hash of one that is published already. */
export type CardWords = Omit<Card, 'sub' | 'sub_id' | 'iat' | 'seq'>;

/** @param picture a new one, as a PNG */
export async function publishCard(
  device: Device,
  before: Card | undefined,
  words: CardWords,
  picture?: Uint8Array,
): Promise<Card> {
  const { api, keys, crypto, clock } = device.session;
  const shown = picture === undefined ? {} : { picture: await hashPicture(crypto, picture) };
  const wish = { ...words, ...shown, seq: (before?.seq ?? 0) + 1 };
  const { jws, payload } = await createCard(
    crypto,
    keys.signer,
    await device.session.ownLog(0),
    wish,
    clock.now(),
  );
  await api.publishCard(keys.name, jws, picture && encodeBase64url(picture));
  return payload;
}

/** What a card says, to be said again with a change. */
export function wordsOf({ sub: _sub, sub_id: _id, iat: _iat, seq: _seq, ...words }: Card): CardWords {
  return words;
}
