/**
 * A session to play with: its terms, and Argon2id that takes no time where its strength is not what is tried.
 * @module
 */

import type { CryptoProvider } from '../src/crypto-provider.ts';
import {
  type AgentConfirmed,
  type AgentShared,
  agentSide,
  type CustomerAnswered,
  type CustomerOpened,
  customerTry,
} from '../src/session-exchange.ts';
import type { MessageOf, SessionMessage } from '../src/session-messages.ts';
import type { SessionTerms } from '../src/session-terms.ts';
import { type HardenedValues, hardenValues } from '../src/session-values.ts';
import { webCrypto } from '../src/webcrypto.ts';

export const TERMS: SessionTerms = {
  session: 'AAECAwQFBgcICQoLDA0ODw',
  mode: 'cpace',
  broker: 'https://broker.example',
  organisation: 'help@bank.example',
  organisation_id: 'A'.repeat(43),
  salt: 'EBESExQVFhcYGRobHB0eHw',
  subject: 'Your call with us',
  fields: [{ name: 'Customer number', type: 'number' }],
};

/** Terms with one text field, whose values may be anything. */
export const TEXT_TERMS: SessionTerms = { ...TERMS, fields: [{ name: 'Name', type: 'text' }] };

export const quick: CryptoProvider = {
  ...webCrypto,
  argon2id: (secret, parameters) => webCrypto.argon2id(secret, { ...parameters, memory: 8, passes: 1 }),
};

export function harden(terms: SessionTerms, ...typed: string[]): Promise<HardenedValues> {
  return hardenValues(quick, terms, typed);
}

/** Changes a message on its way. */
export type Wire = <M extends SessionMessage>(message: M) => unknown;
const untouched: Wire = (message) => message;

export interface Played {
  readonly agent: string;
  readonly customer: string;
  readonly messages: readonly SessionMessage[];
}

/** A whole exchange; it throws what the first side to find fault throws. */
export function play(
  agentTerms: SessionTerms,
  agentValues: HardenedValues,
  customerTerms: SessionTerms,
  customerValues: HardenedValues,
  wire: Wire = untouched,
): Played {
  const opened = customerTry(webCrypto, customerTerms, customerValues, 1);
  const shared = agentSide(webCrypto, agentTerms, agentValues).begin(wire(opened.message));
  const answered = opened.receive(wire(shared.message));
  const confirmed = shared.receive(wire(answered.message));
  const matched = answered.receive(wire(confirmed.message));
  const seen = matched.seen();
  return {
    agent: confirmed.receive(wire(seen)).reveal(),
    customer: matched.passcode,
    messages: [opened.message, shared.message, answered.message, confirmed.message, seen],
  };
}

/** An exchange up to the agent's confirmation. */
export async function upToConfirm(
  terms = TERMS,
  typed = '4711',
): Promise<{
  opened: CustomerOpened;
  shared: AgentShared;
  answered: CustomerAnswered;
  confirmed: AgentConfirmed;
  seen: () => MessageOf<'seen'>;
  passcode: string;
}> {
  const values = await harden(terms, typed);
  const opened = customerTry(webCrypto, terms, values, 1);
  const shared = agentSide(webCrypto, terms, values).begin(opened.message);
  const answered = opened.receive(shared.message);
  const confirmed = shared.receive(answered.message);
  const matched = answered.receive(confirmed.message);
  return { opened, shared, answered, confirmed, seen: matched.seen, passcode: matched.passcode };
}
