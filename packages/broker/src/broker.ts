/**
 * A broker, wired and running. Clock, crypto and addresses come from outside; `close` lets go of everything.
 * @module
 */
import { join } from 'node:path';
import { CLOCK_SKEW, type CryptoProvider, type DeviceLog, type Signer } from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import { LRUCache } from 'lru-cache';
import { loadBrokerKey } from './broker-key.ts';
import type { BrokerContext } from './context.ts';
import { makeFolder } from './data-folder.ts';
import { ProofChecker } from './device-proof.ts';
import { RECENT, REGISTRATIONS_PER_HOUR } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { openOperatorSocket } from './operator.ts';
import { Registrations } from './registrations.ts';
import { expireRequests } from './requests.ts';
import { createServer, type ServerOptions } from './server.ts';
import { expireSessions } from './sessions.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { Streams } from './streams.ts';
import { Tree } from './tree.ts';
import { Waiters } from './waiters.ts';

const SWEEP_MS = 1000;
const PRUNE_MS = 60_000;
/** For so long, in seconds, a device may be away and still resume its stream where it was. */
const EVENTS_KEPT = 7 * 86_400;
/** Replayed logs that are kept, by the length of their entries. */
const REPLAYED_CHARACTERS = 64 * 1024 * 1024;

export interface BrokerOptions extends ServerOptions {
  /** Folder of the database and the broker's key. */
  readonly data: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Where the world reaches it, if not at host and port. */
  readonly origin?: string;
  readonly domains?: readonly string[];
  /** Accounts that one remote address may register in an hour. */
  readonly registrationsPerHour?: number;
  /** Seconds after which settled requests are removed, an hour at least; never, if absent. */
  readonly retain?: number;
  readonly crypto: CryptoProvider;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly logger?: FastifyBaseLogger;
}

export interface RunningBroker {
  /** What it calls itself. */
  readonly origin: string;
  /** Where it listens. */
  readonly local: string;
  readonly context: BrokerContext;
  close(): Promise<void>;
}

export function databasePath(data: string): string {
  return join(data, 'broker.db');
}

export function keyPath(data: string): string {
  return join(data, 'broker-key.json');
}

export function operatorSocketPath(data: string): string {
  return join(data, 'operator.sock');
}

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { data, host, port, logger } = options;
  await makeFolder(data);
  const signer = await loadBrokerKey(keyPath(data));
  const store = openSqliteStore(databasePath(data));
  const origins: string[] = options.origin === undefined ? [] : [options.origin];
  const context = createContext(options, store, signer, origins);
  const app = await createServer(context, logger, options);
  const listening = await app.listen({ host, port });
  const local = URL.parse(listening)!.origin;
  if (!origins.includes(local)) origins.push(local);

  await prune(context, options.retain);
  const timers = [
    repeat(SWEEP_MS, () => sweep(context)),
    repeat(PRUNE_MS, () => prune(context, options.retain)),
  ];
  const operator = await openOperatorSocket(context, operatorSocketPath(data));
  return {
    origin: origins[0]!,
    local,
    context,
    async close() {
      for (const timer of timers) clearInterval(timer);
      await operator.close();
      context.waiters.releaseAll();
      context.waitingDevices.releaseAll();
      context.sessionWaiters.releaseAll();
      context.streams.closeAll();
      await app.close();
      await store.close();
    },
  };

  function repeat(ms: number, task: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => {
      task().catch((err: unknown) => logger?.error({ err }, 'housekeeping failed'));
    }, ms);
  }
}

function createContext(
  { crypto, now, domains = [], registrationsPerHour = REGISTRATIONS_PER_HOUR }: BrokerOptions,
  store: Store,
  signer: Signer,
  origins: string[],
): BrokerContext {
  const metrics = createMetrics();
  return {
    store,
    crypto,
    now,
    signer,
    publicKey: signer.publicKey,
    // Filled before the first call comes in: the port may be known only then.
    origins: origins as unknown as BrokerContext['origins'],
    domains,
    metrics,
    waiters: new Waiters(),
    waitingDevices: new Waiters(),
    sessionWaiters: new Waiters(),
    agentsSeen: new Map(),
    streams: new Streams(store),
    proofs: new ProofChecker(crypto, now),
    tree: new Tree({ store: store.tree, crypto, signer, origins, now }),
    registrations: new Registrations(registrationsPerHour),
    replayed: new LRUCache({ maxSize: REPLAYED_CHARACTERS, sizeCalculation: charactersOf }),
  };
}

function charactersOf({ entries }: DeviceLog): number {
  return entries.reduce((sum, { length }) => sum + length, 0);
}

async function sweep(context: BrokerContext): Promise<void> {
  while ((await expireRequests(context)) > 0);
  while ((await expireSessions(context)) > 0);
  context.metrics.streams.set(context.streams.count);
  context.metrics.waiters.set(context.waiters.count);
  context.metrics.pending.set(await context.store.countPending());
}

async function prune({ store, now }: BrokerContext, retain: number | undefined): Promise<void> {
  // Until its time is over, a request that was answered must be known: posted again, it would be a new one.
  if (retain !== undefined)
    await store.pruneSettled(now() - Math.max(retain, RECENT), now() - CLOCK_SKEW, 1000);
  await store.pruneEvents(now() - EVENTS_KEPT, now(), 10_000);
}
