/**
 * The e-mail addresses at which an account is told that its devices change. The broker tells them, and could leave it:
 * they are a second pair of eyes, and no factor.
 * @module
 */
import type { Session } from './session.ts';

export interface NoticeAddress {
  readonly address: string;
  /** Since when it is told; seconds since 1970. */
  readonly since: number;
}

export class Addresses {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Oldest first. */
  list(): Promise<NoticeAddress[]> {
    const { api, keys } = this.#session;
    return api.listAddresses(keys.signer, keys.name);
  }

  /**
   * Has a code sent there, which `confirm` takes within ten minutes.
   * @throws `address-refused`, `too-often`, `device-not-entitled` without the right `admit`
   */
  add(address: string): Promise<void> {
    return this.#change('', { address });
  }

  /** @throws `code-wrong`, `address-refused` */
  confirm(address: string, code: string): Promise<void> {
    return this.#change('/confirm', { address, code });
  }

  /** Tells it no more; it is told so, and so are the others. @throws `address-refused` */
  remove(address: string): Promise<void> {
    return this.#change('/remove', { address });
  }

  #change(step: '' | '/confirm' | '/remove', body: { address: string; code?: string }): Promise<void> {
    const { api, keys } = this.#session;
    return api.changeAddresses(keys.signer, keys.name, step, body);
  }
}
