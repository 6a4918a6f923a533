/**
 * The PINs and links that the account gave and that still stand; and taking them back.
 * @module
 */
import {
  InvitationCancelStatement,
  type Right,
  signStatement,
  statementId,
  verifyInvitation,
} from '@countersign/core';
import type { Session } from './session.ts';

/** An invitation by which a device may still come. */
export interface StandingInvitation {
  /** Its fingerprint, for people. */
  readonly id: string;
  /** Hash of its ticket. */
  readonly ticket: string;
  readonly use: 'admit' | 'knock';
  /** What the device that it lets in may do. */
  readonly rights?: readonly Right[];
  /** The device that gave it. */
  readonly by: { readonly kid: string; readonly name: string };
  /** Seconds since 1970. */
  readonly givenAt: number;
  readonly expiresAt: number;
}

export class Invitations {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Those that still stand, by the broker's word, oldest first.
   * @throws what `verifyInvitation` throws where the broker shows one that no device of the account gave
   */
  async list(): Promise<StandingInvitation[]> {
    const { api, crypto, keys } = this.#session;
    const given = await api.listInvitations(keys.signer, keys.name);
    const log = await this.#session.ownLog(0);
    return Promise.all(
      given.map(async (jws) => {
        const { payload, kid, hash } = await verifyInvitation(crypto, jws, log, (seq) => log.hashes[seq]);
        const { ticket, use, rights, iat, exp } = payload;
        return {
          id: await statementId(crypto, hash),
          ticket,
          use,
          ...(rights === undefined ? {} : { rights }),
          by: { kid, name: log.devices.get(kid)!.name },
          givenAt: iat,
          expiresAt: exp,
        };
      }),
    );
  }

  /**
   * Takes one back: no device comes by it any more.
   * @throws `device-not-entitled`; `pin-used` where a device came by it already; `pin-expired`, `pin-wrong`
   */
  async cancel({ ticket }: Pick<StandingInvitation, 'ticket'>): Promise<void> {
    const { api, crypto, keys, clock } = this.#session;
    const payload = { sub_id: keys.identity, ticket, iat: clock.now() };
    const { jws } = await signStatement(crypto, InvitationCancelStatement, keys.signer, payload);
    await api.cancelInvitation(keys.name, ticket, jws);
  }
}
