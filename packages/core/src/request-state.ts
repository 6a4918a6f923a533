/**
 * What can become of a request. All states but the first are final, and only the first can be settled.
 * @module
 */

export interface Pending {
  readonly state: 'pending';
}

/** `at` is in seconds since 1970, by the broker's clock. */
export type Settled =
  | { readonly state: 'answered'; readonly at: number; readonly response: string }
  /** The account takes no questions from this enquirer; `statement` is its signed word. */
  | { readonly state: 'refused'; readonly at: number; readonly statement: string }
  /** The broker's word alone. */
  | { readonly state: 'expired'; readonly at: number }
  | { readonly state: 'cancelled-by-enquirer'; readonly at: number; readonly statement: string }
  /** The broker's word alone. */
  | { readonly state: 'cancelled-by-broker'; readonly at: number; readonly reason: string };

export type RequestState = Pending | Settled;
export type StateName = RequestState['state'];

export const STATES = [
  'pending',
  'answered',
  'refused',
  'expired',
  'cancelled-by-enquirer',
  'cancelled-by-broker',
] as const satisfies readonly StateName[];

/** The Mesh's names of the states. */
export const MESH_STATUS: Readonly<Record<StateName, string>> = {
  pending: 'PENDING',
  answered: 'REPLY',
  refused: 'REFUSED',
  expired: 'EXPIRED',
  'cancelled-by-enquirer': 'ECANCEL',
  'cancelled-by-broker': 'BCANCEL',
};

export function isPending(state: RequestState): state is Pending {
  return state.state === 'pending';
}
