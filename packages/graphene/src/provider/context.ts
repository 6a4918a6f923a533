/**
 * What every part of a provider works with; `provider.ts` puts it together.
 * @module
 */
import type { Clock, Enquirer } from '@countersign/client';
import type { CryptoProvider } from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import type { ChainClient } from '../chain-client.ts';
import type { Vault } from '../vault.ts';
import type { ProviderStore } from './store.ts';
import type { Way } from './ways.ts';

export interface ProviderContext {
  /** The provider's account on the chain, `sfactor`; reading its id throws `cosign-not-enrolled` before there is one. */
  readonly account: { readonly name: string; readonly id: string };
  readonly store: ProviderStore;
  readonly vault: Vault;
  readonly client: ChainClient;
  readonly enquirer: Enquirer;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
  /** Ways of proving more at registration; each is asked for. */
  readonly ways: readonly Way[];
  /** What a transaction of the provider's own may cost, of the core asset. */
  readonly maxFee: string;
  readonly changes: Changes;
  /** Aborted when the provider stops: what it waits for it waits for again once it has started anew. */
  readonly stopping: AbortSignal;
}

/** Wakes those who wait for what becomes of something. */
export class Changes {
  readonly #waiting = new Map<string, Set<() => void>>();

  readonly #running = new Map<string, Promise<void>>();

  /** Does some work, once at a time for each name. */
  run(name: string, work: () => Promise<void>): void {
    if (this.#running.has(name)) return;
    this.#running.set(
      name,
      work().finally(() => this.#running.delete(name)),
    );
  }

  /** Ends when none of it is going on any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  tell(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }

  /** Wakes everybody, since the provider stops. */
  tellAll(): void {
    for (const id of this.#waiting.keys()) this.tell(id);
  }

  /** Resolves at the next change, or when the time is over. */
  async next(id: string, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(resolve));
    const timer = setTimeout(resolve, ms);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(resolve);
      if (waiting.size === 0) this.#waiting.delete(id);
    }
  }
}

/**
 * Waits for somebody in the background. What fails while the provider stops is taken up again after it has started.
 * @param failed what to do where it fails for good
 */
export function follow(
  { changes, stopping, logger }: ProviderContext,
  name: string,
  work: () => Promise<void>,
  failed: (error: unknown) => void = () => {},
): void {
  changes.run(name, async () => {
    try {
      await work();
    } catch (err) {
      if (stopping.aborted) return;
      logger.error({ err }, `${name} failed`);
      failed(err);
    }
  });
}
