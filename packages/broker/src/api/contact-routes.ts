/**
 * The routes of contacts.
 * @module
 */

import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import { changeContact } from '../contacts.ts';
import type { BrokerContext } from '../context.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Failed, Statement, wholeNumber } from './schemas.ts';

export function addContactRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.post(
    '/v1/contacts',
    {
      schema: {
        summary: 'Allow, block or forget an enquirer',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-changed',
          'device-not-entitled',
          'log-conflict',
          'contact-conflict',
        ],
        tags: ['contacts'],
        body: v.strictObject({ statement: Statement }),
        response: { 200: v.object({ seq: v.number() }), ...Failed },
      },
    },
    async ({ body }) => ({ seq: await changeContact(context, body.statement) }),
  );

  app.get(
    '/v1/accounts/:name/contacts',
    {
      schema: {
        summary: 'Read the changes of an account’s contacts (a device of it only)',
        'x-errors': PROOF_ERRORS,
        tags: ['devices'],
        security: [{ dpop: [] }],
        params: ByName,
        querystring: v.strictObject({
          from: v.optional(wholeNumber(1, 1_000_000_000, 'Changes from this number on'), '1'),
        }),
        response: { 200: v.object({ changes: v.array(v.string()) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      return { changes: await context.store.readContacts(account.id, call.query.from) };
    },
  );
}
