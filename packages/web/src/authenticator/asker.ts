/**
 * Who asks: the name that this person gave it, what it says of itself, and what proves who it is.
 * @module
 */
import type { KnownCard, Responder } from '@countersign/client';
import { statementId } from '@countersign/core';

export interface Asker {
  readonly name: string;
  /** Of its account: what tells it from everybody else. */
  readonly fingerprint: string;
  /** As this person calls it, on this device. */
  readonly petname?: string;
  /** Signed by a device of that account; what stands on it is its own word. */
  readonly card?: KnownCard['card'];
  /** What the broker found to be its own within the last day, of what its card claims. */
  readonly domains: KnownCard['domains'];
  /** The one that the card names, as a PNG in base64. */
  readonly picture?: string;
}

const PETNAMES = 'petname';
/** A card or a picture that comes later than this, in ms, is not shown: nothing moves under the finger. */
const CARD_MS = 1500;

/** @param pictured whether the card's picture is read as well */
export async function readAsker(
  { session }: Responder,
  { name, identity }: { name: string; identity: string },
  pictured: boolean,
): Promise<Asker> {
  const { crypto, state } = session;
  const late = aborted(AbortSignal.timeout(CARD_MS));
  const [fingerprint, petname, known] = await Promise.all([
    statementId(crypto, identity),
    state.get<string>(PETNAMES, identity),
    Promise.race([cardOf(session, name, identity), late]),
  ]);
  const picture = pictured && known && (await Promise.race([pictureOf(session, known.card), late]));
  return {
    name,
    fingerprint,
    ...(petname === undefined ? {} : { petname }),
    ...(known ?? { domains: [] }),
    ...(typeof picture !== 'string' ? {} : { picture: picture.replaceAll('-', '+').replaceAll('_', '/') }),
  };
}

/** What this person calls an account. An empty name forgets it. */
export async function setPetname({ session }: Responder, identity: string, petname: string): Promise<void> {
  if (petname === '') await session.state.delete(PETNAMES, identity);
  else await session.state.update(PETNAMES, identity, () => petname);
}

/** A card that can't be had, or isn't good, is none. */
const cardOf = (session: Responder['session'], name: string, identity: string) =>
  import('./read-card.ts').then(({ readCard }) => readCard(session, name, identity)).catch(() => undefined);

const pictureOf = (session: Responder['session'], card: KnownCard['card']) =>
  import('./read-card.ts').then(({ readPicture }) => readPicture(session, card)).catch(() => undefined);

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}
