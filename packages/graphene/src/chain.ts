/**
 * Which chain is meant: its id goes into every digest, its prefix stands before every key.
 * @module
 */
export interface Chain {
  /** SHA-256 of the genesis state, 64 hex digits, lower case. */
  readonly id: string;
  /** What keys in text begin with. */
  readonly prefix: string;
}

export const BITSHARES: Chain = {
  id: '4018d7844c78f6a6c41c6a552b898022310fc5dec06da467ee7905a8dad512c8',
  prefix: 'BTS',
};
