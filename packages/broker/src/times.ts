/**
 * Whether a signed word is of this minute.
 * @module
 */
import { CLOCK_SKEW, CountersignError } from '@countersign/core';
import type { BrokerContext } from './context.ts';

/** @throws `response-late` */
export function checkTime(context: BrokerContext, iat: number): void {
  if (Math.abs(context.now() - iat) > CLOCK_SKEW) {
    throw new CountersignError('response-late', 'the statement is not of this minute', {
      hint: 'check the clock of the machine that signed it',
    });
  }
}
