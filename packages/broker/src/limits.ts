/**
 * How often an enquirer may ask an account, what a stranger may do, and how often an address may register.
 * Pure: state in, verdict and state out. Times are seconds since 1970.
 * @module
 */
import { CountersignError, counts, type DeviceLog, isFrozen } from '@countersign/core';

export const MAX_PENDING = 3;
export const MAX_PER_MINUTE = 5;
export const MAX_PER_HOUR = 20;
/** Strangers that may wait for an account's word at a time, each with one request that nobody is shown. */
export const MAX_STRANGERS = 10;
/** First pause after a request that nobody answered; it doubles with each further one. */
export const FIRST_PAUSE = 5;
export const LONGEST_PAUSE = 3600;
/** Pause after a fraud report. */
export const FRAUD_PAUSE = 3600;
/** Accounts that one remote address may register in an hour, unless the operator says otherwise. */
export const REGISTRATIONS_PER_HOUR = 30;

/** Rooms, keys of rooms and messages of one account in an hour: whoever is in a room reads all of it. */
export const ROOM_ITEMS_PER_HOUR = 600;

/** Questions of one member to sign in at one organisation, from one network in an hour: it leaves as many to others. */
export const SIGN_INS_PER_NETWORK = MAX_PER_HOUR / 2;
/** So long, in seconds, must stand what a browser asks, for a seat or by one; and half of it by our clock. */
export const SHORTEST_BY_BROWSER = 60;

/** Addresses that one account is told at. */
export const MAX_ADDRESSES = 5;
/** Codes by e-mail in an hour: for one account, to one address, and by one remote address. */
export const CODES_PER_ACCOUNT = 5;
export const CODES_PER_ADDRESS = 3;
export const CODES_PER_NETWORK = 20;
/** Notices by e-mail to one account in an hour; that its recovery has begun is always said. */
export const MAILS_PER_HOUR = 20;

/** Devices that may wait before an account's door at a time, and come in an hour; more are kept from it. */
export const MAX_WAITING_DEVICES = 3;
export const MAX_DEVICES_PER_HOUR = 5;
/** So long, in seconds, an account is told what was kept from its devices. */
export const NOTICES_KEPT = 30 * 86_400;

/**
 * What a device log may grow to. Whoever learns of an account replays all of it; a life of many devices, each
 * with new keys every month, stays far below.
 */
export const MAX_LOG_ENTRIES = 2000;
export const MAX_LOG_CHARACTERS = 4 * 1024 * 1024;
/**
 * Entries that one device may add to its log in a day, by whatever key, but for those that stop or show out a device,
 * or recover the account.
 */
export const APPENDS_PER_DAY = 100;
/** Characters of an epoch's key sealed to one device: one of ours has 283. */
export const MAX_EPOCH_BOX = 512;

/** Entries of a device log, and their characters. */
interface Room {
  readonly entries: number;
  readonly characters: number;
}
/** What it takes to stop a device, and once more to show it out: the entry, and a new epoch without its boxes. */
const ENDING: Room = { entries: 2, characters: 4096 };
/** What an epoch has for each device that counts: the kid, and the box, in base64url. */
const BOX_CHARACTERS = 768;
/** What only recoveries may use. */
const FOR_RECOVERIES: Room = { entries: 40, characters: 128 * 1024 };

const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;
/** How far back posts count. Requests are kept at least so long. */
export const RECENT = HOUR;

/** What is kept of an account and an enquirer. */
export interface Standing {
  readonly policy: 'stranger' | 'allow' | 'block';
  /** Times of the posts of the last hour, oldest first. */
  readonly recent: readonly number[];
  /** Requests in a row that expired without an answer. */
  readonly ignored: number;
  /** Nothing is taken before this time. */
  readonly pausedUntil: number;
}

export const STRANGER: Standing = { policy: 'stranger', recent: [], ignored: 0, pausedUntil: 0 };

/**
 * Whether one more request may be posted.
 * @param waiting pending requests of this enquirer to this account, and of all strangers to it
 * @returns the standing after the post; `held` requests are shown to nobody until the account takes the asker
 * @throws `not-permitted`, `contact-held`, `too-many-pending`, `too-often` (with `retryAfter`)
 */
