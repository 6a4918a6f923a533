/**
 * A broker, wired and running. Clock, crypto and addresses come from outside; `close` lets go of everything.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CLOCK_SKEW, type CryptoProvider, type DeviceLog, type Signer } from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import { LRUCache } from 'lru-cache';
import { loadBrokerKey } from './broker-key.ts';
import type { BrokerContext } from './context.ts';
import { makeFolder } from './data-folder.ts';
import { holdFolder } from './data-lock.ts';
import { ProofChecker } from './device-proof.ts';
import { DomainChecks } from './domain-checks.ts';
import { DomainLookup, type DomainLookupOptions } from './domain-lookup.ts';
import {
  APPENDS_PER_DAY,
  DAY,
  NOTICES_KEPT,
  RECENT,
  REGISTRATIONS_PER_HOUR,
  ROOM_ITEMS_PER_HOUR,
  SIGN_INS_PER_NETWORK,
} from './limits.ts';
import { MailNotices, type MailServer } from './mail-notices.ts';
import { createMetrics } from './metrics.ts';
import { type MetricsAddress, openMetrics, openOperatorSocket } from './operator.ts';
import { PUSH_SERVICES, Push } from './push.ts';
import { loadPushKey, type PushKey } from './push-key.ts';
import { Reached } from './reached.ts';
import { RecentLimit } from './recent-limit.ts';
import { Relay } from './relay.ts';
import { expireRequests } from './requests.ts';
import { createServer, type ServerOptions } from './server.ts';
import { expireSessions } from './sessions.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { Streams } from './streams.ts';
import { Tree } from './tree.ts';
import { endOverdueTwoWay } from './two-way.ts';
import { Waiters } from './waiters.ts';

const SWEEP_MS = 1000;
const PRUNE_MS = 60_000;
const LOOK_MS = 10_000;
/** For so long, in seconds, a device may be away and still resume its stream where it was. */
const EVENTS_KEPT = 7 * 86_400;
/** Replayed lists of members that are kept. */
const LISTS_OF_MEMBERS = 1000;
/** For so long, in ms, what an account did is not counted again. */
const COUNTED_MS = 60_000;
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
  /** Push services that it sends notices to, beside those of today's browsers; see `PUSH_SERVICES`. */
  readonly pushServices?: readonly string[];
  /** Whom a push service turns to; by default its origin. */
  readonly pushContact?: string;
  /** Sends notices by e-mail; none are sent, if absent. */
  readonly mail?: MailServer;
  /** Where its metrics can be read over HTTP too; by the operator's socket alone, if absent. */
  readonly metrics?: MetricsAddress;
  /** Whether hosts may wait here for validators. */
  readonly relay?: boolean;
  /** How it looks at the domains of organisations. */
  readonly domainLookup?: DomainLookupOptions;
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
  /** Where its metrics can be read over HTTP. */
  readonly metrics: string | undefined;
  readonly context: BrokerContext;
  close(): Promise<void>;
}

export function databasePath(data: string): string {
  return join(data, 'broker.db');
}

export function keyPath(data: string): string {
  return join(data, 'broker-key.json');
}

export function pushKeyPath(data: string): string {
  return join(data, 'push-key.json');
}

export function operatorSocketPath(data: string): string {
  return join(data, 'operator.sock');
}

