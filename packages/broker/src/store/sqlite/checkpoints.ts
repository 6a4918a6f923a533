/**
 * Checkpoints off the main thread: a checkpoint of some thousand pages takes ten milliseconds and more, in which
 * nobody would be answered. A thread copies the bulk; the main thread copies what was written meanwhile, so that
 * the log is whole in the database once, and begins anew. Nothing that was acknowledged waits for this: the log
 * itself is synced at every commit.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

/**
 * Writes between checkpoints, which are a few thousand pages. The more, the fewer times a hot page is copied; the
 * fewer, the shorter the disk is busy with them while commits wait for it.
 */
const EVERY = 500;
/** Pages in the log at which SQLite does it by itself after all: no checkpoint came so far. */
const LAST_RESORT_PAGES = 50_000;

export class Checkpoints {
  readonly #path: string;
  readonly #checkpoint;
  #thread: Worker | undefined;
  #writes = 0;
  #copying = false;

  constructor(database: DatabaseSync, path: string) {
    this.#path = path;
    database.exec(`PRAGMA wal_autocheckpoint = ${LAST_RESORT_PAGES}`);
    this.#checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** Told how many writes were committed. */
  committed(writes: number): void {
    this.#writes += writes;
    if (this.#writes < EVERY || this.#copying) return;
    this.#writes = 0;
    this.#copying = true;
    this.#thread ??= this.#start();
    this.#thread.postMessage('copy');
  }

  /** Ends the thread; closing the database does the last checkpoint. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData: this.#path });
    thread.unref();
    thread.on('message', () => {
      this.#copying = false;
      this.#finish();
    });
    // The next one is tried with a new thread.
    thread.on('error', () => {
      this.#copying = false;
      this.#thread = undefined;
    });
    return thread;
  }

  #finish(): void {
    try {
      this.#checkpoint.get();
    } catch {
      // As where SQLite does it by itself: nothing is lost, the log grows, and the next one tries again.
    }
  }
}
