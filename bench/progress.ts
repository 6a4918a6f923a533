/**
 * What a long run tells whoever waits for it, on stderr: what it does, and how long that may take still.
 * @module
 */

export class Progress {
  readonly #started = performance.now();
  readonly #steps: number;
  #done = 0;

  /** @param steps how many `step` calls there will be, each of about the same length */
  constructor(steps: number) {
    this.#steps = steps;
  }

  step(text: string): void {
    this.#done++;
    const elapsed = (performance.now() - this.#started) / 1000;
    const left = Math.ceil((elapsed / this.#done) * (this.#steps - this.#done));
    say(`[${this.#done}/${this.#steps}, about ${left} s left] ${text}`);
  }
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
