/**
 * Routes of a login by the Wallet Login Protocol.
 * @module
 */
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { ProviderContext } from '../context.ts';
import { loginOf, postLogin } from '../logins.ts';
import type { LoginRow } from '../store.ts';
import {
  ASKING_ERRORS,
  ChainId,
  ChainName,
  Digest,
  Failed,
  SharedSecret,
  Signature,
  Wait,
} from './schemas.ts';

const KeyText = v.pipe(v.string(), v.maxLength(64));
const LoginView = v.object({
  digest: Digest,
  state: v.picklist(['pending', 'signed', 'rejected', 'refused', 'expired']),
  signatures: v.optional(v.pipe(v.array(Signature), v.description('One, once the person has said yes'))),
  reason: v.optional(v.string()),
  expires_at: v.number(),
});

export function addLoginRoutes(app: ValibotFastify, context: ProviderContext): void {
  app.post(
    '/v1/logins',
    {
      schema: {
        summary: 'Ask for the provider’s signature on a login',
        description:
          'The whole login of spec/wallet-login.md, signed already by a key of the account’s own: the provider shows it on the device, and makes what it signs of it. The same one twice is one.',
        'x-caller': 'whoever has a login that the account has signed',
        'x-errors': [
          'link-invalid',
          'chain-other',
          'cosign-not-enrolled',
          'cosign-unasked',
          ...ASKING_ERRORS,
        ],
        tags: ['logins'],
        body: v.strictObject({
          account: ChainName,
          callback: v.pipe(v.string(), v.maxLength(512), v.description('Its host is shown on the device')),
          onetimekey: v.pipe(KeyText, v.description('The server’s key for this login')),
          account_key: v.pipe(KeyText, v.description('The wallet’s key for this login')),
          secret: v.pipe(SharedSecret, v.description('What the two keys share; not kept beyond this login')),
          signatures: v.pipe(v.array(Signature), v.minLength(1), v.maxLength(10)),
          chain_id: v.optional(ChainId),
        }),
        response: { 202: LoginView, ...Failed },
      },
    },
    async ({ body: { signatures, chain_id, ...login } }, reply) => {
      reply.code(202);
      return view(await postLogin(context, login, signatures, chain_id));
    },
  );

  app.get(
    '/v1/logins/:digest',
    {
      schema: {
        summary: 'What has become of a login',
        'x-caller': 'whoever knows its digest',
        'x-errors': ['cosign-unknown'],
        tags: ['logins'],
        params: v.strictObject({ digest: Digest }),
        querystring: Wait,
        response: { 200: LoginView, ...Failed },
      },
    },
    async ({ params: { digest }, query }) => {
      if (loginOf(context, digest).state === 'pending' && query.wait > 0) {
        await context.changes.next(digest, query.wait * 1000);
      }
      return view(loginOf(context, digest));
    },
  );
}

function view({ digest, state, signature, reason, expires_at }: LoginRow): v.InferInput<typeof LoginView> {
  return {
    digest,
    state,
    ...(signature === null ? {} : { signatures: [signature] }),
    ...(reason === null ? {} : { reason }),
    expires_at,
  };
}
