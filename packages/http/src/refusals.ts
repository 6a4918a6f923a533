/**
 * How a call is refused: any failure as an error of ours, and that as an answer. Which status a code has, each
 * server's own table says.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { FastifyReply } from 'fastify';

/** What a server says of itself. */
export interface OwnWords {
  /** What it is called, as in “larger than this … reads”. */
  readonly server: string;
  /** What a failure of its own has left undone. */
  readonly failed: string;
  readonly hint?: string;
}

interface FastifyFailure {
  code?: string;
  statusCode?: number;
}

/** Any failure as one of ours; Fastify's own refusals by their codes, all else as `internal`. */
export function asCountersignError(error: unknown, { server, failed, hint }: OwnWords): CountersignError {
  if (error instanceof CountersignError) return error;
  const { code, statusCode } = error as FastifyFailure;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new CountersignError('body-too-large', `the body is larger than this ${server} reads`, {
      cause: error,
    });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new CountersignError('input-invalid', 'the body must be application/json', { cause: error });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new CountersignError('input-invalid', 'the call is not of the form that this route takes', {
      cause: error,
    });
  }
  return new CountersignError('internal', failed, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

export function routeUnknown(): CountersignError {
  return new CountersignError('route-unknown', 'there is no such route', {
    hint: 'the routes are described at /openapi.json',
  });
}

/** What a refusal says, in JSON. */
export function errorBody({ code, message, hint, retryAfter }: CountersignError) {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
  };
}

export function refuse(reply: FastifyReply, error: CountersignError, status: number): FastifyReply {
  if (error.retryAfter !== undefined) reply.header('retry-after', Math.ceil(error.retryAfter));
  return reply.code(status).send(errorBody(error));
}
