/**
 * The broker as an HTTP server: Fastify for calls, `ws` for streams.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { activeDevice, CountersignError, RELAY_PATH, relayPlace, relaySecretIn } from '@countersign/core';
import {
  describeSchema,
  errorBody,
  refuse,
  routeUnknown,
  useStrictJson,
  useValibot,
  type ValibotFastify,
} from '@countersign/http';
import cors from '@fastify/cors';
import proxyAddress from '@fastify/proxy-addr';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import { findAccount } from './accounts.ts';
import { asBrokerError, statusOf } from './api/error-status.ts';
import { addPages } from './api/pages.ts';
import { addRoutes } from './api/routes.ts';
import type { BrokerContext } from './context.ts';
import { parseCursor } from './streams.ts';

const MAX_BODY = 256 * 1024;
const PLACE_PATH = new RegExp(`^${RELAY_PATH}([A-Za-z0-9_-]{22})$`);
const STREAM_PATH = /^\/v1\/accounts\/([^/]+)\/stream$/;

/** What devices and enquirers call; a session's and a signature's pages are the broker's own. */
const CALLED_BY_PAGES =
  /^\/(?:\.well-known\/countersign|tlog\/.+|v1\/(?:accounts|contacts|requests|rooms)(?:\/.+)?)$/;
const FROM_PAGES = {
  methods: ['GET', 'POST'],
  allowedHeaders: ['content-type', 'dpop'],
  exposedHeaders: ['retry-after'],
  maxAge: 86_400,
};

/** For so long a connection stays that was refused. */
const LINGER_MS = 2000;
/** Statuses of HTTP's own, by Node's codes. */
const HTTP_FAILURES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

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
        const error = asBrokerError(thrown);
        refuse(reply as FastifyReply, error, statusOf(error.code));
      },
      clientErrorHandler: ({ code }, socket) => refuseBytes(socket, code),
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
      delegator: ({ url }, done) => done(null, { ...FROM_PAGES, origin: isForPages(url) && [...webOrigins] }),
    });
  }

  useStrictJson(app);

  app.setErrorHandler((thrown, call, reply) => {
    const error = asBrokerError(thrown);
    if (error.code === 'internal' || error.code === 'storage-failed') {
      call.log.error({ route: call.routeOptions.url, err: error.cause ?? error }, error.code);
    }
    context.metrics.refused.inc({ code: error.code });
    return refuse(reply, error, statusOf(error.code));
  });
  app.setNotFoundHandler((_call, reply) => refuse(reply, routeUnknown(), statusOf('route-unknown')));

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

  const trusted = proxyAddress.compile([...trustProxy]);
  app.server.on('upgrade', (request, socket, head) => {
    upgrade(context, request, socket, head, trusted).catch((thrown: unknown) => {
      endRefused(socket, asBrokerError(thrown));
    });
  });
  return app;
}

/** Whether a page of another origin may call it. @param url path and query */
function isForPages(url: string): boolean {
  return CALLED_BY_PAGES.test(url.split('?', 1)[0]!);
}

async function upgrade(
  context: BrokerContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  trusted: ReturnType<typeof proxyAddress.compile>,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const url = URL.parse(request.url ?? '', context.origins[0]);
  const place = url === null ? undefined : PLACE_PATH.exec(url.pathname)?.[1];
  if (place !== undefined && context.relay !== undefined) {
    const secret = relaySecretIn(protocolsOf(request));
    // Who may wait there knows what the place is named after.
    if (secret !== undefined && (await relayPlace(context.crypto, secret)) !== place) {
      throw new CountersignError('not-permitted', 'this secret is not that of the place');
    }
    const role = secret === undefined ? 'validator' : 'host';
    const address = proxyAddress(request, trusted);
    context.relay.open(request, socket, head, { place, role, address });
    return;
  }
  const name = url === null ? null : STREAM_PATH.exec(url.pathname)?.[1];
  if (url === null || name === null || name === undefined) {
    throw new CountersignError('route-unknown', 'there is no stream at this address');
  }
  const account = await findAccount(context, decodeName(name));
  const proof = protocolsOf(request)
    .find((one) => one.startsWith('dpop.'))
    ?.slice('dpop.'.length);
  const urls = context.origins.map((origin) => origin + url.pathname);
  const device = await context.proofs.check(proof, 'GET', urls, account);
  const cursor = parseCursor(url.searchParams.get('cursor'));
  // It may have been shown out while its proof was checked; from here on, nothing waits.
  const { kid } = activeDevice(await findAccount(context, decodeName(name)), device.kid);
  context.streams.open(request, socket, head, { accountId: account.id, kid, cursor });
}

function protocolsOf({ headers }: IncomingMessage): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
}

/** What is no HTTP, is too slow, or has headers of more than Node reads, never comes as far as a route. */
function refuseBytes(socket: Duplex, failure: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const error = new CountersignError('input-invalid', 'this is no HTTP call that the broker reads');
  endRefused(socket, error, HTTP_FAILURES[failure]);
}

function endRefused(socket: Duplex, error: CountersignError, status = statusOf(error.code)): void {
  const body = JSON.stringify(errorBody(error));
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // At once, it would be a reset, and the answer might not be read; a caller that does not close is cut all the same.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new CountersignError('input-invalid', 'the address is not well encoded', { cause });
  }
}
