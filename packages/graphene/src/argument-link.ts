/**
 * The argument format of Graphene wallets: JSON, compressed by LZMA, in Base58, behind the `#` of a link, so that
 * the server of a web wallet never sees it (spec/transaction-request.md#arguments). What comes in is held to its
 * size before it is unpacked.
 * @module
 */
import { CountersignError, parseStrictJson } from '@countersign/core';
import { base58 } from '@scure/base';
import { compress, decompress } from 'lzma1';

/** Bytes of a link that every browser and messenger carries. */
export const MAX_LINK = 2048;
/** What a letter of Base58 holds, at most. */
const BYTES_PER_LETTER = Math.log(58) / Math.log(256);
/** Bytes of JSON in a link. */
export const MAX_ARGUMENTS = 16_384;
/** What every writer of these links begins with; others could make a reader set much memory aside. */
const PROPERTIES = 0x5d;
/** Properties, size of the dictionary, size of the content. */
const HEADER_BYTES = 13;
/** As much as any content of ours can point back. */
const DICTIONARY = MAX_ARGUMENTS * 2;
const LEVEL = 9;

/** @throws `link-invalid` where they are too large for any link */
export function encodeArguments(value: unknown): string {
  const json = new TextEncoder().encode(JSON.stringify(value));
  if (json.length > MAX_ARGUMENTS) throw tooLong();
  const packed = compress(json, LEVEL);
  if (packed.length > MAX_LINK * BYTES_PER_LETTER) throw tooLong();
  return base58.encode(packed);
}

/**
 * The JSON of arguments, still to be checked for what it says.
 * @throws `link-invalid`
 */
export function decodeArguments(text: string): unknown {
  if (text.length > MAX_LINK) throw new CountersignError('link-invalid', `more than ${MAX_LINK} characters`);
  try {
    return parseStrictJson(unpack(base58.decode(text)));
  } catch (cause) {
    throw new CountersignError('link-invalid', 'the link is damaged: its arguments cannot be read', {
      cause,
    });
  }
}

/** The size of the content is in the header, and must be: without it nothing bounds what comes out. */
function unpack(packed: Uint8Array): Uint8Array {
  if (packed.length <= HEADER_BYTES) throw new RangeError('shorter than its header');
  if (packed[0] !== PROPERTIES) throw new RangeError('other properties than links have');
  const header = new DataView(packed.buffer, packed.byteOffset);
  const size = header.getBigUint64(5, true);
  if (size === 0n || size > BigInt(MAX_ARGUMENTS)) throw new RangeError('a content of no size, or too large');
  const bounded = Uint8Array.from(packed);
  new DataView(bounded.buffer).setUint32(1, DICTIONARY, true);
  const content = decompress(bounded);
  if (content.length !== Number(size)) throw new RangeError('a content of another size than it says');
  return content;
}

/**
 * A link of a wallet.
 * @param page address of the wallet's page, without `#`
 * @throws `link-invalid` where it grows beyond 2048 bytes
 */
export function formatArgumentLink(page: string, value: unknown): string {
  const link = `${parsePage(page).href}#${encodeArguments(value)}`;
  if (link.length > MAX_LINK) throw tooLong();
  return link;
}

/**
 * What stands behind the `#` of a link, or a text of arguments alone.
 * @throws `link-invalid`
 */
export function parseArgumentLink(link: string): unknown {
  const text = link.trim();
  if (text.length > MAX_LINK) throw new CountersignError('link-invalid', `more than ${MAX_LINK} characters`);
  const mark = text.indexOf('#');
  if (mark < 0) return decodeArguments(text);
  parsePage(text.slice(0, mark));
  return decodeArguments(text.slice(mark + 1));
}

/** Whether a text is an address that an answer may go to: of `https`, or of this machine; without a password. */
export function isPage(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '' || text.includes('#')) {
    return false;
  }
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.href === text && (url.protocol === 'https:' || (url.protocol === 'http:' && here));
}

function parsePage(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !isPage(url.href)) {
    throw new CountersignError('link-invalid', `not the address of a page: ${text}`, {
      hint: 'it is of https, or of http on this machine, and has no password in it',
    });
  }
  return url;
}

/**
 * Where an answer is sent: the callback with `a`, and parameters in clear, besides its own.
 * @throws `link-invalid` where it grows beyond 2048 bytes
 */
export function formatCallback(
  callback: string,
  answer: unknown,
  clear: Readonly<Record<string, number | string>> = {},
): string {
  const url = parsePage(callback);
  url.searchParams.set('a', encodeArguments(answer));
  for (const [name, value] of Object.entries(clear)) url.searchParams.set(name, String(value));
  if (url.href.length > MAX_LINK) throw tooLong();
  return url.href;
}

/**
 * The answer in the address that a callback was called by, or in its `a` alone.
 * @throws `link-invalid`
 */
export function parseCallback(address: string): unknown {
  if (address.length > MAX_LINK)
    throw new CountersignError('link-invalid', `more than ${MAX_LINK} characters`);
  const all = URL.parse(address)?.searchParams.getAll('a') ?? [address];
  if (all.length !== 1) throw new CountersignError('link-invalid', 'one answer is meant, in “a”');
  return decodeArguments(all[0]!);
}

function tooLong(): CountersignError {
  return new CountersignError('link-invalid', `a link of more than ${MAX_LINK} bytes`, {
    hint: 'fewer operations, or a shorter address to call back, make it fit',
  });
}
