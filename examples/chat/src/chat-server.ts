/**
 * Calls to the chat's own server, which knows e-mail addresses and passwords and nothing else.
 * @module
 */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface SignedIn {
  readonly email: string;
  /** Origin of the broker. */
  readonly broker: string;
  readonly link?: string;
}

export const signUp = (credentials: Credentials): Promise<SignedIn> => call('/sign-up', credentials);
export const signIn = (credentials: Credentials): Promise<SignedIn> => call('/sign-in', credentials);
export const keepLink = (link: string): Promise<unknown> => call('/link', { link });

async function call<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = (await answer.json()) as T & { message?: string };
  if (!answer.ok) throw new Error(said.message ?? 'the chat’s server failed');
  return said;
}
