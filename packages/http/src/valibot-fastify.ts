/**
 * Fastify with Valibot schemas: one schema validates, types and describes a route.
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CountersignError, describeIssue, type ErrorCode } from '@countersign/core';
import { toJsonSchema } from '@valibot/to-json-schema';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchema,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify';
import * as v from 'valibot';

export interface ValibotTypes extends FastifyTypeProvider {
  validator: this['schema'] extends v.GenericSchema ? v.InferOutput<this['schema']> : unknown;
  serializer: this['schema'] extends v.GenericSchema ? v.InferInput<this['schema']> : unknown;
}

export type ValibotFastify = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ValibotTypes
>;

declare module 'fastify' {
  interface FastifySchema {
    summary?: string;
    description?: string;
    tags?: readonly string[];
    security?: readonly Record<string, readonly string[]>[];
    /** Who may call, where no proof of a device's key is asked for. */
    'x-caller'?: string;
    /** Codes that this route refuses with. */
    'x-errors'?: readonly ErrorCode[];
  }
}

/** Validates what comes in; what goes out is typed by the compiler and checked by the tests. */
export function useValibot(app: FastifyInstance): ValibotFastify {
  app.setValidatorCompiler<v.GenericSchema>(({ schema, httpPart }) => (data) => {
    const read = v.safeParse(schema, data);
    if (read.success) return { value: read.output };
    const error = new CountersignError('input-invalid', `${httpPart}: ${describeIssue(read.issues)}`, {
      hint: 'the routes and their forms are described at /openapi.json',
    });
    return { error };
  });
  app.setSerializerCompiler(() => JSON.stringify);
  return app as ValibotFastify;
}

/** A route's schemas as OpenAPI's JSON Schema. */
export function describeSchema(schema: FastifySchema): FastifySchema {
  const { body, params, querystring, response, ...rest } = schema;
  return {
    ...rest,
    ...(body === undefined ? {} : { body: describe(body) }),
    ...(params === undefined ? {} : { params: describe(params) }),
    ...(querystring === undefined ? {} : { querystring: describe(querystring) }),
    ...(response === undefined
      ? {}
      : {
          response: Object.fromEntries(
            Object.entries(response as object).map(([status, one]) => [status, describe(one)]),
          ),
        }),
  };
}

function describe(schema: unknown): object {
  const { $schema: _, ...described } = toJsonSchema(schema as v.GenericSchema, {
    errorMode: 'ignore',
    typeMode: 'input',
    target: 'draft-2020-12',
  });
  return described;
}
