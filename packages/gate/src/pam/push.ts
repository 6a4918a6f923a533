/**
 * Push mode: the account of a local user is asked by a confirm question, and any of its devices answers. Not for
 * a network without a broker; gate mode is.
 * @module
 */
import { once } from 'node:events';
import type { Ask, Asked, Enquirer } from '@countersign/client';
import { CountersignError, commitPasscode, generatePasscode } from '@countersign/core';
import { networkOf } from '@countersign/http/network';
import { type Attempt, type Authenticate, type Conversation, type Decision, present } from './door.ts';
import { pushQuestion } from './push-question.ts';
import type { RateLimits, Rates } from './rates.ts';

export interface PushOptions {
  /** The host's own account. */
  readonly enquirer: Pick<Enquirer, 'ask' | 'wait' | 'cancel' | 'session'>;
  /** The account of a local user, where there is one. */
  readonly accountOf: (user: string) => Promise<string | undefined>;
  /** How the host is called to people. */
  readonly host: string;
  /** Milliseconds that are never set back. */
  readonly monotonic: () => number;
  /**
   * Whether six digits are shown that must be typed on the device, wherever the program can show them: whoever
   * says yes to everything then still opens nothing to a stranger.
   */
  readonly passcode: boolean;
  /** Questions by account and place, of all attempts. */
  readonly shares: Rates<string>;
}

/**
 * What one place has of the questions that a broker takes from this host for one account: three at once, five a minute
 * and twenty an hour. Whoever tries names, or another user of the host, keeps nobody else's from being asked.
 */
export const SHARE: RateLimits = {
  atOnce: 2,
  begun: [
    { most: 12, ms: 3_600_000 },
    { most: 4, ms: 60_000 },
  ],
};

/** A login question stands no longer, in seconds; and a shorter one is not worth asking. */
const LONGEST = 120;
const SHORTEST = 5;
/** From the end of a question until the module must have been told, in ms. */
const TO_TELL_MS = 1000;

/** Codes that say that the broker could not be asked, rather than that it was and said no. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['broker-unreachable', 'overloaded', 'storage-failed']);

/**
 * Decides attempts by asking the user's account. A stranger at the door learns of an answer that a person gave,
 * and of nothing else: a user without an account, one who is asked too often and one who blocked this host look
 * like one who does not answer.
 */
export function pushAuthenticator(options: PushOptions): Authenticate {
  return async (attempt, conversation) => {
    const left = attempt.deadline - options.monotonic() - TO_TELL_MS;
    const lifetime = Math.min(LONGEST, Math.floor(left / 1000));
    const question = pushQuestion(attempt, options.host);
    if (lifetime < SHORTEST || question === undefined) return 'unavailable';
    const end = AbortSignal.any([attempt.signal, AbortSignal.timeout(lifetime * 1000)]);
    const account = await options.accountOf(attempt.user);
    const leave =
      account === undefined
        ? undefined
        : options.shares.enter(JSON.stringify([account, placeOf(attempt)]), options.monotonic());
    const passcode = options.passcode && attempt.style !== 'silent';
    try {
      const asked =
        account === undefined || leave === undefined
          ? undefined
          : await post(options.enquirer, { ...question, account, kind: 'login', lifetime, passcode });
      return asked === undefined
        ? await pretend(options, attempt, conversation, passcode, end)
        : await answered(options, attempt, conversation, asked);
    } catch (error) {
      if (error instanceof CountersignError && UNAVAILABLE.has(error.code)) return 'unavailable';
      throw error;
    } finally {
      leave?.();
    }
  };
}

/** Where somebody stands, as far as the host knows it by itself: a network, a local user, a terminal. */
function placeOf({ peer, remoteHost, remoteUser, tty }: Attempt): string {
  if (peer.uid !== 0) return `uid ${peer.uid}`;
  if (remoteHost !== undefined) return networkOf(remoteHost);
  return remoteUser === undefined ? (tty ?? '') : `user ${remoteUser}`;
}

/** Posts a question; nothing where the account, or the broker for it, takes none. */
async function post(enquirer: PushOptions['enquirer'], ask: Ask): Promise<Asked | undefined> {
  try {
    return await enquirer.ask(ask);
  } catch (error) {
    if (error instanceof CountersignError && !UNAVAILABLE.has(error.code)) return undefined;
    throw error;
  }
}

async function answered(
  { enquirer }: PushOptions,
  attempt: Attempt,
  conversation: Conversation,
  asked: Asked,
): Promise<Decision> {
  const { signal } = attempt;
  let settled = false;
  try {
    const waiting = enquirer.wait(asked.hash, signal);
    waiting.catch(() => {});
    const { typed } = await present(attempt, conversation, linesOf(asked.passcode));
    await typed;
    const { outcome } = await waiting;
    settled = true;
    if (outcome === 'expired') return 'unanswered';
    return outcome === 'accepted' && !signal.aborted ? 'granted' : 'denied';
  } finally {
    // Whoever asked is gone, or hears no more: the question must not stand on.
    if (!settled) await enquirer.cancel(asked.hash).catch(() => {});
  }
}

/**
 * What somebody sees who asks for a user whom nobody can ask: the same words, and nobody who answers. The broker
 * is spoken to as well, so that its absence shows in the same way.
 */
async function pretend(
  { enquirer }: PushOptions,
  attempt: Attempt,
  conversation: Conversation,
  passcode: boolean,
  end: AbortSignal,
): Promise<Decision> {
  const { session } = enquirer;
  await session.ownLog(0);
  const digits = passcode ? generatePasscode(session.crypto) : undefined;
  if (digits !== undefined) await commitPasscode(session.crypto, digits);
  const { typed } = await present(attempt, conversation, linesOf(digits));
  await typed;
  if (!end.aborted) await once(end, 'abort');
  return 'unanswered';
}

function linesOf(passcode: string | undefined): string[] {
  return passcode === undefined
    ? ['Countersign: answer the question on your device.']
    : [`Countersign: answer the question on your device, with ${passcode.slice(0, 3)} ${passcode.slice(3)}.`];
}