function lockPath(data: string): string {
  return join(data, 'broker.lock');
}

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { data } = options;
  await makeFolder(data);
  const lock = holdFolder(lockPath(data));
  try {
    return await run(options, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function run(options: BrokerOptions, release: () => void): Promise<RunningBroker> {
  const { data, host, port, logger } = options;
  // Every client that knows the broker would take a new key for another broker's.
  if (existsSync(databasePath(data)) && !existsSync(keyPath(data))) {
    throw new Error(`the broker’s key ${keyPath(data)} is gone, and its database is there: restore both`);
  }
  const signer = await loadBrokerKey(keyPath(data));
  const pushKey = await loadPushKey(pushKeyPath(data));
  const store = openSqliteStore(databasePath(data));
  const origins: string[] = options.origin === undefined ? [] : [options.origin];
  const context = createContext(options, store, { signer, pushKey }, origins);
  const app = await createServer(context, logger, options);
  const metrics = options.metrics === undefined ? undefined : await openMetrics(context, options.metrics);
  const listening = await app.listen({ host, port }).catch(async (error: unknown) => {
    await metrics?.close();
    throw error;
  });
  const local = URL.parse(listening)!.origin;
  if (!origins.includes(local)) origins.push(local);

  await prune(context, options.retain);
  const timers = [
    repeat(SWEEP_MS, () => sweep(context)),
    repeat(PRUNE_MS, () => prune(context, options.retain)),
    repeat(LOOK_MS, async () => context.domainChecks.wake()),
  ];
  const operator = await openOperatorSocket(context, operatorSocketPath(data));
  return {
    origin: origins[0]!,
    local,
    metrics: metrics?.local,
    context,
    async close() {
      for (const timer of timers) clearInterval(timer);
      await operator.close();
      await metrics?.close();
      context.waiters.releaseAll();
      context.waitingDevices.releaseAll();
      context.sessionWaiters.releaseAll();
      context.streams.closeAll();
      context.relay?.closeAll();
      await app.close();
      await context.push.close();
      await context.mail?.close();
      await context.domainChecks.close();
      await context.reached.flush(true);
      await store.close();
      release();
    },
  };

  function repeat(ms: number, task: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => {
      task().catch((err: unknown) => logger?.error({ err }, 'housekeeping failed'));
    }, ms);
  }
}

function createContext(
  options: BrokerOptions,
  store: Store,
  { signer, pushKey }: { signer: Signer; pushKey: PushKey },
  origins: string[],
): BrokerContext {
  const { crypto, now, logger, domains = [], registrationsPerHour = REGISTRATIONS_PER_HOUR } = options;
  const { origin, pushServices = [], pushContact = origin } = options;
  const reached = new Reached(store, now);
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
    streams: new Streams(store, reached),
    relay: options.relay === true ? new Relay() : undefined,
    reached,
    push: new Push({
      store,
      crypto,
      key: pushKey,
      // RFC 8292 section 2.1 takes these two kinds of address alone.
      contact: pushContact?.startsWith('http:') === false ? pushContact : 'mailto:postmaster@localhost',
      services: [...PUSH_SERVICES, ...pushServices],
      now,
      logger,
    }),
    mail:
      options.mail === undefined
        ? undefined
        : new MailNotices({ server: options.mail, store, crypto, now, logger }),
    domainChecks: new DomainChecks({
      store,
      lookup: new DomainLookup(now, options.domainLookup),
      now,
      onFailure: (err) => logger?.error({ err }, 'looking at domains failed'),
    }),
    counts: new LRUCache({ max: 1000, ttl: COUNTED_MS }),
    proofs: new ProofChecker(crypto, now),
    tree: new Tree({ store: store.tree, crypto, signer, origins, now }),
    members: new LRUCache({ max: LISTS_OF_MEMBERS }),
    registrations: new RecentLimit('accounts registered from this address', registrationsPerHour),
    signIns: new RecentLimit('tries to sign in from this address', SIGN_INS_PER_NETWORK),
    appends: new RecentLimit('changes by this device to its account’s log', APPENDS_PER_DAY, DAY),
    roomItems: new RecentLimit('rooms and messages of this account', ROOM_ITEMS_PER_HOUR),
    replayed: new LRUCache({ maxSize: REPLAYED_CHARACTERS, sizeCalculation: charactersOf }),
  };
}

function charactersOf({ entries }: DeviceLog): number {
  return entries.reduce((sum, { length }) => sum + length, 0);
}

async function sweep(context: BrokerContext): Promise<void> {
  while ((await expireRequests(context)) > 0);
  while ((await expireSessions(context)) > 0);
  while ((await endOverdueTwoWay(context)) > 0);
  await context.reached.flush();
  context.metrics.streams.set(context.streams.count);
  context.metrics.waiters.set(context.waiters.count);
  context.metrics.pending.set(await context.store.countPending());
}

async function prune({ store, now }: BrokerContext, retain: number | undefined): Promise<void> {
  // Until its time is over, a request that was answered must be known: posted again, it would be a new one.
  if (retain !== undefined)
    await store.pruneSettled(now() - Math.max(retain, RECENT), now() - CLOCK_SKEW, 1000);
  if (retain !== undefined) await store.pruneSignatures(now() - retain, 1000);
  await store.pruneEvents(now() - EVENTS_KEPT, now(), 10_000);
  await store.pruneNotices(now() - NOTICES_KEPT);
}
