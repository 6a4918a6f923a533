/**
 * The link that binds an account's name to its fingerprint: what its owner gives to others, as text or QR.
 * `countersign:alice@example.com?id=MDDK-…&broker=https%3A%2F%2Fbroker.example`
 * @module
 */
import { parseAccountName } from './account-name.ts';
import { BASE64URL_32_BYTES } from './base64url.ts';
import { CountersignError } from './errors.ts';
import { isOrigin } from './origin.ts';

export interface AccountLink {
  readonly name: string;
  /** Hash of the first log entry. */
  readonly identity: string;
  /** Origin of the account's broker. */
  readonly broker: string;
}

const SCHEME = 'countersign:';

export function formatAccountLink({ name, identity, broker }: AccountLink): string {
  return `${SCHEME}${name}?${new URLSearchParams({ id: identity, broker })}`;
}

/** @throws `link-invalid`, `name-invalid` */
export function parseAccountLink(text: string): AccountLink {
  const [address, query, more] = text.trim().slice(SCHEME.length).split('?');
  const parameters = new URLSearchParams(query ?? '');
  const identity = parameters.get('id');
  const broker = parameters.get('broker');
  if (
    !text.trim().startsWith(SCHEME) ||
    more !== undefined ||
    // each parameter once: of two `id`s another reader might take the other
    parameters.size !== 2 ||
    identity === null ||
    !BASE64URL_32_BYTES.test(identity) ||
    broker === null ||
    !isOrigin(broker)
  ) {
    throw new CountersignError('link-invalid', 'not an account link', {
      hint: 'it looks like countersign:alice@example.com?id=…&broker=…; `countersign account show` prints it',
    });
  }
  return { name: parseAccountName(address ?? ''), identity, broker };
}

/** Whether a text is an account link rather than a name. */
export function isAccountLink(text: string): boolean {
  return text.trim().startsWith(SCHEME);
}