export function judgePost(
  standing: Standing,
  waiting: { own: number; strangers: number },
  now: number,
): { held: boolean; next: Standing } {
  if (standing.policy === 'block') {
    throw new CountersignError('not-permitted', 'this account takes no questions from you');
  }
  const held = standing.policy === 'stranger';
  if (held && waiting.own > 0) {
    throw new CountersignError('contact-held', 'the account has yet to decide whether you may ask it', {
      hint: 'ask its owner, by another way, to add you as a contact',
    });
  }
  if (held && waiting.strangers >= MAX_STRANGERS) {
    throw new CountersignError('too-many-pending', 'too many strangers wait for this account already');
  }
  if (waiting.own >= MAX_PENDING) {
    throw new CountersignError('too-many-pending', `${MAX_PENDING} requests wait for an answer already`, {
      hint: 'wait until one is answered or expires, or cancel one',
    });
  }
  const recent = standing.recent.filter((time) => time > now - HOUR);
  const wait = Math.max(
    standing.pausedUntil - now,
    untilFree(recent, MAX_PER_HOUR, HOUR, now),
    untilFree(recent, MAX_PER_MINUTE, MINUTE, now),
  );
  if (wait > 0) throw tooOften('requests to this account', wait);
  return { held, next: { ...standing, recent: [...recent, now] } };
}

/** Whether one more device may wait. @param counts devices that wait now, and that came within the hour */
export function judgeEnrolment({ waiting, recent }: { waiting: number; recent: number }): boolean {
  return waiting < MAX_WAITING_DEVICES && recent < MAX_DEVICES_PER_HOUR;
}

/**
 * Whether a log may grow. Room is kept to stop and to show out every device that is there: whoever does so uses what
 * was kept for that device, and no more can be used than there are devices. So nobody fills a log for those who would
 * show them out. What is kept for recoveries, devices can't use.
 * @param before nothing where it begins
 * @param recovers what is added begins or ends a recovery, and nothing else
 * @throws `log-full`
 */
export function judgeGrowth(before: Growing | undefined, after: Growing, recovers: boolean): void {
  const was = before && roomOf(before);
  const is = roomOf(after);
  const fits = (what: keyof Room, most: number) =>
    is[what] <= most - (recovers ? 0 : FOR_RECOVERIES[what]) || (was !== undefined && is[what] <= was[what]);
  if (fits('entries', MAX_LOG_ENTRIES) && fits('characters', MAX_LOG_CHARACTERS)) return;
  throw new CountersignError('log-full', 'this account’s device log is as long as a log may be', {
    hint: 'devices can still be shown out or frozen, and the account recovered; for all else begin with a new one',
  });
}

type Growing = Pick<DeviceLog, 'entries' | 'devices'>;

/** What a log has, and what is kept until its devices are gone. */
function roomOf({ entries, devices }: Growing): Room {
  const present = [...devices.values()].filter(({ revokedAt }) => revokedAt === undefined);
  const steps = present.reduce((sum, device) => sum + (isFrozen(device) ? 1 : 2), 0);
  const boxes = present.filter(counts).length * present.length;
  return {
    entries: entries.length + steps * ENDING.entries,
    characters:
      entries.reduce((sum, { length }) => sum + length, 0) +
      steps * ENDING.characters +
      boxes * BOX_CHARACTERS,
  };
}

/**
 * Whether one more of something fits into a span of time.
 * @param what as it stands behind "too many"
 * @param times of those before
 * @param span in seconds
 * @returns the times after it, of the last span only
 * @throws `too-often` with `retryAfter`
 */
export function judgeRecent(
  what: string,
  times: readonly number[],
  most: number,
  span: number,
  now: number,
): readonly number[] {
  const recent = times.filter((time) => time > now - span);
  const wait = untilFree(recent, most, span, now);
  if (wait > 0) throw tooOften(what, wait);
  return [...recent, now];
}

/** After an answer: whoever is answered may go on as before. */
export function afterAnswer(standing: Standing): Standing {
  return standing.ignored === 0 ? standing : { ...standing, ignored: 0 };
}

/** After an expiry that nobody answered: the pause doubles. */
export function afterIgnored(standing: Standing, now: number): Standing {
  const ignored = standing.ignored + 1;
  const pause = Math.min(FIRST_PAUSE * 2 ** (ignored - 1), LONGEST_PAUSE);
  return { ...standing, ignored, pausedUntil: Math.max(standing.pausedUntil, now + pause) };
}

export function afterFraud(standing: Standing, now: number): Standing {
  return { ...standing, pausedUntil: Math.max(standing.pausedUntil, now + FRAUD_PAUSE) };
}

/** Seconds until one more fits, where so many fit into any span. */
function untilFree(times: readonly number[], fit: number, span: number, now: number): number {
  const oldest = times.at(-fit);
  return oldest === undefined ? 0 : oldest + span - now;
}

function tooOften(what: string, seconds: number): CountersignError {
  return new CountersignError('too-often', `too many ${what}: try again in ${seconds} s`, {
    retryAfter: seconds,
  });
}
