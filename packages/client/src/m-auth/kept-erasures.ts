/**
 * Erase statements kept for one's other devices: in a room of which the account itself is the only member, so that each
 * of its devices can read them and the broker can't. When a device is lost, another one sends what was kept of it, and
 * the hosts kill its pairs. spec/m-auth.md#kept-for-the-other-devices.
 * @module
 */
import { CountersignError, decodeBase64url, encodeBase64url, parseStrictJson } from '@countersign/core';
import {
  eraseFrame,
  isErased,
  parseValidatorRecord,
  takeFrame,
  type ValidatorRecord,
} from '@countersign/core/m-auth';
import { concat, type NoiseCrypto } from '@countersign/core/noise';
import * as v from 'valibot';
import type { KnownRoom, Rooms } from '../rooms.ts';
import { sleep } from '../sleep.ts';
import type { ByteDuplex } from './duplex.ts';

export const KEPT_ERASURES_ROOM = 'Validators, should they be lost';
const PREFIX = 'countersign-kept-erasure:';
const Base64url = (bytes: number) =>
  v.pipe(
    v.string(),
    v.check((text) => isBytes(text, bytes)),
  );

const KeptErasure = v.strictObject({
  /** The device that the validator is on: the fingerprint of its signing key. */
  device: v.string(),
  /** The pair, and whose it is where. */
  id: Base64url(16),
  account: v.string(),
  host: v.string(),
  addresses: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(4)),
  /** The token of the pair's erase statement. */
  erase: Base64url(16),
});
export type KeptErasure = v.InferOutput<typeof KeptErasure>;

type OwnRooms = Pick<Rooms, 'read' | 'create' | 'send'>;

/**
 * Keeps what kills the pairs of a validator that is on a device; what is kept already is not sent again.
 * @param device the fingerprint of that device
 * @returns how many were new
 */
export async function keepErasures(
  rooms: OwnRooms,
  device: string,
  records: readonly ValidatorRecord[],
): Promise<number> {
  const known = await rooms.read();
  const kept = new Set(erasuresIn(known).map(({ id }) => id));
  const fresh = records.map((record) => parseValidatorRecord(record)).filter(({ id }) => !kept.has(id));
  if (fresh.length === 0) return 0;
  const room = known.find(isOurs)?.room ?? (await rooms.create(KEPT_ERASURES_ROOM, []));
  for (const { id, account, host, addresses, erase } of fresh) {
    const kept: KeptErasure = { device, id, account, host, addresses: [...addresses], erase };
    // As it is: what shows messages makes odd characters of a text visible.
    await rooms.send(room, PREFIX + encodeBase64url(new TextEncoder().encode(JSON.stringify(kept))));
  }
  return fresh.length;
}

/** What was kept of a device, by whichever device of the account. */
export async function keptErasures(rooms: Pick<Rooms, 'read'>, device: string): Promise<KeptErasure[]> {
  return erasuresIn(await rooms.read()).filter((kept) => kept.device === device);
}

/** What became of the pairs of a device that was lost. */
export interface LostPairs {
  /** Their hosts have said that they are gone. */
  readonly erased: readonly KeptErasure[];
  /** Nobody has. */
  readonly unconfirmed: readonly KeptErasure[];
  /** Why it could not be read what was kept. */
  readonly unread?: CountersignError;
}

/**
 * Tells the hosts of all that was kept of a device, one beside the other.
 * @param reach connects to the first of some addresses that answers
 */
export async function eraseLost(
  rooms: Pick<Rooms, 'read'>,
  device: string,
  crypto: NoiseCrypto,
  reach: (addresses: readonly string[]) => Promise<ByteDuplex>,
): Promise<LostPairs> {
  const kept = await keptErasures(rooms, device).catch((error: unknown) => {
    // The device is frozen, and that is to be told.
    if (error instanceof CountersignError) return error;
    throw error;
  });
  if (kept instanceof CountersignError) return { erased: [], unconfirmed: [], unread: kept };
  const sent = await Promise.allSettled(kept.map((one) => tell(crypto, one, reach)));
  for (const one of sent) {
    const known = one.status === 'fulfilled' || one.reason instanceof CountersignError;
    if (!known) throw one.reason;
  }
  return {
    erased: kept.filter((_, i) => isConfirmed(sent[i]!)),
    unconfirmed: kept.filter((_, i) => !isConfirmed(sent[i]!)),
  };
}

/** So often a host is told that is there and does not confirm: it announces a pair that is new within two seconds. */
const TRIES = 3;
const AGAIN_MS = 1500;

async function tell(...what: Parameters<typeof sendErasure>): Promise<boolean> {
  for (let tries = 1; tries < TRIES; tries++) {
    if (await sendErasure(...what)) return true;
    await sleep(AGAIN_MS);
  }
  return sendErasure(...what);
}

function isConfirmed(sent: PromiseSettledResult<boolean>): boolean {
  return sent.status === 'fulfilled' && sent.value;
}

/** How long a host that has taken the connection may take to say that the pair is gone, in ms. */
const ANSWER_MS = 10_000;

/**
 * Sends an erase statement to the host of a pair.
 * @param reach connects to the first of some addresses that answers; that says nothing of the host behind it
 * @returns whether the host has said that the pair is gone; one that knows no such pair, or not any more, says nothing
 * @throws what `reach` does
 */
export async function sendErasure(
  crypto: NoiseCrypto,
  pair: Pick<KeptErasure, 'id' | 'addresses' | 'erase'>,
  reach: (addresses: readonly string[]) => Promise<ByteDuplex>,
): Promise<boolean> {
  const duplex = await reach(pair.addresses);
  const over = new AbortController();
  sleep(ANSWER_MS, over.signal).then(() => duplex.close());
  try {
    duplex.write(eraseFrame(crypto, decodeBase64url(pair.erase)));
    let said: Uint8Array = new Uint8Array();
    for await (const chunk of duplex.incoming) {
      said = concat(said, chunk);
      const taken = takeFrame(said);
      if (taken !== undefined) return isErased(crypto, pair, taken.frame);
    }
    return false;
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'frame-invalid') return false;
    throw error;
  } finally {
    over.abort();
    duplex.close();
  }
}

function isOurs({ name, members }: KnownRoom): boolean {
  return name === KEPT_ERASURES_ROOM && members.length === 1;
}

function erasuresIn(rooms: readonly KnownRoom[]): KeptErasure[] {
  const texts = rooms.filter(isOurs).flatMap(({ messages }) => messages.map(({ text }) => text ?? ''));
  return texts.flatMap((text) => {
    if (!text.startsWith(PREFIX)) return [];
    try {
      const parsed = v.safeParse(KeptErasure, parseStrictJson(decodeBase64url(text.slice(PREFIX.length))));
      return parsed.success ? [parsed.output] : [];
    } catch {
      // of another release, or of no use
      return [];
    }
  });
}

function isBytes(text: string, bytes: number): boolean {
  try {
    return decodeBase64url(text).length === bytes;
  } catch {
    return false;
  }
}
