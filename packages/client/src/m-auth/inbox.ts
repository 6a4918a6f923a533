/**
 * Bytes that came and were not read yet, as something to iterate over.
 * @module
 */

export class Inbox implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = [];
  #ended = false;
  #wake = Promise.withResolvers<void>();

  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#wake.resolve();
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }
}
