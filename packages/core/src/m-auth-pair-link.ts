/**
 * The link by which a validator is paired: what the QR code on the host says. spec/m-auth.md#pairing.
 * @module
 */
import { CountersignError } from './errors.ts';
import { parsePairCode } from './secret-code.ts';

const SCHEME = 'countersign-pair:';

/** What the QR code on the host says. */
export interface PairLink {
  readonly code: string;
  /** Where the host’s demultiplexer is: `host:port`, or a URL with `wss:` or `ws:`. */
  readonly addresses: readonly string[];
}

export function formatPairLink({ code, addresses }: PairLink): string {
  return `${SCHEME}${code}?${new URLSearchParams(addresses.map((address) => ['at', address]))}`;
}

/** @throws `link-invalid`, `code-wrong` */
export function parsePairLink(text: string): PairLink {
  const [code, query, more] = text.trim().slice(SCHEME.length).split('?');
  const parameters = [...new URLSearchParams(query ?? '')];
  const addresses = parameters.map(([, address]) => address);
  const good =
    isPairLink(text) &&
    more === undefined &&
    parameters.every(([name]) => name === 'at') &&
    addresses.length >= 1 &&
    addresses.length <= 4 &&
    addresses.every(isAddress);
  if (good) return { code: parsePairCode(code!), addresses };
  throw new CountersignError('link-invalid', 'not a link for pairing', {
    hint: '`countersign-gate enroll` on the host shows one',
  });
}

export function isPairLink(text: string): boolean {
  return text.trim().startsWith(SCHEME);
}

/** In characters: four of them stand in a record. */
const MAX_ADDRESS = 180;

/** `host:port`, or the URL of a WebSocket. */
export function isAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS || !/^[\x21-\x7e]+$/.test(text) || /["\\]/.test(text)) return false;
  if (/^wss?:/i.test(text)) return URL.canParse(text);
  const [, port] = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
