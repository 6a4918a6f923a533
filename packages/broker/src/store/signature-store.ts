/**
 * What the broker keeps of signatures on texts, as an interface: a part of `Store`. Times are seconds since 1970.
 * @module
 */

export interface NewSignatureRow {
  /** Of the statement. */
  readonly hash: string;
  readonly accountId: number;
  readonly jws: string;
  /** Absent where it holds for good. */
  readonly exp?: number;
}

export interface SignatureRow {
  readonly id: number;
  readonly jws: string;
  readonly createdAt: number;
}

export interface SignatureStore {
  /**
   * Keeps a signature; one that is kept already stays as it is.
   * @param most that an account may make in an hour
   * @throws `too-often`
   */
  saveSignature(signature: NewSignatureRow, now: number, most: number): Promise<void>;
  readSignature(hash: string): Promise<string | undefined>;
  /** An account's signatures, newest first. */
  listSignatures(accountId: number, before: number, max: number): Promise<SignatureRow[]>;
  /** Removes what expired before a time, at most so many; returns how many went. */
  pruneSignatures(expiredBefore: number, max: number): Promise<number>;
}
