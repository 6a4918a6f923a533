/**
 * Bodies of calls: JSON as the core reads it, and nothing else.
 * @module
 */
import { parseStrictJson } from '@countersign/core';
import type { FastifyInstance } from 'fastify';

export function useStrictJson(
  app: Pick<FastifyInstance, 'removeAllContentTypeParsers' | 'addContentTypeParser'>,
): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_call, body, done) => {
    try {
      done(null, parseStrictJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}
