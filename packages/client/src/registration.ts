/**
 * An account that was begun: what is kept until the broker has said that it made it.
 * @module
 */
import type { DeviceKeys } from './key-store.ts';
import type { StateStore } from './state-store.ts';

/** A registration whose answer has not come. */
export interface Begun {
  readonly identity: string;
  /** First entry of the log. */
  readonly jws: string;
}

export const KIND = 'registration';

/** Under which key it is kept. */
export function placeOf({ name, broker }: { readonly name: string; readonly broker: string }): string {
  return `${broker} ${name}`;
}

/** The name of an account that was begun with these keys, where the broker did not say that it made it. */
export async function begunRegistration(
  state: StateStore,
  keys: Pick<DeviceKeys, 'name' | 'identity' | 'broker'>,
): Promise<string | undefined> {
  const begun = await state.get<Begun>(KIND, placeOf(keys));
  return begun?.identity === keys.identity ? keys.name : undefined;
}
