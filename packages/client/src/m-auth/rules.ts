/**
 * A person’s rules for one interface: what is denied without asking, and whether the rest is asked or accepted.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { SignOnContext } from '@countersign/core/m-auth';
import ipaddr from 'ipaddr.js';
import * as v from 'valibot';

/** Minutes of a day. */
const DAY = 24 * 60;
const Minute = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(DAY));

export const SignOnRules = v.strictObject({
  /** Only these of the host’s services. */
  services: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
  /** Only from these networks, as `192.0.2.0/24` or `2001:db8::/32`. What says no address is denied. */
  networks: v.optional(v.pipe(v.array(v.pipe(v.string(), v.check(isNetwork))), v.minLength(1))),
  /** Only from `from` up to, and not including, `to`, in minutes of the local day; over midnight where `to` is less. */
  hours: v.optional(v.strictObject({ from: Minute, to: Minute })),
  /** Only on these days; 0 is Sunday. With hours over midnight, the day on which they begin. */
  days: v.optional(
    v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(6))), v.minLength(1)),
  ),
  /** What becomes of a context that none of these denies. */
  otherwise: v.picklist(['ask', 'accept']),
});
export type SignOnRules = v.InferOutput<typeof SignOnRules>;

/** When a context is judged, by the clock on the person’s wall. */
export interface LocalTime {
  /** 0 is Sunday. */
  readonly day: number;
  /** Of the day: 0 to 1439. */
  readonly minute: number;
}

export type Judgement =
  | { readonly verdict: 'ask' | 'accept' }
  | { readonly verdict: 'deny'; readonly because: 'service' | 'network' | 'hours' };

/** What the rules say to a context. Without rules, the person is asked. */
export function judge(rules: SignOnRules | undefined, context: SignOnContext, at: LocalTime): Judgement {
  if (rules === undefined) return { verdict: 'ask' };
  const { services, networks, otherwise } = rules;
  if (services !== undefined && !services.includes(context.service))
    return { verdict: 'deny', because: 'service' };
  if (networks !== undefined && !isWithin(context.address, networks))
    return { verdict: 'deny', because: 'network' };
  return isTime(rules, at) ? { verdict: otherwise } : { verdict: 'deny', because: 'hours' };
}

function isWithin(address: string | undefined, networks: readonly string[]): boolean {
  if (address === undefined || !ipaddr.isValid(address)) return false;
  // an IPv4 address that is written as IPv6 is judged as what it is
  const one = ipaddr.process(address);
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === one.kind() && one.match(base, bits);
  });
}

function isTime({ hours, days }: SignOnRules, { day, minute }: LocalTime): boolean {
  const { from, to } = hours ?? { from: 0, to: DAY };
  const overMidnight = to <= from;
  const began = overMidnight && minute < to ? (day + 6) % 7 : day;
  const within = overMidnight ? minute >= from || minute < to : minute >= from && minute < to;
  return within && (days === undefined || days.includes(began));
}

function isNetwork(text: string): boolean {
  try {
    const [base] = ipaddr.parseCIDR(text);
    return base.kind() === 'ipv6' || ipaddr.IPv4.isValidFourPartDecimal(text.split('/')[0]!);
  } catch {
    return false;
  }
}

/** @throws `input-invalid` */
export function parseRules(value: unknown): SignOnRules {
  const parsed = v.safeParse(SignOnRules, value);
  if (parsed.success) return parsed.output;
  throw new CountersignError('input-invalid', `not rules: ${v.summarize(parsed.issues)}`);
}
