/**
 * Where a provider is reached, as it says itself on the chain: in an operation `custom`, whose bytes the chain keeps
 * and does not read.
 * @module
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { NO_FEE } from './build-transaction.ts';
import type { ChainClient } from './chain-client.ts';
import type { OperationJson } from './required-authorities.ts';

const CUSTOM = 35;
const Published = v.object({
  countersign: v.literal('cosign/1'),
  url: v.pipe(v.string(), v.url(), v.maxLength(256)),
});

/** The operation by which a provider publishes its address; the newest one holds. */
export function publishAddress(provider: string, url: string): OperationJson {
  const data = bytesToHex(utf8ToBytes(JSON.stringify({ countersign: 'cosign/1', url })));
  return [CUSTOM, { fee: NO_FEE, payer: provider, required_auths: [], id: 0, data }];
}

/** The address that a provider published, if any. */
export async function publishedAddress(client: ChainClient, provider: string): Promise<string | undefined> {
  for await (const { op } of client.pastOperations(provider, CUSTOM)) {
    const [, { payer, data }] = op as [number, { payer?: unknown; data?: unknown }];
    if (payer !== provider || typeof data !== 'string') continue;
    const read = v.safeParse(Published, parse(data));
    if (read.success) return read.output.url;
  }
  return undefined;
}

function parse(hex: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(hexToBytes(hex)));
  } catch {
    return undefined;
  }
}
