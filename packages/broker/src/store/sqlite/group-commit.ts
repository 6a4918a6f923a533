/**
 * Group commit: all writes that arrive in one turn of the event loop share one transaction and one fsync, and those
 * that arrive soon after a commit wait for each other. A write's promise resolves after the commit, never before.
 *
 * A piece of work checks first and writes last: thrown before its first write, an error is its own. An error
 * of the database itself may leave half a piece behind, so then the whole batch is rolled back and each piece
 * is run again in a transaction of its own.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '@countersign/core';

/**
 * From one commit to the next, in ms. An fsync costs some 60 µs of CPU however little it writes: at a moderate load,
 * where most commits would carry one or two writes, this saves a fifth of all CPU, and with it the queues behind stalls.
 */
const GAP_MS = 2;

interface Piece {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

export interface Told {
  /** After a commit of so many pieces. */
  committed(pieces: number): void;
  /** What pieces of work have remembered outside the database did not happen. */
  rolledBack(): void;
}

export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #begin;
  readonly #commit;
  readonly #rollback;
  readonly #told: Told;
  #queue: Piece[] = [];
  /** When the next commit may be, by `performance.now()`. */
  #next = 0;

  constructor(database: DatabaseSync, told: Told) {
    this.#told = told;
    this.#database = database;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
  }

  submit<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#queue.push({ work, resolve: resolve as Piece['resolve'], reject });
    if (this.#queue.length === 1) {
      const wait = this.#next - performance.now();
      if (wait > 0) setTimeout(() => this.flush(), wait);
      else setImmediate(() => this.flush());
    }
    return promise;
  }

  flush(): void {
    const batch = this.#queue;
    if (batch.length === 0) return;
    this.#queue = [];
    this.#commitBatch(batch);
    this.#next = performance.now() + GAP_MS;
  }

  #commitBatch(batch: readonly Piece[]): void {
    if (this.#runTogether(batch)) return;
    for (const piece of batch) {
      if (!this.#runTogether([piece])) piece.reject(storageFailed(this.#lastError));
    }
  }

  #lastError: unknown;

  /** False where nothing of the batch has happened, because the database failed. */
  #runTogether(batch: readonly Piece[]): boolean {
    const settle: (() => void)[] = [];
    try {
      this.#begin.run();
      for (const { work, resolve, reject } of batch) {
        try {
          const value = work();
          settle.push(() => resolve(value as never));
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          settle.push(() => reject(error));
        }
      }
      this.#commit.run();
    } catch (error) {
      this.#lastError = error;
      if (this.#database.isTransaction) this.#rollback.run();
      this.#told.rolledBack();
      return false;
    }
    for (const done of settle) done();
    this.#told.committed(batch.length);
    return true;
  }
}

function storageFailed(cause: unknown): CountersignError {
  return new CountersignError('storage-failed', 'the broker could not write this down: nothing has changed', {
    cause,
    hint: 'try again; if it stays so, the operator finds the reason in the broker’s log',
  });
}
