/**
 * Signatures on texts: an organisation's device makes them, and whoever has the link checks them, by the
 * organisation's log and not by the broker's word. The text is sent to nobody.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  createTextSignature,
  type DeviceLog,
  judgeText,
  NO_MEMBERS,
  parseStatement,
  replayMembers,
  type TextSignature,
  type TextSignatureLink,
  TextSignatureStatement,
  type TextVerdict,
  verifyTextSignature,
} from '@countersign/core';
import { AccountBook } from './account-book.ts';
import { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { Session } from './session.ts';
import { readSeat } from './sign-in.ts';
import type { StateStore } from './state-store.ts';

/** Age of the log by which a signature is judged, in seconds. */
const LOG_AGE = 86_400;

export interface SignedText {
  readonly verdict: TextVerdict;
  readonly signature: TextSignature;
  readonly log: DeviceLog;
}

/**
 * Signs a text, and gives the signature to the broker.
 * @param wish the text, and for how long in seconds, without that for good; the seat, where a member signs
 * @returns what its link holds
 * @throws `text-refused`, `text-too-long`, `signature-lifetime`, `device-not-entitled`, `too-often`
 */
export async function signText(
  session: Session,
  wish: { readonly text: string; readonly lifetime?: number; readonly seat?: string | undefined },
): Promise<TextSignatureLink> {
  const { crypto, keys, clock, api } = session;
  const log = await session.ownLog(0);
  const { jws, hash } = await createTextSignature(crypto, keys.signer, log, { ...wish, now: clock.now() });
  await api.postTextSignature(jws);
  return { origin: api.origin, name: log.name, identity: log.identity, hash };
}

/**
 * Checks a text by a link. The link names the organisation's identity and the statement, so that whoever serves
 * another organisation's log, or another signature, is found out.
 * @returns what is to be said of the text; `invalid` for one that was not signed, or not by that organisation
 * @throws `signature-unknown`, `broker-unreachable`, and what reading the organisation's log throws: nothing is
 *   known of the text then
 */
export async function checkSignedText(
  { crypto, clock, state }: { crypto: CryptoProvider; clock: Clock; state: StateStore },
  { origin, name, identity, hash }: TextSignatureLink,
  text: string,
): Promise<SignedText> {
  const api = new BrokerApi(origin);
  const book = new AccountBook(api, crypto, state, clock);
  const jws = await api.readTextSignature(hash);
  const statement = await parseStatement(crypto, TextSignatureStatement, jws);
  if (statement.hash !== hash) {
    throw new CountersignError('broker-answer-invalid', 'another signature than the link names');
  }
  const { log } = await book.find(name, LOG_AGE, identity);
  const { seat: named, iat } = statement.payload;
  const session = { api, book, crypto, keys: { name, identity } };
  const by =
    named === undefined
      ? undefined
      : {
          seat: await readSeat(session, named),
          members: await replayMembers(crypto, await api.readMembers(name, 1), log, NO_MEMBERS, iat),
        };
  const verified = await verifyTextSignature(crypto, jws, log, by);
  const verdict = await judgeText(crypto, verified, text, clock.now());
  return { verdict, signature: verified.payload, log };
}
