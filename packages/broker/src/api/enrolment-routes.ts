/**
 * The routes by which a new device is let in.
 * @module
 */
import { Hash } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import {
  acceptEnrolment,
  awaitEnrolment,
  challengeDevice,
  completeEnrolment,
  findEnrolment,
  postEnrolment,
  rejectEnrolment,
} from '../enrolments.ts';
import { cancelInvitation, invite, listInvitations } from '../invitations.ts';
import { NOTICES_KEPT } from '../limits.ts';
import { checkWaitingKey, provenDevice } from './proven-device.ts';
import { LOG_ERRORS, PROOF_ERRORS, STATEMENT_ERRORS } from './route-errors.ts';
import { ByName, Done, Entries, Failed, MAX_WAIT, Statement, wholeNumber } from './schemas.ts';
import { EnrolmentView, enrolmentView, NoticeView, WaitingView, waitingView } from './views.ts';

const SETTLING = [
  'enrolment-unknown',
  'enrolment-settled',
  'enrolment-expired',
  'enrolment-mismatch',
  'response-late',
] as const;

const OfHash = v.strictObject({ ...ByName.entries, hash: Hash });

export function addEnrolmentRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.get(
    '/v1/accounts/:name/challenge',
    {
      schema: {
        summary: 'A fresh challenge for a new device, good for two minutes',
        'x-caller': 'anybody',
        'x-errors': ['account-unknown'],
        tags: ['enrolment'],
        params: ByName,
        response: { 200: v.object({ challenge: Statement, identity: Hash }), ...Failed },
      },
    },
    async (call) => challengeDevice(context, call.params.name, call.ip),
  );

  app.post(
    '/v1/accounts/:name/invitations',
    {
      schema: {
        summary: 'Give a PIN by which a new device may come before the door',
        'x-caller': 'whoever has the signed invitation',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-mismatch',
          'device-not-entitled',
          'pin-expired',
          'response-late',
        ],
        tags: ['enrolment'],
        params: ByName,
        body: v.strictObject({ statement: Statement }),
        response: { 201: Done, ...Failed },
      },
    },
    async ({ params, body }, reply) => {
      await invite(context, params.name, body.statement);
      return reply.code(201).send({ done: true });
    },
  );

  app.get(
    '/v1/accounts/:name/invitations',
    {
      schema: {
        summary: 'List the PINs and links that still stand (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['enrolment'],
        security: [{ dpop: [] }],
        params: ByName,
        response: { 200: v.object({ invitations: v.array(Statement) }), ...Failed },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      return { invitations: await listInvitations(context, account) };
    },
  );

  app.post(
    '/v1/accounts/:name/invitations/:hash/cancel',
    {
      schema: {
        summary: 'Take a PIN or a link back, by the hash of its ticket; the same again is a safe retry',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-mismatch',
          'device-not-entitled',
          'pin-wrong',
          'pin-used',
          'pin-expired',
          'response-late',
        ],
        tags: ['enrolment'],
        params: OfHash,
        body: v.strictObject({ statement: Statement }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await cancelInvitation(context, params.name, params.hash, body.statement);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/enrolments',
    {
      schema: {
        summary: 'Come before the door, as a new device with a PIN’s ticket; the same again is a safe retry',
        'x-caller': 'whoever has the signed enrolment, and the ticket of a PIN',
        'x-errors': [
          ...STATEMENT_ERRORS,
          'account-unknown',
          'account-mismatch',
          'challenge-invalid',
          'enrolment-expired',
          'pin-wrong',
          'pin-used',
          'pin-expired',
          'pin-cancelled',
          'too-many-enrolments',
        ],
        tags: ['enrolment'],
        params: ByName,
        body: v.strictObject({ enrolment: Statement, ticket: v.pipe(v.string(), v.maxLength(128)) }),
        response: { 200: EnrolmentView, 201: EnrolmentView, ...Failed },
      },
    },
    async ({ params, body }, reply) => {
      const posted = await postEnrolment(context, params.name, body.enrolment, body.ticket);
      return reply.code(posted.created ? 201 : 200).send(enrolmentView(posted.enrolment, context.now()));
    },
  );

  app.get(
    '/v1/accounts/:name/enrolments',
    {
      schema: {
        summary:
          'List devices that wait before the door, and what was kept from it (a device of the account only)',
        'x-errors': PROOF_ERRORS,
        tags: ['enrolment'],
        security: [{ dpop: [] }],
        params: ByName,
        response: {
          200: v.object({ waiting: v.array(WaitingView), notices: v.array(NoticeView) }),
          ...Failed,
        },
      },
    },
    async (call) => {
      const { account } = await provenDevice(context, call, call.params.name);
      const now = context.now();
      const waiting = await context.store.listEnrolments(account.id, now);
      const notices = await context.store.readNotices(account.id, now - NOTICES_KEPT);
      return { waiting: waiting.map((row) => waitingView(row, now)), notices };
    },
  );

  app.get(
    '/v1/accounts/:name/enrolments/:hash',
    {
      schema: {
        summary: 'What has become of a waiting device, waiting for it if asked to (that device only)',
        'x-caller': 'the waiting device',
        'x-errors': [...PROOF_ERRORS, 'enrolment-unknown'],
        tags: ['enrolment'],
        security: [{ dpop: [] }],
        params: OfHash,
        querystring: v.strictObject({
          wait: v.optional(wholeNumber(1, MAX_WAIT, `Seconds to wait, 1 to ${MAX_WAIT}`)),
        }),
        response: { 200: EnrolmentView, ...Failed },
      },
    },
    async (call, reply) => {
      const { name, hash } = call.params;
      const { enrolment } = await findEnrolment(context, name, hash);
      await checkWaitingKey(context, call, enrolment.kid);
      const onGone = (leave: () => void) => reply.raw.once('close', leave);
      const row = await awaitEnrolment(context, enrolment, (call.query.wait ?? 0) * 1000, onGone);
      return enrolmentView(row, context.now());
    },
  );

  app.post(
    '/v1/accounts/:name/enrolments/:hash/accept',
    {
      schema: {
        summary: 'Let a waiting device in, by entries of the device log',
        'x-caller': 'whoever has the signed statement and entries',
        'x-errors': [...LOG_ERRORS, ...SETTLING],
        tags: ['enrolment'],
        params: OfHash,
        body: v.strictObject({ statement: Statement, entries: Entries, share: v.optional(Statement) }),
        response: { 200: v.object({ seq: v.number(), hash: Hash }), ...Failed },
      },
    },
    async ({ params, body }) =>
      (await acceptEnrolment(context, params.name, params.hash, body.statement, body.entries, body.share))
        .head,
  );

  app.post(
    '/v1/accounts/:name/enrolments/:hash/reject',
    {
      schema: {
        summary: 'Turn a waiting device away',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [...STATEMENT_ERRORS, 'account-unknown', ...SETTLING],
        tags: ['enrolment'],
        params: OfHash,
        body: v.strictObject({ statement: Statement }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await rejectEnrolment(context, params.name, params.hash, body.statement);
      return { done: true as const };
    },
  );

  app.post(
    '/v1/accounts/:name/enrolments/:hash/complete',
    {
      schema: {
        summary: 'Say, as the new device, that what was sealed to it is open: now it is in',
        'x-caller': 'whoever has the signed statement',
        'x-errors': [...STATEMENT_ERRORS, 'account-unknown', ...SETTLING],
        tags: ['enrolment'],
        params: OfHash,
        body: v.strictObject({ statement: Statement }),
        response: { 200: Done, ...Failed },
      },
    },
    async ({ params, body }) => {
      await completeEnrolment(context, params.name, params.hash, body.statement);
      return { done: true as const };
    },
  );
}
