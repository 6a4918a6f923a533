/**
 * Readers of what is typed as arguments.
 * @module
 */
import { RIGHTS, type Right } from '@countersign/core';
import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds in `10m`, `1h`, `1d`. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d{1,4})([smhd])$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError('like 10m, 1h or 1d');
  return Number(number) * SECONDS[unit as keyof typeof SECONDS];
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
