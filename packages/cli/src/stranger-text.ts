/**
 * Strangers that want to be able to ask, as text: by the fingerprint, which one can compare with its owner.
 * @module
 */
import type { ContactRequest } from '@countersign/client';
import { type CryptoProvider, statementId } from '@countersign/core';
import type { Terminal } from './terminal.ts';

export interface Stranger extends ContactRequest {
  /** Of the account that the broker names. */
  readonly fingerprint: string;
}

export function strangersOf(
  crypto: CryptoProvider,
  requests: readonly ContactRequest[],
): Promise<Stranger[]> {
  return Promise.all(
    requests.map(async (one) => ({
      ...one,
      fingerprint: await statementId(crypto, one.enquirer.identity),
    })),
  );
}

export function strangerText(
  { enquirer: { name }, fingerprint }: Stranger,
  { style }: Pick<Terminal, 'style'>,
): string {
  return [
    `${style('yellow', 'contact request')}  ${name} wants to be able to ask you.`,
    `  fingerprint  ${fingerprint}  (the broker’s word: compare it with its owner)`,
  ].join('\n');
}
