/**
 * What the agent's page keeps of a session over a reload: in the tab, sealed with a key that can't leave the browser,
 * until the session is over. Another tab has no part in it, and a closed one leaves nothing that could be opened.
 * @module
 */
import type { KeptMatch } from '@countersign/core/session-exchange';
import { openDB } from 'idb';
import type { SessionWish } from './agent-session.ts';

export interface KeptSession {
  readonly wish: SessionWish;
  readonly token: string;
  /** Origin of the broker, as both pages bind it. */
  readonly broker: string;
  /** The session as it was signed. */
  readonly statement: string;
  readonly expiresAt: number;
  /** The values after Argon2id, in base64url. */
  readonly hardened: string;
  /** Place in the customer's messages. */
  readonly after: number;
  readonly tried: number;
  readonly match?: KeptMatch;
}

export interface SessionKeeper {
  keep(session: KeptSession): Promise<void>;
  /** What was kept, if it is of use by now, in seconds since 1970. */
  load(now: number): Promise<KeptSession | undefined>;
  forget(): Promise<void>;
}

const PLACE = 'session';
const SEAL = 'AES-GCM';
const IV_BYTES = 12;
/** What the page that was here before a reload may take to be gone. */
const UNLOAD_MS = 2000;

interface Sealed {
  readonly id: string;
  readonly iv: string;
  readonly box: string;
}

/** Keeps the one session of this tab. */
export const tabKeeper: SessionKeeper = {
  async keep(session) {
    const keys = await database();
    const id = readSealed()?.id ?? crypto.randomUUID();
    let key = (await keys.get('keys', id))?.key;
    if (key === undefined) {
      key = await crypto.subtle.generateKey({ name: SEAL, length: 256 }, false, ['encrypt', 'decrypt']);
      await keys.put('keys', { key, expiresAt: session.expiresAt }, id);
      await holdAlone(id);
    }
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const text = new TextEncoder().encode(JSON.stringify(session));
    const box = new Uint8Array(await crypto.subtle.encrypt({ name: SEAL, iv }, key, text));
    const sealed: Sealed = { id, iv: iv.toBase64(), box: box.toBase64() };
    sessionStorage.setItem(PLACE, JSON.stringify(sealed));
  },

  async load(now) {
    await sweep(now);
    const sealed = readSealed();
    const key = sealed && (await (await database()).get('keys', sealed.id))?.key;
    // A tab that was doubled has the same box: two pages that answer for one session would be two guesses a try.
    if (sealed === undefined || key === undefined || !(await holdAlone(sealed.id))) {
      sessionStorage.removeItem(PLACE);
      return undefined;
    }
    const iv = Uint8Array.fromBase64(sealed.iv);
    const text = await crypto.subtle.decrypt({ name: SEAL, iv }, key, Uint8Array.fromBase64(sealed.box));
    return JSON.parse(new TextDecoder().decode(text)) as KeptSession;
  },

  async forget() {
    const id = readSealed()?.id;
    sessionStorage.removeItem(PLACE);
    if (id !== undefined) await (await database()).delete('keys', id);
  },
};

/** Whether this page is the only one of a session, from now until it is gone. */
async function holdAlone(id: string): Promise<boolean> {
  const held = Promise.withResolvers<boolean>();
  const until = { signal: AbortSignal.timeout(UNLOAD_MS) };
  navigator.locks
    .request(`session ${id}`, until, () => {
      held.resolve(true);
      return new Promise<never>(() => {});
    })
    .catch(() => held.resolve(false));
  return held.promise;
}

function readSealed(): Sealed | undefined {
  const text = sessionStorage.getItem(PLACE);
  return text === null ? undefined : (JSON.parse(text) as Sealed);
}

/** Keys of sessions that are over go, those of tabs that were closed too. */
async function sweep(now: number): Promise<void> {
  const keys = await database();
  for (const id of await keys.getAllKeys('keys')) {
    const kept = await keys.get('keys', id);
    if (kept !== undefined && kept.expiresAt <= now) await keys.delete('keys', id);
  }
}

interface Schema {
  keys: { key: string; value: { key: CryptoKey; expiresAt: number } };
}

function database() {
  return openDB<Schema>('countersign-console', 1, {
    upgrade: (fresh) => void fresh.createObjectStore('keys'),
  });
}
