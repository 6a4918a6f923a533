/**
 * The broker as an HTTP server: Fastify for calls, `ws` for streams.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { activeDevice, CountersignError, parseStrictJson } from '@countersign/core';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import { findAccount } from './accounts.ts';
import { asCountersignError, statusOf } from './api/error-status.ts';
import { addPages } from './api/pages.ts';
import { addRoutes } from './api/routes.ts';
import { describeSchema, useValibot, type ValibotFastify } from './api/valibot-fastify.ts';
import type { BrokerContext } from './context.ts';
import { parseCursor } from './streams.ts';

const MAX_BODY = 256 * 1024;
const STREAM_PATH = /^\/v1\/accounts\/([^/]+)\/stream$/;

export interface ServerOptions {
  /** Folder of the web pages; none are served, if absent. */
  readonly pages?: string;
  /** Origins of web pages that may call it from a browser. */
  readonly webOrigins?: readonly string[];
  /**
   * Addresses or networks of proxies whose word is taken for where a call came from (X-Forwarded-For); nobody's,
   * if absent.
   */
  readonly trustProxy?: readonly string[];
}

export async function createServer(
  context: BrokerContext,
  logger: FastifyBaseLogger | undefined,
  { pages, webOrigins = [], trustProxy = [] }: ServerOptions = {},
): Promise<ValibotFastify> {
  const app = useValibot(
    Fastify({
      ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
      logController: new LogController({ disableRequestLogging: true }),
      frameworkErrors: (thrown, _call, reply) => {
        refuse(reply as FastifyReply, asCountersignError(thrown));
      },
      bodyLimit: MAX_BODY,
      ...(trustProxy.length === 0 ? {} : { trustProxy: [...trustProxy] }),
      routerOptions: { maxParamLength: 256 },
      forceCloseConnections: 'idle',
      // Longer than the longest poll.
      requestTimeout: 30_000,
      keepAliveTimeout: 150_000,
    }),
  );
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Countersign broker',
        version: '1',
        description: 'Carries signed questions and answers. Every statement is a compact JWS; see spec/.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          dpop: {
            type: 'apiKey',
            in: 'header',
            name: 'DPoP',
            description: 'Proof of a device’s signing key: RFC 9449 section 4, without an access token.',
          },
        },
      },
    },
    transform: ({ schema, url }) => ({ schema: describeSchema(schema ?? {}), url }),
  });

  if (webOrigins.length > 0) {
    await app.register(cors, {
      origin: [...webOrigins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['content-type', 'dpop'],
      exposedHeaders: ['retry-after'],
      maxAge: 86_400,
    });
  }

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_call, body, done) => {
    try {
      done(null, parseStrictJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });

  app.setErrorHandler((thrown, call, reply) => {
    const error = asCountersignError(thrown);
    if (error.code === 'internal' || error.code === 'storage-failed') {
      call.log.error({ route: call.routeOptions.url, err: error.cause ?? error }, error.code);
    }
    context.metrics.refused.inc({ code: error.code });
    return refuse(reply, error);
  });
  app.setNotFoundHandler((_call, reply) => {
    const error = new CountersignError('route-unknown', 'there is no such route', {
      hint: 'the routes are described at /openapi.json',
    });
    return refuse(reply, error);
  });

  // Names of routes, never addresses: a request's hash is a capability, and says who asked whom.
  app.addHook('onResponse', async (call, reply) => {
    const route = call.routeOptions.url ?? 'unknown';
    const status = String(reply.statusCode);
    context.metrics.duration.observe({ route, status }, reply.elapsedTime / 1000);
    call.log.debug({ route, status, ms: Math.round(reply.elapsedTime) }, 'call');
  });

  if (pages !== undefined) {
    await addPages(
      app as unknown as FastifyInstance,
      pages,
      context.origins[0]?.startsWith('https:') ?? false,
    );
  }
  addRoutes(app, context);
  app.get('/openapi.json', { schema: { hide: true } as object }, async () => app.swagger());

  app.server.on('upgrade', (request, socket, head) => {
    upgrade(context, request, socket, head).catch((thrown: unknown) => {
      const error = asCountersignError(thrown);
      const body = JSON.stringify(errorBody(error));
      socket.end(
        `HTTP/1.1 ${statusOf(error.code)} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  });
  return app;
}

async function upgrade(
  context: BrokerContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const url = URL.parse(request.url ?? '', context.origins[0]);
  const name = url === null ? null : STREAM_PATH.exec(url.pathname)?.[1];
  if (url === null || name === null || name === undefined) {
    throw new CountersignError('route-unknown', 'there is no stream at this address');
  }
  const account = await findAccount(context, decodeName(name));
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
  const proof = protocols.find((one) => one.startsWith('dpop.'))?.slice('dpop.'.length);
  const urls = context.origins.map((origin) => origin + url.pathname);
  const device = await context.proofs.check(proof, 'GET', urls, account);
  const cursor = parseCursor(url.searchParams.get('cursor'));
  // It may have been shown out while its proof was checked; from here on, nothing waits.
  const { kid } = activeDevice(await findAccount(context, decodeName(name)), device.kid);
  context.streams.open(request, socket, head, { accountId: account.id, kid, cursor });
}

function refuse(reply: FastifyReply, error: CountersignError): FastifyReply {
  if (error.retryAfter !== undefined) reply.header('retry-after', Math.ceil(error.retryAfter));
  return reply.code(statusOf(error.code)).send(errorBody(error));
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new CountersignError('input-invalid', 'the address is not well encoded', { cause });
  }
}

function errorBody({ code, message, hint, retryAfter }: CountersignError) {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
  };
}
