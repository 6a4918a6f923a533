/**
 * A host's login programs with the daemon's real listener behind them, and a test to decide on each attempt.
 * @module
 */
import { before } from 'node:test';
import {
  type Attempt,
  type Authenticate,
  type Conversation,
  type PamEvent,
  present,
  servePam,
  type Verdict,
} from '../packages/gate/src/pam/index.ts';
import { createGateWorld, type GateWorld } from './gate-world.ts';
import { until } from './until.ts';

/** One attempt that waits for the test to decide. */
export interface Waiting {
  readonly attempt: Attempt;
  readonly conversation: Conversation;
  decide(verdict: Verdict): void;
}

export interface PamAttempts {
  readonly world: GateWorld;
  /** The line of a stack that asks this listener, which has six seconds unless other words say so. */
  line(...words: string[]): string;
  /** Those that came, and that no test has taken yet. */
  readonly attempts: Waiting[];
  /** The next attempt that comes. */
  next(): Promise<Waiting>;
  /** How an attempt ended, by the daemon's log. */
  endOf(one: Waiting): Promise<PamEvent>;
}

/** Each attempt is shown a passcode in its program's way. */
export function createPamAttempts(): PamAttempts {
  const world = createGateWorld({ programs: true });
  const attempts: Waiting[] = [];
  const events: PamEvent[] = [];
  const authenticate: Authenticate = async (attempt, conversation) => {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    attempt.signal.addEventListener('abort', () => resolve('denied'));
    attempts.push({ attempt, conversation, decide: resolve });
    const { typed } = await present(attempt, conversation, ['passcode 123 456', 'Answer on your phone.']);
    await typed;
    return promise;
  };
  before(async () => {
    await world.ready();
    const listener = await servePam({
      socket: world.pam,
      authenticate,
      monotonic: () => performance.now(),
      log: (event) => events.push(event),
      // The users are the host's, and this process is not in there.
      uidOf: async (user) => Number(world.host.run(['id', '-u', user]).output),
    });
    world.ends.use(listener);
  });
  return {
    world,
    line: (...words) => world.line('timeout=6', ...words),
    attempts,
    next: () =>
      until(
        () => attempts.shift(),
        () => 'no attempt came',
      ),
    endOf: ({ attempt }) =>
      until(() =>
        events.find(
          (event) => (event.what === 'left' || event.what === 'verdict') && event.attempt === attempt,
        ),
      ),
  };
}
