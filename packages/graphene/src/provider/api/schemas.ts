/**
 * Forms that several routes of the provider share.
 * @module
 */
import * as v from 'valibot';

const MAX_WAIT = 60;

export const ChainName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9.-]{1,62}$/),
  v.description('An account of the chain'),
);
export const Digest = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/),
  v.description('SHA-256 of what is signed'),
);
export const Signature = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{130}$/),
  v.description('65 bytes, recoverable, as the chain has them'),
);
export const Wait = v.strictObject({
  wait: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,2}$/),
      v.transform(Number),
      v.maxValue(MAX_WAIT),
      v.description(`Seconds to wait until it is settled, up to ${MAX_WAIT}`),
    ),
    '0',
  ),
});

export const Id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/));
/** What may come of asking a person on their device for a signature. */
export const ASKING_ERRORS = [
  'text-too-long',
  'text-refused',
  'account-changed',
  'not-permitted',
  'contact-held',
  'too-often',
  'too-many-pending',
  'chain-unreachable',
  'chain-disagrees',
  'broker-unreachable',
] as const;
export const ChainId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** 64 bytes that two keys share, in hexadecimal. */
export const SharedSecret = v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/));
const Failure = v.object({
  code: v.string(),
  message: v.string(),
  hint: v.optional(v.string()),
  retry_after: v.optional(v.number()),
});
export const Failed = { '4XX': Failure, '5XX': Failure };

export const RegistrationView = v.object({
  registration: Id,
  state: v.picklist(['challenged', 'proving', 'asked', 'registered', 'rejected', 'expired']),
  challenge: v.optional(
    v.pipe(v.string(), v.description('Sign SHA-256 of this text by a key of the account')),
  ),
  codes: v.optional(
    v.pipe(
      v.array(v.string()),
      v.description(
        'Which codes are to be given: sent ones by what they were sent by, `token` for a token’s',
      ),
    ),
  ),
  page: v.optional(
    v.pipe(v.string(), v.description('A page of the provider’s, on which a security key is to be used')),
  ),
  token: v.optional(
    v.pipe(v.string(), v.description('`otpauth://…`, by which a token of one’s own is set up')),
  ),
  expires_at: v.number(),
});
