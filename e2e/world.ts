/**
 * A broker, a clock and people, for all the tests of a file.
 * @module
 */
import { after, before } from 'node:test';
import { newRecovery } from '@countersign/client';
import type { SignatureAlgorithm } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { introduce, makeParty, type Party, startTestBroker, type TestBroker, TestClock } from './parties.ts';

export interface World {
  readonly clock: TestClock;
  readonly home: TestBroker;
  /** Somebody new, whose name begins so. */
  party(name: string, algorithm?: SignatureAlgorithm): Promise<Party>;
  /** Somebody new with a printed recovery code. */
  partyWithCode(name: string): Promise<{ party: Party; code: string }>;
  /** Two who are contacts of each other; fresh ones for each test, since limits are per pair. */
  pair(algorithm?: SignatureAlgorithm): Promise<[alice: Party, host: Party]>;
  /** Does something so many seconds later. */
  atOffset(seconds: number, work: () => Promise<unknown>): Promise<void>;
}

export function createWorld(): World {
  const clock = new TestClock();
  let home: TestBroker;
  let serial = 0;
  before(async () => {
    home = await startTestBroker(clock);
  });
  after(() => home[Symbol.asyncDispose]());

  const party = (name: string, algorithm?: SignatureAlgorithm) =>
    makeParty(home.origin, `${name}${++serial}@example.com`, clock, algorithm);
  return {
    clock,
    get home() {
      return home;
    },
    party,
    async partyWithCode(name) {
      const { publicKey } = home.broker.context;
      const { code, provision } = await newRecovery(webCrypto, publicKey, 3 * 86_400);
      const full = `${name}${++serial}@example.com`;
      return { code, party: await makeParty(home.origin, full, clock, 'EdDSA', provision) };
    },
    async pair(algorithm) {
      const [alice, host] = [await party('alice', algorithm), await party('host', algorithm)];
      await introduce(alice, host);
      return [alice, host];
    },
    async atOffset(seconds, work) {
      clock.offset += seconds;
      try {
        await work();
      } finally {
        clock.offset -= seconds;
      }
    },
  };
}
