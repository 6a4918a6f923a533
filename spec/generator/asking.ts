import { type Asked, createRequest, encodeBase64url } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { TestAccount } from './accounts.ts';
import { BROKER, NOW, seeded } from './world.ts';

export const SALT = encodeBase64url(new Uint8Array(16).fill(9));

export const HASH = encodeBase64url(new Uint8Array(32).fill(9));

export const PURPOSE = {
  request: 'countersign request 1',
  response: 'countersign response 1',
  epoch: 'countersign epoch 1',
};

export const PLAIN: Asked = {
  kind: 'login',
  parts: [{ type: 'h1', text: 'Log in to shop.example?' }],
};

/** A commitment that takes no time to make: what is tried here is not its strength. */
export const QUICK = { alg: 'argon2id' as const, m: 8, t: 1, p: 1 };

export async function commitQuickly(passcode: string) {
  const salt = new Uint8Array(16).fill(5);
  const hash = await webCrypto.argon2id(new TextEncoder().encode(passcode), {
    memory: 8,
    passes: 1,
    lanes: 1,
    salt,
    length: 32,
  });
  return { ...QUICK, salt: encodeBase64url(salt), hash: encodeBase64url(hash) };
}

/** A request of one account to another. */
export function ask(
  label: string,
  enquirer: TestAccount,
  account: TestAccount,
  asked: Partial<Asked> = {},
  by = enquirer.devices[0]!,
) {
  const asking = {
    signer: by.signer,
    enquirer: enquirer.log,
    account: account.log,
    broker: BROKER,
    now: NOW,
  };
  return createRequest(seeded(`request ${label}`), asking, { ...PLAIN, ...asked });
}
