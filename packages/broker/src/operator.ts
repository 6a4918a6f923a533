/**
 * What only the operator may do, over a Unix socket that only the broker's own user can open: cancel a
 * request, read the metrics.
 * @module
 */
import { chmod, rm } from 'node:fs/promises';
import { Hash } from '@countersign/core';
import Fastify from 'fastify';
import * as v from 'valibot';
import { asCountersignError, statusOf } from './api/error-status.ts';
import { useValibot } from './api/valibot-fastify.ts';
import type { BrokerContext } from './context.ts';
import { cancelByBroker } from './requests.ts';

const Cancel = v.strictObject({ hash: Hash, reason: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) });

export async function openOperatorSocket(
  context: BrokerContext,
  path: string,
): Promise<{ close(): Promise<void> }> {
  const app = useValibot(Fastify({ logger: false, forceCloseConnections: true }));
  app.setErrorHandler((thrown, _call, reply) => {
    const { code, message } = asCountersignError(thrown);
    return reply.code(statusOf(code)).send({ code, message });
  });
  app.post('/cancel', { schema: { body: Cancel } }, async ({ body }) => {
    const { hash, state } = await cancelByBroker(context, body.hash, body.reason);
    return { hash, state: state.state };
  });
  app.get('/metrics', async (_call, reply) =>
    reply
      .type(context.metrics.registry.contentType)
      .serializer(String)
      .send(await context.metrics.registry.metrics()),
  );
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
