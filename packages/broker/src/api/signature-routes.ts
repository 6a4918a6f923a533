/**
 * The routes of signatures on texts.
 * @module
 */
import { Hash } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { keepSignature, readSignature } from '../text-signatures.ts';
import { provenActor } from './proven-device.ts';
import { ACTOR_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Failed, MAX_PAGE, Statement, wholeNumber } from './schemas.ts';

export function addSignatureRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/signatures',
    {
      schema: {
        summary: 'Keep an organisation’s signature on a text, for whoever has its link',
        'x-caller': 'whoever has the signature',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'account-mismatch',
          'device-not-entitled',
          'role-missing',
          'seat-invalid',
          'seat-over',
          'signature-lifetime',
          'response-late',
          'too-often',
        ],
        tags: ['signatures'],
        body: v.strictObject({ statement: Statement }),
        response: { 201: v.object({ hash: Hash }), ...Failed },
      },
    },
    async ({ body }, reply) => reply.code(201).send({ hash: await keepSignature(context, body.statement) }),
  );

  app.get(
    '/v1/signatures/:hash',
    {
      schema: {
        summary: 'Read a signature on a text, by the hash of its statement',
        'x-caller': 'whoever has the link',
        'x-errors': ['signature-unknown'],
        tags: ['signatures'],
        params: v.strictObject({ hash: Hash }),
        response: { 200: v.object({ signature: Statement }), ...Failed },
      },
    },
    async ({ params }) => ({ signature: await readSignature(context, params.hash) }),
  );

  app.get(
    '/v1/accounts/:name/signatures',
    {
      schema: {
        summary: 'List an organisation’s signatures on texts, newest first (its devices and members only)',
        'x-errors': ACTOR_ERRORS,
        tags: ['signatures'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          before: v.optional(wholeNumber(1, Number.MAX_SAFE_INTEGER, 'Only those before this place')),
          max: v.optional(wholeNumber(1, MAX_PAGE, `At most so many, 1 to ${MAX_PAGE}`), '50'),
        }),
        response: {
          200: v.object({
            signatures: v.array(
              v.object({ cursor: v.number(), signature: Statement, created_at: v.number() }),
            ),
          }),
          ...Failed,
        },
      },
    },
    async (call) => {
      const { account } = await provenActor(context, call, call.params.name, 'signatures', 'history');
      const { before = Number.MAX_SAFE_INTEGER, max } = call.query;
      const rows = await context.store.listSignatures(account.id, before, max);
      return {
        signatures: rows.map(({ id, jws, createdAt }) => ({
          cursor: id,
          signature: jws,
          created_at: createdAt,
        })),
      };
    },
  );
}
