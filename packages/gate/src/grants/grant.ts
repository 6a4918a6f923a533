/**
 * A grant: for a time, one user signs on to one service of this host without approvers being asked. It takes the
 * place of their consent and of nothing else: the person's own validator is needed as ever. Pure.
 * @module
 */
import type { BootTime } from './boot-time.ts';

export const MIN_GRANT_SECONDS = 60;
export const MAX_GRANT_SECONDS = 12 * 3600;
/** How far the calendar's time may fall behind the time since the boot, as clocks are put right. */
const SET_BACK_SECONDS = 30;

export interface Grant {
  readonly id: string;
  readonly user: string;
  readonly service: string;
  /** How long it is open. */
  readonly seconds: number;
  /** Whose word it was: approvers, or whoever looks after the host. */
  readonly by: string;
  readonly why: string;
  readonly made: BootTime;
}

/** `open`, or why it is not. */
export type GrantState = 'open' | 'over' | 'rebooted' | 'clock set back';

/**
 * What has become of a grant. Whichever clock says first that it is over is right; where they contradict each other,
 * or the machine was started anew, nothing is open.
 */
export function stateOf({ made, seconds }: Grant, at: BootTime): GrantState {
  if (at.boot !== made.boot) return 'rebooted';
  const passed = at.seconds - made.seconds;
  const dated = at.now - made.now;
  if (!(passed >= 0) || dated < passed - SET_BACK_SECONDS) return 'clock set back';
  return passed < seconds && dated < seconds ? 'open' : 'over';
}

/** Seconds that are left of an open grant. */
export function secondsLeft({ made, seconds }: Grant, at: BootTime): number {
  return Math.max(0, Math.min(seconds - (at.seconds - made.seconds), seconds - (at.now - made.now)));
}

/** `45m`, `2h`: seconds, from a minute to 12 hours; undefined for anything else. */
export function parseGrantTime(text: string): number | undefined {
  const [, digits, unit] = /^([1-9]\d{0,2})(m|h)$/.exec(text) ?? [];
  const value = Number(digits) * (unit === 'h' ? 3600 : 60);
  return value >= MIN_GRANT_SECONDS && value <= MAX_GRANT_SECONDS ? value : undefined;
}

/** `2 hours`, `1 hour 30 minutes`, as people are told. */
export function grantTimeText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  const count = (n: number, word: string) => (n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`]);
  return [...count(Math.floor(minutes / 60), 'hour'), ...count(minutes % 60, 'minute')].join(' ');
}
