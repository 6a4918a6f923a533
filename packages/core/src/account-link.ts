/**
 * The link that binds an account's name to its fingerprint: what its owner gives to others, as text or QR.
 * `countersign:alice@example.com?id=MDDK-…&broker=https%3A%2F%2Fbroker.example`
 * @module
 */
import { parseAccountName } from './account-name.ts';
import { BASE64URL_32_BYTES } from './base64url.ts';
import { CountersignError } from './errors.ts';
import { isOrigin } from './origin.ts';
import { parsePin } from './secret-code.ts';

export interface AccountLink {
  readonly name: string;
  /** Hash of the first log entry. */
  readonly identity: string;
  /** Origin of the account's broker. */
  readonly broker: string;
}

/** A link for a new device of one's own: it carries a PIN that lets it in, or one that only lets it knock. */
export interface DeviceLink extends AccountLink {
  readonly use: 'admit' | 'knock';
  readonly pin: string;
}

const SCHEME = 'countersign:';

export function formatAccountLink({ name, identity, broker }: AccountLink): string {
  return `${SCHEME}${name}?${new URLSearchParams({ id: identity, broker })}`;
}

export function formatDeviceLink({ use, pin, ...account }: DeviceLink): string {
  return `${formatAccountLink(account)}&${new URLSearchParams({ [use]: pin })}`;
}

/** @throws `link-invalid`, `name-invalid` */
export function parseAccountLink(text: string): AccountLink {
  const { link, rest } = readLink(text);
  if (link !== undefined && rest.length === 0) return link;
  throw new CountersignError('link-invalid', 'not an account link', {
    hint: 'it looks like countersign:alice@example.com?id=…&broker=…; `countersign account show` prints it',
  });
}

/** @throws `link-invalid`, `name-invalid`, `pin-wrong` */
export function parseDeviceLink(text: string): DeviceLink {
  const { link, rest } = readLink(text);
  const [[use, pin] = [], more] = rest;
  if (link === undefined || more !== undefined || (use !== 'admit' && use !== 'knock')) {
    throw new CountersignError('link-invalid', 'not a link for a new device', {
      hint: '`countersign device link` on a device of the account prints one',
    });
  }
  return { ...link, use, pin: parsePin(pin!) };
}

/** A link's account, and the parameters that are not about it. */
function readLink(text: string): { link?: AccountLink; rest: [string, string][] } {
  const [address, query, more] = text.trim().slice(SCHEME.length).split('?');
  const parameters = [...new URLSearchParams(query ?? '')];
  const values = (name: string) => parameters.filter(([key]) => key === name).map(([, value]) => value);
  // each parameter once: of two `id`s another reader might take the other
  const [[identity, id2], [broker, broker2]] = [values('id'), values('broker')];
  const rest = parameters.filter(([key]) => key !== 'id' && key !== 'broker');
  const good =
    isAccountLink(text) &&
    more === undefined &&
    identity !== undefined &&
    id2 === undefined &&
    BASE64URL_32_BYTES.test(identity) &&
    broker !== undefined &&
    broker2 === undefined &&
    isOrigin(broker);
  return good ? { link: { name: parseAccountName(address ?? ''), identity, broker }, rest } : { rest };
}

/** Whether a text is an account link rather than a name. */
export function isAccountLink(text: string): boolean {
  return text.trim().startsWith(SCHEME);
}
