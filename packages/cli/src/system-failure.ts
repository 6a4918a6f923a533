/**
 * What the machine refuses (a file that is not there, a full disk) is no failure of this program: it is said in
 * words, and what to do.
 * @module
 */
import { getSystemErrorMessage } from 'node:util';
import { CountersignError } from '@countersign/core';

interface FileFailure extends Error {
  readonly code: string;
  readonly errno: number;
  readonly path: string;
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'is the name right, and is the folder there?',
  EACCES: 'may this user read and write there?',
  EPERM: 'may this user read and write there?',
  EROFS: 'a profile must be where it can be written; --profile chooses another folder',
  ENOSPC: 'make room, and try again',
  EDQUOT: 'make room, and try again',
};

/** The refusal in words, where an error is one of the machine's. */
export function asSystemFailure(error: unknown): CountersignError | undefined {
  if (!(error instanceof Error) || error instanceof CountersignError) return undefined;
  const { code, errno, path } = error as Partial<FileFailure>;
  if (code === 'ERR_SQLITE_ERROR') return refused(`the memory of this device: ${error.message}`, error);
  if (code === undefined || typeof errno !== 'number' || typeof path !== 'string') return undefined;
  return refused(`${path}: ${getSystemErrorMessage(errno)}`, error, HINTS[code]);
}

function refused(message: string, cause: Error, hint?: string): CountersignError {
  return new CountersignError('storage-failed', message, { cause, ...(hint === undefined ? {} : { hint }) });
}
