/**
 * Readers of what is typed as arguments.
 * @module
 */
import { InvalidArgumentError } from 'commander';
import { parseGrantTime } from '../grants/grant.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `0.0.0.0:8475`, `[::]:8475`, or a port alone, on all addresses. */
export function hostPort(text: string): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]:|([^:[\]]+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) throw new InvalidArgumentError('like 0.0.0.0:8475, or a port');
  return { host: bracketed ?? plain ?? '::', port };
}

/** Seconds, whole, from one number to another. */
export function seconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`seconds, from ${least} to ${most}`);
  };
}

/** `45m`, `2h`: seconds, from a minute to 12 hours. */
export function grantTime(text: string): number {
  const value = parseGrantTime(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('like 45m or 2h, from 1m to 12h');
}

export function each(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
