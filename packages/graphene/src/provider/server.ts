/**
 * The provider as an HTTP server.
 * @module
 */
import {
  describeSchema,
  refuse,
  routeUnknown,
  useStrictJson,
  useValibot,
  type ValibotFastify,
} from '@countersign/http';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { CALL_LIMITS, type CallLimits, useCallLimits } from './api/call-limits.ts';
import { asProviderError, statusOf } from './api/error-status.ts';
import { addRoutes } from './api/routes.ts';
import type { ProviderContext } from './context.ts';
import type { Cosigning } from './cosigning.ts';

const MAX_BODY = 128 * 1024;
/** What wallets that are web pages call: the two routes of a transaction, the two of a login, and no others. */
const OF_PAGES = /^\/v1\/(?:transactions|logins)(?:\/[0-9a-f]{64})?(?:\?|$)/;

export interface ServerOptions {
  /** In the place of the usual ones. */
  readonly limits?: Partial<CallLimits>;
  /** Proxies, by address or network, that are believed where a call came from. */
  readonly trustProxy?: readonly string[];
}

export async function createServer(
  context: ProviderContext,
  cosigning: Cosigning,
  logger: FastifyBaseLogger | undefined,
  { limits = {}, trustProxy = [] }: ServerOptions = {},
): Promise<ValibotFastify> {
  const app = useValibot(
    Fastify({
      ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
      logController: new LogController({ disableRequestLogging: true }),
      frameworkErrors: (thrown, _call, reply) => {
        const error = asProviderError(thrown);
        refuse(reply as FastifyReply, error, statusOf(error.code));
      },
      ...(trustProxy.length === 0 ? {} : { trustProxy: [...trustProxy] }),
      bodyLimit: MAX_BODY,
      forceCloseConnections: 'idle',
      // Longer than the longest wait.
      requestTimeout: 30_000,
      keepAliveTimeout: 90_000,
    }),
  );
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign co-signing provider',
        version: '1',
        description: 'A second signature for accounts of a Graphene chain; see spec/cosign-provider.md.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
    },
    transform: ({ schema, url }) => ({ schema: describeSchema(schema ?? {}), url }),
  });
  // Any page may: it has no cookie to send, and what it posts the account has signed.
  await app.register(cors, {
    delegator: ({ url }: FastifyRequest, done) =>
      done(
        null,
        OF_PAGES.test(url)
          ? { origin: '*', methods: ['GET', 'POST'], allowedHeaders: ['content-type'], maxAge: 86_400 }
          : { origin: false },
      ),
  });
  const ofNoRoute = await useCallLimits(app, { ...CALL_LIMITS, ...limits });
  useStrictJson(app);
  app.setErrorHandler((thrown, call, reply) => {
    const error = asProviderError(thrown);
    if (error.code === 'internal') {
      call.log.error({ route: call.routeOptions.url, err: error.cause ?? error }, error.code);
    }
    return refuse(reply, error, statusOf(error.code));
  });
  app.setNotFoundHandler({ preHandler: ofNoRoute }, (_call, reply) =>
    refuse(reply, routeUnknown(), statusOf('route-unknown')),
  );
  addRoutes(app, context, cosigning);
  app.get('/openapi.json', { schema: { hide: true } as object }, async () => app.swagger());
  return app;
}
