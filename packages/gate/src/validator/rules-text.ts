/**
 * Rules, and hours and days, as people write and read them.
 * @module
 */
import type { SignOnRules } from '@countersign/client/m-auth';
import { CountersignError } from '@countersign/core';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const HOURS = 60;

/** `08:00-18:00` in minutes of the day. @throws `usage` */
export function parseHours(text: string): { from: number; to: number } {
  const [from, to, more] = text.split('-').map(minuteOf);
  if (from !== undefined && to !== undefined && more === undefined) return { from, to };
  throw new CountersignError('usage', `not hours: ${JSON.stringify(text)}`, { hint: '08:00-18:00' });
}

/** `mon-fri`, `sat,sun`: numbers from 0, Sunday. @throws `usage` */
export function parseDays(text: string): number[] {
  const days = text
    .toLowerCase()
    .split(',')
    .flatMap((part) => {
      const [first, last = first, more] = part
        .split('-')
        .map((day) => DAYS.indexOf(day as (typeof DAYS)[number]));
      if (first === undefined || first < 0 || last === undefined || last < 0 || more !== undefined) {
        throw new CountersignError('usage', `not days: ${JSON.stringify(text)}`, {
          hint: 'mon-fri, or sat,sun',
        });
      }
      return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
    });
  return [...new Set(days)].sort();
}

export function rulesText({ services, networks, hours, days, otherwise }: SignOnRules): string {
  const only = [
    services && `services ${services.join(', ')}`,
    networks && `from ${networks.join(', ')}`,
    hours && `${clockText(hours.from)}-${clockText(hours.to)}`,
    days?.map((day) => DAYS[day]).join(','),
  ].filter((part) => part !== undefined);
  const rest = otherwise === 'accept' ? 'accepted without asking' : 'asked';
  return only.length === 0 ? `all is ${rest}` : `only ${only.join('; ')}: ${rest}; all else is denied`;
}

function minuteOf(text: string): number | undefined {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  const total = Number(hour) * HOURS + Number(minute);
  return hour !== undefined && Number(minute) < HOURS && total <= 24 * HOURS ? total : undefined;
}

function clockText(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / HOURS))}:${two(minute % HOURS)}`;
}
