/**
 * An OATH token as a way to register: HOTP (RFC 4226) or TOTP (RFC 6238), on a fob or in a telephone. Tokens are the
 * operator's, who gives them out and has added their secrets, or the person's own, set up while they register. Secrets
 * are sealed like the keys of the chain. A code counts once; wrong ones are counted for each token, over all
 * registrations.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { HOTP, Secret, TOTP, URI } from 'otpauth';
import type { ProviderContext } from './context.ts';
import type { TokenRow } from './store.ts';
import { checkNew, type Judged, type Way } from './ways.ts';

/** Whose tokens: those that the operator has given out, or what the person brings. */
export type TokenSource = 'issued' | 'own';

const SECRET_BYTES = 20;
/** How far a token's clock may be off, in steps of its period (RFC 6238, 5.2). */
const CLOCK_STEPS = 1;
/** How many codes may have been made unseen since the last one (RFC 4226, 7.4). */
const LOOK_AHEAD = 10;
/** Wrong codes in a row until a token rests (RFC 4226, 7.3), and for how long, in seconds. */
const WRONG_CODES = 10;
const REST = 86_400;
/** A token that was set up and not proven is forgotten after so many seconds. */
const SETUP_LIFE = 3600;

const NAME = 'token';
/** A header of this form is no account's: those have no spaces. */
const sealedFor = (serial: string) => `oath ${serial}`;

export function tokenWay(source: TokenSource): Way {
  return {
    name: NAME,
    by: 'code',
    checkAddress(address) {
      if (source === 'own') {
        if (address === undefined || address === 'new') return;
        throw new CountersignError(
          'input-invalid',
          'a token of your own has no number here: say `new`, or nothing',
        );
      }
      if (address !== undefined && isSerial(address)) return;
      throw new CountersignError(
        'input-invalid',
        'this provider asks for the number of the token that it gave you',
      );
    },
    async begin(context, registration, address) {
      const { store } = context;
      const { account, account_id } = registration;
      const mine = store.one('oath_tokens', { account_id });
      if (source === 'issued') {
        const token = store.one('oath_tokens', { serial: address });
        if (token === undefined || (token.account_id !== null && token.account_id !== account_id)) {
          throw new CountersignError('input-invalid', `there is no such token for ${account}`);
        }
        if (mine !== undefined && mine.serial !== token.serial) checkNew(registration, 'token');
        return { serial: token.serial };
      }
      if (mine !== undefined && address !== 'new') return { serial: mine.serial };
      if (mine !== undefined) checkNew(registration, 'token');
      return { serial: await setUp(context, registration.id, account), fresh: true };
    },
    async shown(context, _registration, { kept }) {
      if (kept.fresh !== true) return {};
      const token = context.store.one('oath_tokens', { serial: String(kept.serial) });
      return token === undefined ? {} : { token: await opened(context, token) };
    },
    async judge(context, _registration, { kept }, given) {
      const serial = String(kept.serial);
      const token = context.store.one('oath_tokens', { serial });
      if (token === undefined) return wrong();
      const otp = URI.parse(await opened(context, token));
      return judgeCode(context, serial, otp, String(given));
    },
    keep({ store }, { account_id, by_owner }, { kept }) {
      const serial = String(kept.serial);
      const token = store.one('oath_tokens', { serial });
      if (token === undefined || (token.account_id !== null && token.account_id !== account_id)) return false;
      const others = store.all('oath_tokens', { account_id }).filter((one) => one.serial !== serial);
      if (others.length > 0 && by_owner !== 1) return false;
      // It is lost, or somebody else’s by now: nobody is to register with it.
      for (const other of others) store.remove('oath_tokens', { serial: other.serial });
      store.change('oath_tokens', { serial }, { account_id, expires_at: null });
      return true;
    },
  };
}

