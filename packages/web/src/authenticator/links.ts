/**
 * Links of accounts and devices, bare or as an address of this page: a telephone's own camera opens the latter.
 * What is after the `#` reaches no server.
 * @module
 */
import { type AccountLink, type DeviceLink, parseAccountLink, parseDeviceLink } from '@countersign/core';

const BARE = 'countersign:';

/** A link as an address that opens the authenticator. */
export function asAddress(link: string): string {
  return `${location.origin}/#${link}`;
}

/** The link in what was scanned or pasted. @throws `link-invalid`, `name-invalid`, `pin-wrong` */
export function deviceLinkIn(text: string): DeviceLink {
  return parseDeviceLink(bare(text));
}

/** @throws `link-invalid`, `name-invalid` */
export function accountLinkIn(text: string): AccountLink {
  return parseAccountLink(bare(text));
}

/** The link that this page was opened by, if it was. */
export function linkOfPage(): string | undefined {
  const text = location.hash.slice(1);
  return text.startsWith(BARE) ? text : undefined;
}

/** Whether this page was opened to pair it with a host, or to sign on to one. */
export function isForValidator(): boolean {
  return /^#(validator$|countersign-pair:)/.test(location.hash);
}

function bare(text: string): string {
  const trimmed = text.trim();
  const hash = trimmed.indexOf(`#${BARE}`);
  return hash === -1 ? trimmed : trimmed.slice(hash + 1);
}
