/**
 * When the domains of organisations are looked at: as soon as a card claims them, and then again and again.
 * @module
 */
import { DOMAIN_PROOF_LIFE, type DomainOutcome } from '@countersign/core';
import type { DomainLookup } from './domain-lookup.ts';
import type { Claim, DomainRow, ProfileStore } from './store/profile-store.ts';
import type { AccountRow } from './store/store.ts';

/** Four looks within the life of a proof: one that fails takes nothing away. */
const AGAIN = DOMAIN_PROOF_LIFE / 4;
/** What is not proven is looked at hourly on its first day, since somebody may be at work on it, and then daily. */
const SOON = 3600;
const EAGER = 86_400;
const AT_ONCE = 16;
/** An organisation that asks for a look has to wait so long for the next one, in seconds. */
const PATIENCE = 10;

export interface DomainChecksOptions {
  readonly store: ProfileStore;
  readonly lookup: DomainLookup;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
}

export class DomainChecks {
  readonly #options: DomainChecksOptions;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: DomainChecksOptions) {
    this.#options = options;
  }

  /** Looks at what is due, in the background. */
  wake(): void {
    if (this.#closed) return;
    this.#running ??= this.#run()
      .catch(this.#options.onFailure)
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Looks now at what an account claims, but for what was looked at a moment ago. */
  async lookNow({ id: accountId, name, identity }: AccountRow): Promise<DomainRow[]> {
    const { store, now } = this.#options;
    const rows = await store.listDomains(accountId);
    const due = rows.filter(({ checkedAt }) => checkedAt === undefined || checkedAt <= now() - PATIENCE);
    await Promise.all(
      due.map(({ domain, by, claimedAt }) =>
        this.#look({ accountId, name, identity, domain, by }, claimedAt, true),
      ),
    );
    return store.listDomains(accountId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.lookup.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { store, now } = this.#options;
    for (;;) {
      const due = await store.dueDomains(now(), AT_ONCE);
      if (due.length === 0 || this.#closed) return;
      await Promise.all(due.map((claim) => this.#look(claim, claim.claimedAt, false)));
    }
  }

  async #look(claim: Omit<Claim, 'claimedAt'>, claimedAt: number, asked: boolean): Promise<void> {
    const { store, lookup, now } = this.#options;
    const outcome = await lookup.look(claim, { asked });
    // What was cut off by the end says nothing of the domain.
    if (this.#closed) return;
    await store.saveLook(claim, outcome, now(), now() + pause(outcome, now() - claimedAt));
  }
}

function pause(outcome: DomainOutcome, age: number): number {
  if (outcome === 'proven') return AGAIN;
  return age < EAGER ? SOON : EAGER;
}
