/**
 * The exchange of a mutual session (mode `cpace`): agent's page and customer's page find out whether they hold
 * the same values, and if so show the same passcode. The server that carries the messages learns neither. Each
 * step is an object with the one message it takes; whatever a step throws, the try is over, and another one is a
 * new run with fresh shares.
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { type CpaceInputs, type CpaceKey, startCpace } from './cpace.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';
import {
  type MessageOf,
  parseSessionMessage,
  SessionAnswer,
  SessionOpen,
  SessionReply,
  SessionSeen,
  SessionShare,
} from './session-messages.ts';
import { commitNonce, derivePasscode, NONCE_BYTES, openNonce } from './session-passcode.ts';
import { SESSION_TRIES, type SessionTerms, sessionChannel } from './session-terms.ts';
import type { HardenedValues } from './session-values.ts';

const PASSCODE_KEY = 'countersign session passcode 1';
const KEY_BYTES = 32;

type Randomness = Pick<CryptoProvider, 'randomBytes'>;

/** The agent's page, for as long as it is open. */
export interface AgentSide {
  /** The tries that were begun: a page that reloads goes on from here. */
  readonly tried: number;
  /**
   * Takes `open`. Tries only go up, and a match ends them.
   * @throws `session-invalid`
   */
  begin(open: unknown): AgentShared;
}

export interface AgentShared {
  readonly message: MessageOf<'share'>;
  /**
   * Takes `answer`, once.
   * @throws `session-mismatch` if the values differ or somebody altered a message; `session-invalid`
   */
  receive(answer: unknown): AgentConfirmed;
}

export interface AgentConfirmed {
  readonly message: MessageOf<'confirm'>;
  /** What a page needs to go on after a reload. Secret. */
  readonly kept: KeptMatch;
  /**
   * Takes `seen`, once. Before it, nothing here leads to the passcode.
   * @throws `session-mismatch` for a nonce that was not committed to; `session-invalid`
   */
  receive(seen: unknown): AgentSeen;
}

export interface AgentSeen {
  /** The passcode, for when the agent asks to see it. */
  reveal(): string;
}

/** A match that waits for `seen`. The key in it, with the nonce that is to come, gives the passcode. */
export interface KeptMatch {
  readonly key: string;
  readonly commitment: string;
  readonly confirm: MessageOf<'confirm'>;
}

export interface CustomerOpened {
  readonly message: MessageOf<'open'>;
  /**
   * Takes `share`, once.
   * @throws `session-invalid`
   */
  receive(share: unknown): CustomerAnswered;
}

export interface CustomerAnswered {
  readonly message: MessageOf<'answer'>;
  /**
   * Takes `confirm` or `mismatch`, once.
   * @throws `session-mismatch` if the values differ or somebody altered a message; `session-invalid`
   */
  receive(confirm: unknown): CustomerMatched;
}

export interface CustomerMatched {
  /** To be put on the screen. */
  readonly passcode: string;
  /** What to send once it stands there, and not before: with it, the agent's page has the passcode too. */
  seen(): MessageOf<'seen'>;
}

/**
 * The agent's side of a session, its values hardened by `hardenValues`.
 * @param tried the tries that an earlier life of this page has begun
 */
export function agentSide(
  crypto: Randomness,
  terms: SessionTerms,
  values: HardenedValues,
  tried = 0,
): AgentSide {
  checkMode(terms);
  let matched = false;
  return {
    get tried() {
      return tried;
    },
    begin(message) {
      const open = parseSessionMessage(SessionOpen, message, terms);
      if (matched || open.try <= tried)
        throw new CountersignError('session-invalid', 'a try that may not begin');
      tried = open.try;
      const run = startCpace(crypto, 'initiator', inputsOf(terms, values, tried), agentData(tried));
      const ids = { session: terms.session, try: tried };
      return {
        message: { kind: 'share', ...ids, share: encodeBase64url(run.sent.share) },
        receive: once((received) => {
          const answer = parseSessionMessage(SessionAnswer, received, ids);
          const sent = {
            share: decodeBase64url(answer.share),
            data: customerData(ids.try, decodeBase64url(answer.commitment)),
          };
          const key = run.finish(sent);
          if (matched || !key.isTag(decodeBase64url(answer.tag), sent.share, sent.data)) throw mismatch();
          matched = true;
          const nonce = crypto.randomBytes(NONCE_BYTES);
          const tag = key.tag(run.sent.share, run.sent.data, nonce);
          return agentConfirmed({
            key: encodeBase64url(passcodeKey(terms, key)),
            commitment: answer.commitment,
            confirm: { kind: 'confirm', ...ids, nonce: encodeBase64url(nonce), tag: encodeBase64url(tag) },
          });
        }),
      };
    },
  };
}

