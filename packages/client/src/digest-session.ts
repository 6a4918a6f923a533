/**
 * Mutual sessions that a program makes, with nobody live on the organisation's side (mode `digest`): weaker than two
 * open pages, since the server holds what a guess can be tried against.
 * @module
 */
import type { SessionField } from '@countersign/core';
import { createDigestSession } from '@countersign/core/digest-session';
import type { Session } from './session.ts';
import type { WireSession } from './wire.ts';

const POLL_SECONDS = 20;

export interface DigestWish {
  readonly fields: readonly SessionField[];
  /** What both sides hold, in the order of the fields. It is not sent. */
  readonly values: readonly string[];
  readonly subject?: string;
  /** In seconds, 30 to 900. */
  readonly lifetime: number;
}

export interface StartedDigest {
  readonly sid: string;
  /** For the receiver; it opens once. */
  readonly link: string;
  /** What the receiver will see, for whoever speaks to them: it is told when they ask for it, and not before. */
  readonly passcode: string;
  readonly expiresAt: number;
}

/** @throws `value-invalid`, `session-lifetime`, `statement-malformed`, `device-not-entitled` */
export async function startDigestSession(session: Session, wish: DigestWish): Promise<StartedDigest> {
  const { crypto, keys, clock, api } = session;
  const { statement, token, posted, passcode } = await createDigestSession(
    crypto,
    keys.signer,
    await session.ownLog(0),
    { ...wish, broker: keys.broker, now: clock.now() },
  );
  const { digest, nonce } = posted;
  await api.startSession(statement.jws, { digest, nonce });
  const fragment = new URLSearchParams({ t: token, m: 'digest' });
  return {
    sid: statement.payload.sid,
    link: `${keys.broker}/s/${encodeURIComponent(keys.name)}#${fragment}`,
    passcode,
    expiresAt: statement.payload.exp,
  };
}

/**
 * Waits until the receiver sees their passcode, or the session is over.
 * @returns how it stands; `seen_at` says that they see it
 */
export async function waitUntilSeen(
  { api, keys }: Session,
  sid: string,
  signal?: AbortSignal,
): Promise<WireSession> {
  let [version, after] = [0, 0];
  // The first look does not wait: a session to which nothing has happened has version 0 as well.
  for (let wait = 0; ; wait = POLL_SECONDS) {
    const polling = { after, version, wait };
    const { state, messages } = await api.readSession(keys.signer, keys.name, sid, polling, signal);
    if (state.seen_at !== undefined || state.ended_at !== undefined) return state;
    version = state.version;
    after = messages.at(-1)?.cursor ?? after;
  }
}
