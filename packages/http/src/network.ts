/**
 * Remote addresses, as limits count them.
 * @module
 */
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * What one customer of a provider has: an IPv4 address, or the first 64 bits of an IPv6 one (RFC 6177), written
 * without leading zeros. What is no address stays as it is.
 */
export function networkOf(address: string): string {
  // its one writing, which is most of what comes
  if (isIPv4(address)) return address;
  const [plain] = address.split('%');
  if (!ipaddr.isValid(plain!)) return address;
  // an IPv4 address in IPv6's writing (RFC 4291 section 2.5.5.2) is IPv4's
  const parsed = ipaddr.process(plain!);
  if (!('parts' in parsed)) return parsed.toString();
  return parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':');
}