/** A match that the agent's page kept over a reload. */
export function agentConfirmed(kept: KeptMatch): AgentConfirmed {
  const { key, commitment, confirm } = kept;
  return {
    message: confirm,
    kept,
    receive: once((received) => {
      const seen = parseSessionMessage(SessionSeen, received, confirm);
      const nonce = openNonce(confirm.session, commitment, seen.nonce);
      const passcode = derivePasscode(decodeBase64url(key), decodeBase64url(confirm.nonce), nonce);
      return { reveal: () => passcode };
    }),
  };
}

/** What the agent's page sends after `session-mismatch`. */
export function mismatchMessage({ session, try: number }: MessageOf<'share'>): MessageOf<'mismatch'> {
  return { kind: 'mismatch', session, try: number };
}

/**
 * A try of the customer's page, its values hardened by `hardenValues`.
 * @param number of the try, 1 to 5; one more each time
 */
export function customerTry(
  crypto: Randomness,
  terms: SessionTerms,
  values: HardenedValues,
  number: number,
): CustomerOpened {
  checkMode(terms);
  if (!Number.isInteger(number) || number < 1 || number > SESSION_TRIES) {
    throw new TypeError(`tries are 1 to ${SESSION_TRIES}`);
  }
  const ids = { session: terms.session, try: number };
  return {
    message: { kind: 'open', ...ids },
    receive: once((received) => {
      const { share } = parseSessionMessage(SessionShare, received, ids);
      const nonce = crypto.randomBytes(NONCE_BYTES);
      const commitment = commitNonce(terms.session, nonce);
      const data = customerData(number, decodeBase64url(commitment));
      const run = startCpace(crypto, 'responder', inputsOf(terms, values, number), data);
      const agent = { share: decodeBase64url(share), data: agentData(number) };
      const key = run.finish(agent);
      const tag = encodeBase64url(key.tag(run.sent.share, data));
      return {
        message: { kind: 'answer', ...ids, share: encodeBase64url(run.sent.share), commitment, tag },
        receive: once((reply) => {
          const confirm = parseSessionMessage(SessionReply, reply, ids);
          if (confirm.kind === 'mismatch') throw mismatch();
          const theirs = decodeBase64url(confirm.nonce);
          if (!key.isTag(decodeBase64url(confirm.tag), agent.share, agent.data, theirs)) throw mismatch();
          return {
            passcode: derivePasscode(passcodeKey(terms, key), theirs, nonce),
            seen: () => ({ kind: 'seen', ...ids, nonce: encodeBase64url(nonce) }),
          };
        }),
      };
    }),
  };
}

/** Each try is a run of its own name. */
function inputsOf(terms: SessionTerms, password: HardenedValues, number: number): CpaceInputs {
  const session = lvCat(decodeBase64url(terms.session), Uint8Array.of(number));
  return { password, channel: sessionChannel(terms), session };
}

function agentData(number: number): Uint8Array {
  return lvCat('agent', Uint8Array.of(number));
}

function customerData(number: number, commitment: Uint8Array): Uint8Array {
  return lvCat('customer', Uint8Array.of(number), commitment);
}

function passcodeKey(terms: SessionTerms, { isk }: CpaceKey): Uint8Array {
  return hkdf(sha512, isk, decodeBase64url(terms.session), new TextEncoder().encode(PASSCODE_KEY), KEY_BYTES);
}

/** A step is taken once, whatever comes of it: a second message to the same scalar would be a second guess. */
function once<T>(step: (message: unknown) => T): (message: unknown) => T {
  let taken = false;
  return (message) => {
    if (taken) throw new CountersignError('session-invalid', 'this step of the try was taken');
    taken = true;
    return step(message);
  };
}

function checkMode({ mode }: SessionTerms): void {
  if (mode !== 'cpace') throw new TypeError('a session of mode digest has no exchange');
}

function mismatch(): CountersignError {
  return new CountersignError('session-mismatch', 'the two pages do not hold the same values');
}
