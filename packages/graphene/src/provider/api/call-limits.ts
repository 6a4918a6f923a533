/**
 * How often one remote address may call: an IPv4 address, or the first 64 bits of an IPv6 one. Counted in memory alone,
 * and by what a call costs: reading is cheap, a transaction reads the chain and may ask a person, a registration sends
 * codes.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import rateLimit from '@fastify/rate-limit';
import type { FastifySchema } from 'fastify';

/** Calls a minute. */
export interface CallLimits {
  readonly reading: number;
  /** Transactions and policies. */
  readonly asking: number;
  readonly registering: number;
}

export const CALL_LIMITS: CallLimits = { reading: 300, asking: 60, registering: 20 };

const MINUTE_MS = 60_000;
/** Addresses that are remembered. */
const REMEMBERED = 100_000;

/**
 * Limits every route that is added afterwards.
 * @returns what limits calls of no route
 */
export async function useCallLimits(app: ValibotFastify, limits: CallLimits) {
  await app.register(rateLimit, {
    global: false,
    timeWindow: MINUTE_MS,
    cache: REMEMBERED,
    errorResponseBuilder: (_call, { ttl }) => {
      const seconds = Math.max(1, Math.ceil(ttl / 1000));
      return new CountersignError(
        'too-often',
        `too many calls from this address: try again in ${seconds} s`,
        {
          retryAfter: seconds,
        },
      );
    },
  });
  // One count for all the routes of a group.
  const counted = {
    reading: app.rateLimit({ max: limits.reading }),
    asking: app.rateLimit({ max: limits.asking }),
    registering: app.rateLimit({ max: limits.registering }),
  };
  app.addHook('onRoute', (route) => {
    const handler = counted[groupOf([route.method].flat(), route.url)];
    route.onRequest = [handler, ...[route.onRequest ?? []].flat()];
    const { 'x-errors': errors = [], ...schema }: FastifySchema = route.schema ?? {};
    if (!errors.includes('too-often')) route.schema = { ...schema, 'x-errors': [...errors, 'too-often'] };
  });
  return counted.reading;
}

function groupOf(methods: readonly string[], url: string): keyof CallLimits {
  if (methods.every((method) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS')) {
    return 'reading';
  }
  return url.startsWith('/v1/registrations') ? 'registering' : 'asking';
}
