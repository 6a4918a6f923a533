/**
 * Web sign-on before a program of one's own: what is no page of its own passes only with a session.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSignOn } from './web-sign-on.ts';

/** A request, once it has passed. */
export interface SignedOn {
  countersignUser?: string;
}

/** For Express: `app.use(expressSignOn(web))`, before whatever reads bodies. */
export function expressSignOn(web: WebSignOn) {
  return (
    request: IncomingMessage & SignedOn & { originalUrl?: string },
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    web.handle(request, response).then((handled) => {
      if (handled) return;
      const user = web.userOf(request);
      if (user === undefined) {
        response.writeHead(303, { location: web.address(request.originalUrl ?? request.url ?? '/') }).end();
        return;
      }
      request.countersignUser = user;
      next();
    }, next);
  };
}

/** The parts of Fastify that are used. */
interface FastifyRequest extends SignedOn {
  readonly raw: IncomingMessage;
  readonly url: string;
}
interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  redirect(url: string, code: number): unknown;
}

/** For Fastify: `app.addHook('onRequest', fastifySignOn(web))`. */
export function fastifySignOn(web: WebSignOn) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (await web.handle(request.raw, reply.raw)) return reply.hijack();
    const user = web.userOf(request.raw);
    if (user === undefined) return reply.redirect(web.address(request.url), 303);
    request.countersignUser = user;
    return undefined;
  };
}