/**
 * Adds a token that the operator gives out.
 * @param uri `otpauth://totp/<serial>?secret=…`, as in Google's key URI format
 * @returns its serial, the label of the URI
 * @throws `input-invalid`, `cosign-conflict` where its serial is there already
 */
export async function addToken({ store, vault }: ProviderContext, uri: string): Promise<string> {
  const otp = parsed(uri);
  const serial = otp.label;
  if (!isSerial(serial)) {
    throw new CountersignError(
      'input-invalid',
      'the label of the URI must be the token’s number, without spaces',
    );
  }
  const row: TokenRow = {
    serial,
    account_id: null,
    sealed: await vault.seal(sealedFor(serial), uri),
    next: otp instanceof HOTP ? otp.counter : 0,
    wrong: 0,
    rests_until: 0,
    expires_at: null,
  };
  if (store.add('oath_tokens', row)) return serial;
  throw new CountersignError('cosign-conflict', `token ${serial} is there already`);
}

function parsed(uri: string): HOTP | TOTP {
  try {
    return URI.parse(uri);
  } catch (cause) {
    throw new CountersignError('input-invalid', 'not an otpauth:// URI of a token', { cause });
  }
}

/** A new secret for a token of the person's own, in the form that every app and every programmable fob takes. */
async function setUp({ store, vault, crypto, clock, account }: ProviderContext, id: string, label: string) {
  const now = clock.now();
  for (const { serial, expires_at } of store.all('oath_tokens'))
    if (expires_at !== null && expires_at <= now) store.remove('oath_tokens', { serial });
  const serial = `own-${id}`;
  const secret = new Secret({ buffer: Uint8Array.from(crypto.randomBytes(SECRET_BYTES)).buffer });
  const uri = new TOTP({ issuer: account.name, label, secret }).toString();
  store.add('oath_tokens', {
    serial,
    account_id: null,
    sealed: await vault.seal(sealedFor(serial), uri),
    next: 0,
    wrong: 0,
    rests_until: 0,
    expires_at: now + SETUP_LIFE,
  });
  return serial;
}

function opened({ vault }: ProviderContext, { serial, sealed }: TokenRow): Promise<string> {
  return vault.unseal(sealedFor(serial), sealed);
}

/** Without a pause from reading to writing, so that two codes at once are judged one after the other. */
function judgeCode(
  { store, clock }: ProviderContext,
  serial: string,
  otp: HOTP | TOTP,
  code: string,
): Judged {
  const now = clock.now();
  const row = store.one('oath_tokens', { serial });
  if (row === undefined) return wrong();
  if (row.rests_until > now) {
    throw new CountersignError('passcode-locked', 'too many wrong codes of this token', {
      retryAfter: row.rests_until - now,
    });
  }
  const at = positionOf(otp, code, row.next, now);
  if (at !== undefined && at >= row.next) {
    store.change('oath_tokens', { serial }, { next: at + 1, wrong: 0 });
    return { right: true };
  }
  const rests = row.wrong + 1 >= WRONG_CODES;
  store.change(
    'oath_tokens',
    { serial },
    { wrong: rests ? 0 : row.wrong + 1, rests_until: rests ? now + REST : row.rests_until },
  );
  return wrong();
}

/** Which of a token's codes this is: by its counter, or the step of its clock. */
function positionOf(otp: HOTP | TOTP, token: string, next: number, now: number): number | undefined {
  const timed = otp instanceof TOTP;
  const expected = timed ? Math.floor(now / otp.period) : next;
  const delta = timed
    ? otp.validate({ token, timestamp: now * 1000, window: CLOCK_STEPS })
    : otp.validate({ token, counter: next, window: LOOK_AHEAD });
  return delta === null ? undefined : expected + delta;
}

function wrong(): Judged {
  const why = new CountersignError('passcode-wrong', 'the code is none of your token’s that counts now', {
    hint: 'a code counts once: wait for the next one',
  });
  return { right: false, why };
}

function isSerial(text: string): boolean {
  return /^[!-~]{1,64}$/.test(text);
}
