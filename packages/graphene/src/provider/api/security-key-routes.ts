/**
 * Routes of a registration by a security key, and the page that calls them. Both are the provider's own: browsers let
 * a key be used only at the name that it is bound to.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountersignError } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import * as v from 'valibot';
import type { ProviderContext } from '../context.ts';
import { memoriesOf, openRegistration, provePage } from '../registration.ts';
import { isSecurityKeyWay, SECURITY_KEY } from '../security-key.ts';
import type { RegistrationRow } from '../store.ts';
import { Failed, Id, RegistrationView } from './schemas.ts';

const Bytes = v.pipe(v.string(), v.maxLength(32_768), v.regex(/^[A-Za-z0-9_-]*$/));
/** `PublicKeyCredential.toJSON()`, as far as it is read. */
const Credential = v.object({
  id: Bytes,
  rawId: Bytes,
  type: v.literal('public-key'),
  authenticatorAttachment: v.optional(v.nullable(v.string())),
  clientExtensionResults: v.optional(v.looseObject({}), {}),
  response: v.object({
    clientDataJSON: Bytes,
    attestationObject: v.optional(Bytes),
    authenticatorData: v.optional(Bytes),
    signature: v.optional(Bytes),
    userHandle: v.optional(v.nullable(Bytes)),
    transports: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(16))),
  }),
});
const ByRegistration = v.strictObject({ id: Id });

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const FILES = [
  ['/security-key/:id', 'security-key.html', 'text/html; charset=utf-8'],
  ['/security-key.js', 'security-key.js', 'text/javascript; charset=utf-8'],
  ['/security-key.css', 'security-key.css', 'text/css; charset=utf-8'],
] as const;

export function addSecurityKeyRoutes(
  app: ValibotFastify,
  context: ProviderContext,
  view: (row: RegistrationRow) => Promise<v.InferInput<typeof RegistrationView>>,
): void {
  const way = () => {
    const found = context.ways.find(isSecurityKeyWay);
    if (found !== undefined) return found;
    throw new CountersignError('cosign-conflict', 'this provider asks for no security key');
  };

  app.get(
    '/v1/registrations/:id/security-key',
    {
      schema: {
        summary: 'What the browser is to do with a security key, for the provider’s own page',
        'x-caller': 'whoever began the registration',
        'x-errors': ['cosign-unknown', 'cosign-conflict'],
        tags: ['registration'],
        params: ByRegistration,
        response: {
          200: v.object({
            provider: v.string(),
            account: v.string(),
            use: v.picklist(['create', 'get']),
            options: v.pipe(v.unknown(), v.description('In WebAuthn’s JSON, as browsers parse it')),
          }),
          ...Failed,
        },
      },
    },
    async ({ params }) => {
      const row = openRegistration(context, params.id, 'proving');
      const memory = memoriesOf(row)[SECURITY_KEY];
      if (memory === undefined || memory.proven) {
        throw new CountersignError('cosign-conflict', 'no security key is asked for any more');
      }
      const task = await way().task(context, row, memory);
      return { provider: context.account.name, account: row.account, ...task };
    },
  );

  app.post(
    '/v1/registrations/:id/security-key',
    {
      schema: {
        summary: 'Give what the security key answered',
        'x-caller': 'whoever began the registration',
        'x-errors': [
          'cosign-unknown',
          'cosign-conflict',
          'signature-invalid',
          'passcode-locked',
          'not-permitted',
          'contact-held',
          'too-often',
          'broker-unreachable',
        ],
        tags: ['registration'],
        params: ByRegistration,
        body: v.strictObject({ response: Credential }),
        response: { 200: RegistrationView, ...Failed },
      },
    },
    async ({ params, body }) => view(await provePage(context, params.id, way(), body.response)),
  );

  for (const [path, file, type] of FILES) {
    const content = readFileSync(join(import.meta.dirname, '..', 'pages', file));
    app.get(path, { schema: { hide: true } as object }, async (_call, reply) =>
      reply
        .type(type)
        .header('content-security-policy', POLICY)
        .header('referrer-policy', 'no-referrer')
        .header('x-content-type-options', 'nosniff')
        .send(content),
    );
  }
}
