/**
 * Ways of proving more at registration than the chain's key and the Countersign account: each is a plug-in. E-mail
 * and SMS send a code to where the person is reached, and take it back; a key fob of theirs is an OATH token
 * (`oath-token.ts`) or a WebAuthn security key (`security-key.ts`).
 * @module
 */
import { CountersignError, constantTimeEqual, generatePasscode } from '@countersign/core';
import { createTransport } from 'nodemailer';
import type { ProviderContext } from './context.ts';

/** What a way remembers of one registration; JSON. */
export interface WayMemory {
  /** What the registration named: an address, the number of a token; empty where there is nothing to name. */
  readonly address: string;
  readonly tries: number;
  readonly proven: boolean;
  /** What the way itself keeps. */
  readonly kept: Readonly<Record<string, unknown>>;
}

/** A registration whose key was proven, as far as ways need to know it. */
export interface Proving {
  readonly id: string;
  /** Account of the chain, by name and by id. */
  readonly account: string;
  readonly account_id: string;
  /** 1 where the key that signed is the account’s owner. */
  readonly by_owner: number;
}

export type Judged =
  /** `kept` is what is remembered from now on, where it is something else. */
  | { readonly right: true; readonly kept?: WayMemory['kept'] }
  | { readonly right: false; readonly why: CountersignError };

/** What a wallet shows while something is to be proven. */
export interface ShownWay {
  /** A page of the provider's, to be opened in a browser. */
  readonly page?: string;
  /** `otpauth://…`, by which a new token is set up. */
  readonly token?: string;
}

export interface Way {
  /** `email`; what a registration names its address by. */
  readonly name: string;
  /** How it is proven: by a code that the wallet sends back, or on a page of the provider's. */
  readonly by: 'code' | 'page';
  /** @throws `input-invalid` where an address is none, or is missing */
  checkAddress(address: string | undefined): void;
  /** Begins, once the account’s key was proven; @returns what is to be kept. */
  begin(context: ProviderContext, registration: Proving, address: string): Promise<WayMemory['kept']>;
  /** Judges what was given; a try was taken before. */
  judge(context: ProviderContext, registration: Proving, memory: WayMemory, given: unknown): Promise<Judged>;
  shown?(context: ProviderContext, registration: Proving, memory: WayMemory): Promise<ShownWay>;
  /**
   * Keeps for good what was proven, as the registration succeeds; in one database transaction with it.
   * @returns false where it is somebody else’s meanwhile, or another one is known meanwhile
   */
  keep?(context: ProviderContext, registration: Proving, memory: WayMemory): boolean;
  /** Tells the person something there. */
  send?(address: string, subject: string, text: string): Promise<void>;
}

export const TRIES = 5;

/** As what the address of a way is kept of somebody who has registered. */
export const KEPT_AS = { email: 'address', phone: 'phone' } as const;

interface Reach {
  readonly name: keyof typeof KEPT_AS;
  checkAddress(address: string): void;
  send(address: string, subject: string, text: string): Promise<void>;
}

/** A way that sends a code, and takes it back. */
function sentCode({ name, checkAddress, send }: Reach): Way {
  const isOther = ({ store }: ProviderContext, { account_id }: Proving, address: string) => {
    const known = store.one('users', { account_id })?.[KEPT_AS[name]];
    return known != null && known !== address;
  };
  return {
    name,
    by: 'code',
    checkAddress(address) {
      if (address !== undefined) return checkAddress(address);
      throw new CountersignError('input-invalid', `this provider asks for your ${name} too`);
    },
    async begin(context, registration, address) {
      // Else a thief of the active key could have it said to themselves what the person must hear of.
      if (isOther(context, registration, address)) checkNew(registration, name);
      const { crypto, account } = context;
      const code = generatePasscode(crypto);
      await send(
        address,
        `Your code for ${account.name}`,
        `${code} is your code for ${account.name}. It is asked for once, by the wallet with which you register, within ten minutes. If you are not registering, do nothing.`,
      );
      return { code };
    },
    async judge(_context, _registration, { kept }, given) {
      const encoder = new TextEncoder();
      const right =
        typeof kept.code === 'string' &&
        constantTimeEqual(encoder.encode(kept.code), encoder.encode(String(given)));
      if (right) return { right };
      const why = new CountersignError('passcode-wrong', `the code from your ${name} is another`);
      return { right: false, why };
    },
    keep: (context, registration, { address }) =>
      registration.by_owner === 1 || !isOther(context, registration, address),
    send,
  };
}

/** @param server `smtp://user:password@mail.example`, or `smtps:` */
export function emailWay(server: string, from: string): Way {
  const transport = createTransport(server, { from });
  return sentCode({
    name: 'email',
    checkAddress(address) {
      if (/^[^\s@<>",;:]{1,64}@[^\s@<>",;:]{1,190}$/.test(address)) return;
      throw new CountersignError('input-invalid', 'not an e-mail address');
    },
    async send(to, subject, text) {
      await transport.sendMail({ to, subject, text });
    },
  });
}

/** @param url of a gateway that takes a POST of `{"to", "text"}` in JSON, and answers 2xx once it has it */
export function smsWay(url: string): Way {
  return sentCode({
    name: 'phone',
    checkAddress(address) {
      if (/^\+\d{6,15}$/.test(address)) return;
      throw new CountersignError('input-invalid', 'a phone number is written like +493012345678');
    },
    async send(to, _subject, text) {
      const body = JSON.stringify({ to, text });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(15_000) });
      if (!answer.ok) throw new Error(`the SMS gateway answers ${answer.status}`);
    },
  });
}

/** What is known is asked for again, a fob or an address; only the account's owner may put another in its place. */
export function checkNew({ by_owner, account }: Proving, what: string): void {
  if (by_owner === 1) return;
  throw new CountersignError('authority-missing', `${account} is registered with another ${what}`, {
    hint: 'sign with the key that owns the account, to register a new one',
  });
}
