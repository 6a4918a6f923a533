/**
 * What only the operator may do, over a Unix socket that only the broker's own user can open: cancel a
 * request, read the metrics.
 * @module
 */
import { chmod, rm } from 'node:fs/promises';
import { CountersignError, Hash, matchesFingerprint, parseFingerprint, statementId } from '@countersign/core';
import { useValibot } from '@countersign/http';
import Fastify, { type FastifyInstance } from 'fastify';
import * as v from 'valibot';
import { asBrokerError, statusOf } from './api/error-status.ts';
import type { BrokerContext } from './context.ts';
import { cancelByBroker } from './requests.ts';

/** A request by its hash, or by its id as people type it. */
const Cancel = v.strictObject({
  request: v.pipe(v.string(), v.maxLength(120)),
  reason: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
});

/** Pending requests that an id is looked for in. */
const MOST_PENDING = 100_000;

export async function openOperatorSocket(
  context: BrokerContext,
  path: string,
): Promise<{ close(): Promise<void> }> {
  const app = useValibot(Fastify({ logger: false, forceCloseConnections: true }));
  app.setErrorHandler((thrown, _call, reply) => {
    const { code, message } = asBrokerError(thrown);
    return reply.code(statusOf(code)).send({ code, message });
  });
  app.post('/cancel', { schema: { body: Cancel } }, async ({ body }) => {
    const { hash, state } = await cancelByBroker(context, await findHash(context, body.request), body.reason);
    return { hash, state: state.state };
  });
  addMetrics(app, context);
  await rm(path, { force: true });
  await app.listen({ path });
  await chmod(path, 0o600);
  return {
    async close() {
      await app.close();
      await rm(path, { force: true });
    },
  };
}

/** Where the metrics alone are listened for: a Prometheus server reads no Unix sockets. */
export interface MetricsAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/** Lets whoever reaches an address read the metrics, and nothing else. */
export async function openMetrics(
  context: BrokerContext,
  address: MetricsAddress,
): Promise<{ local: string; close(): Promise<void> }> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  addMetrics(app, context);
  const local = await app.listen({ ...address });
  return { local: `${local}/metrics`, close: () => app.close() };
}

function addMetrics(app: Pick<FastifyInstance, 'get'>, { metrics }: BrokerContext): void {
  app.get('/metrics', async (_call, reply) =>
    reply
      .type(metrics.registry.contentType)
      .serializer(String)
      .send(await metrics.registry.metrics()),
  );
}

/** @throws `request-unknown`, `request-ambiguous`, `fingerprint-invalid` */
async function findHash({ store, crypto }: BrokerContext, named: string): Promise<string> {
  if (v.is(Hash, named)) return named;
  const wanted = parseFingerprint(named);
  const found: string[] = [];
  for (const hash of await store.pendingHashes(MOST_PENDING)) {
    if (matchesFingerprint(await statementId(crypto, hash), wanted)) found.push(hash);
  }
  const [only] = found;
  if (only === undefined) throw new CountersignError('request-unknown', `no pending request ${wanted}`);
  if (found.length > 1) {
    throw new CountersignError('request-ambiguous', `${wanted} begins ${found.length} pending requests`, {
      hint: 'give more of it',
    });
  }
  return only;
}
