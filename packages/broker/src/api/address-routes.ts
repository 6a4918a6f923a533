/**
 * The routes by which an account says at which e-mail addresses it is told of changes of its devices.
 * @module
 */

import { CountersignError, checkRight } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import { networkOf } from '@countersign/http/network';
import type { FastifyRequest } from 'fastify';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { provenDevice } from './proven-device.ts';
import { PROOF_ERRORS } from './route-errors.ts';
import { ByName, Done, Failed } from './schemas.ts';

const Address = v.pipe(
  v.string(),
  v.maxLength(254),
  v.email('expected an e-mail address'),
  v.description('An e-mail address'),
);
const CHANGE_ERRORS = [...PROOF_ERRORS, 'address-refused', 'device-not-entitled'] as const;

export function addAddressRoutes(app: ValibotFastify, context: BrokerContext): void {
  const common = {
    tags: ['devices'],
    security: [{ dpop: [] }],
    params: ByName,
    response: { 200: Done, ...Failed },
  };
  /** The mail, and the account of a device that may change where it is told. */
  const entitled = async (call: FastifyRequest, name: string) => {
    const { account, device } = await provenDevice(context, call, name);
    checkRight(device, 'admit');
    const { mail } = context;
    if (mail !== undefined) return { account, mail };
    throw new CountersignError('address-refused', 'this broker sends no e-mail', {
      hint: 'its operator may name a mail server: `--smtp`',
    });
  };

  app.get(
    '/v1/accounts/:name/addresses',
    {
      schema: {
        ...common,
        summary: 'Where the account is told by e-mail (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        response: {
          200: v.object({ addresses: v.array(v.object({ address: v.string(), since: v.number() })) }),
          ...Failed,
        },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      return { addresses: await context.store.listAddresses(account.id) };
    },
  );

  app.post(
    '/v1/accounts/:name/addresses',
    {
      schema: {
        ...common,
        summary: 'Have a code sent to an address that is to be told (a device with the right `admit` only)',
        'x-errors': [...CHANGE_ERRORS, 'too-often'],
        body: v.strictObject({ address: Address }),
      },
    },
    async (call) => {
      const { account, mail } = await entitled(call, call.params.name);
      await mail.sendCode(account, call.body.address, networkOf(call.ip));
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/addresses/confirm',
    {
      schema: {
        ...common,
        summary: 'Give the code back that was sent: from then on the address is told',
        'x-errors': [...CHANGE_ERRORS, 'code-wrong'],
        body: v.strictObject({ address: Address, code: v.pipe(v.string(), v.regex(/^\d{6}$/)) }),
      },
    },
    async (call) => {
      const { account, mail } = await entitled(call, call.params.name);
      await mail.confirm(account, call.body.address, call.body.code);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/addresses/remove',
    {
      schema: {
        ...common,
        summary: 'Tell an address no more; it is told so',
        'x-errors': CHANGE_ERRORS,
        body: v.strictObject({ address: Address }),
      },
    },
    async (call) => {
      const { account, mail } = await entitled(call, call.params.name);
      await mail.remove(account, call.body.address);
      return { done: true as const };
    },
  );
}
