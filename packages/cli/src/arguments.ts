/**
 * Readers of what is typed as arguments.
 * @module
 */
import { RIGHTS, type Right } from '@countersign/core';
import { InvalidArgumentError } from 'commander';
import ms from 'ms';

/** Seconds in `10m`, `1h`, `1d`. */
export function duration(text: string): number {
  // `ms` throws at an empty text.
  const seconds = text === '' ? Number.NaN : Math.floor(ms(text as ms.StringValue) / 1000);
  if (!Number.isSafeInteger(seconds) || seconds < 1) {
    throw new InvalidArgumentError('like 120s, 10m, 1h or 1d');
  }
  return seconds;
}

/** A duration between two, in seconds. */
export function durationWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const seconds = duration(text);
    if (seconds >= least && seconds <= most) return seconds;
    throw new InvalidArgumentError(`from ${ms(least * 1000)} to ${ms(most * 1000)}`);
  };
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}

/** A list of rights, or `all`. */
export function rights(text: string): Right[] {
  if (text === 'all') return [...RIGHTS];
  const named = text.split(',').map((right) => right.trim());
  const unknown = named.find((right) => !(RIGHTS as readonly string[]).includes(right));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`“${unknown}” is none of ${RIGHTS.join(', ')}, all`);
  }
  return [...new Set(named)] as Right[];
}
