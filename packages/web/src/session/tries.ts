/**
 * The tries of a link, for as long as the tab is there: a server that opens it again and again, or has the page loaded
 * anew, gets no more of them. The link itself is not kept.
 * @module
 */
import { encodeBase64url } from '@countersign/core/base64url';
import { SESSION_TRIES } from '@countersign/core/session-terms';

export class Tries {
  readonly #place: string;
  /** Where the browser keeps nothing for us, this page counts alone. */
  #begun = 0;

  private constructor(place: string) {
    this.#place = place;
  }

  static async of(token: string): Promise<Tries> {
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
    return new Tries(`tries ${encodeBase64url(new Uint8Array(hash))}`);
  }

  get left(): boolean {
    return this.begun < SESSION_TRIES;
  }

  /** Number of the newest. */
  get begun(): number {
    try {
      this.#begun = Math.max(this.#begun, Number(sessionStorage.getItem(this.#place)));
    } catch {}
    return this.#begun;
  }

  begin(): void {
    this.#begun = this.begun + 1;
    try {
      sessionStorage.setItem(this.#place, String(this.#begun));
    } catch {}
  }
}
