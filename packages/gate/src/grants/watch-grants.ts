/**
 * Tells loudly of grants, as they are opened, revoked or over, whichever program of the host it was.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Grant, GrantState } from './grant.ts';
import type { Grants } from './grants.ts';

export interface GrantEvent {
  readonly event: 'alarm' | 'grant';
  readonly what: string;
  readonly user: string;
  readonly service: string;
  readonly by: string;
  readonly seconds: number;
  readonly grant: string;
}

interface LookFailure {
  readonly event: 'failure';
  readonly message: string;
}

/** How often it is looked, in ms. */
const LOOK_MS = 500;

/** Watches until it is told to stop. */
export async function watchGrants(
  grants: Pick<Grants, 'list' | 'sweep' | 'stateNow'>,
  say: (event: GrantEvent | LookFailure) => void,
  signal: AbortSignal,
): Promise<void> {
  let known = new Map<string, Grant>();
  while (!signal.aborted) {
    try {
      grants.sweep();
      const now = new Map(grants.list().map((grant) => [grant.id, grant]));
      for (const [id, grant] of now) if (!known.has(id)) say(eventOf(grant, 'GRANT OPEN'));
      for (const [id, grant] of known) if (!now.has(id)) say(eventOf(grant, ENDS[grants.stateNow(grant)]));
      known = now;
    } catch (error) {
      // The records are busy, say: it is looked again.
      say({ event: 'failure', message: String(error) });
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

const ENDS: Readonly<Record<GrantState, string>> = {
  // It would be open still, and is not there.
  open: 'GRANT REVOKED',
  over: 'grant over',
  rebooted: 'grant closed, the machine was started anew',
  'clock set back': 'GRANT CLOSED, THE CLOCK WAS SET BACK',
};

function eventOf({ id, user, service, by, seconds }: Grant, what: string): GrantEvent {
  const event = what === ENDS['clock set back'] || what === 'GRANT OPEN' ? 'alarm' : 'grant';
  return { event, what, user, service, by, seconds, grant: id };
}
