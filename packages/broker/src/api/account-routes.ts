/**
 * The routes of accounts and their device logs.
 * @module
 */
import { AccountName, Hash } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { appendToLog, findAccount, readLog, registerAccount } from '../accounts.ts';
import type { BrokerContext } from '../context.ts';
import { fallenSince } from '../members.ts';
import { endMember } from './member-routes.ts';
import { LOG_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Entries, Failed, treeSize, wholeNumber } from './schemas.ts';
import { LogView } from './views.ts';

export function addAccountRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/accounts',
    {
      schema: {
        summary: 'Register an account by the first entries of its device log',
        'x-caller': 'whoever has the signed entries',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'name-invalid',
          'log-invalid',
          'device-not-entitled',
          'account-exists',
        ],
        tags: ['accounts'],
        body: v.strictObject({ entries: Entries }),
        response: { 201: v.object({ name: AccountName, identity: Hash }), ...Failed },
      },
    },
    async ({ body, ip }, reply) => {
      const { name, identity } = await registerAccount(context, body.entries, ip);
      return reply.code(201).send({ name, identity });
    },
  );

  app.get(
    '/v1/accounts/:name/log',
    {
      schema: {
        summary: 'Read an account’s device log, with a checkpoint for its head and its place in the tree',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['accounts'],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(0, 1_000_000, 'Entries from this number on'), '0'),
          tree: v.optional(treeSize('Size of the tree that you saw last, for a consistency proof'), '0'),
        }),
        response: { 200: LogView, ...Failed },
      },
    },
    async ({ params, query }) => readLog(context, params.name, query.from, query.tree),
  );

  app.post(
    '/v1/accounts/:name/log',
    {
      schema: {
        summary: 'Append entries to an account’s device log, all or none',
        'x-caller': 'whoever has the signed entries',
        'x-errors': [...LOG_ERRORS, 'recovery-invalid', 'recovery-early'],
        tags: ['accounts'],
        params: ByName,
        body: v.strictObject({ entries: Entries }),
        response: { 200: v.object({ seq: v.number(), hash: Hash }), ...Failed },
      },
    },
    async ({ params, body }) => {
      const before = await findAccount(context, params.name);
      const { head } = await appendToLog(context, params.name, body.entries);
      for (const lost of await fallenSince(context, before)) await endMember(context, before.id, lost);
      return head;
    },
  );
}
