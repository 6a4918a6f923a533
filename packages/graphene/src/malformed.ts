/**
 * What a codec throws inside: where the fault lies is added on the way out, and the door turns it into the
 * project's own error.
 * @module
 */
import { CountersignError, type ErrorCode } from '@countersign/core/errors';

export class Malformed extends Error {
  override readonly name = 'Malformed';
  path = '';

  /** The same fault, seen from one level further out. */
  under(step: string): this {
    this.path =
      this.path === '' || this.path.startsWith('[') ? `${step}${this.path}` : `${step}.${this.path}`;
    return this;
  }
}

/** Runs a codec; faults come out as a coded error that names the place. */
export function refusing<T>(code: ErrorCode, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause;
    const where = cause.path === '' ? '' : `${cause.path}: `;
    throw new CountersignError(code, `${where}${cause.message}`, { cause });
  }
}
