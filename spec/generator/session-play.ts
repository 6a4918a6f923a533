/**
 * The exchange of a mutual session with drawn bytes that are given, step by step, and what comes of it.
 * @module
 */
import {
  decodeBase64url,
  hardenValues,
  lvCat,
  normalizeValue,
  type SessionMessage,
  type SessionTerms,
  sessionChannel,
} from '@countersign/core';
import { calculateGenerator, startCpace } from '@countersign/core/cpace';
import { agentSide, customerTry } from '@countersign/core/session-exchange';
import { webCrypto } from '@countersign/core/webcrypto';

export interface SessionInput {
  readonly terms: SessionTerms;
  /** What the agent's page was told, where a server told it something else. */
  readonly agent_terms?: SessionTerms;
  readonly try: number;
  readonly agent_typed: readonly string[];
  readonly customer_typed: readonly string[];
  /** In hexadecimal, as drawn. */
  readonly agent_scalar: string;
  readonly customer_scalar: string;
  readonly agent_nonce: string;
  readonly customer_nonce: string;
  /** Messages that a server delivers in the place of those that were sent. */
  readonly delivered?: Readonly<Partial<Record<SessionMessage['kind'], unknown>>>;
}

/** Every step of an exchange that matches. */
export async function playSession(input: SessionInput) {
  const { terms, delivered = {} } = input;
  const agentTerms = input.agent_terms ?? terms;
  const agentValues = await hardenValues(webCrypto, agentTerms, input.agent_typed);
  const customerValues = await hardenValues(webCrypto, terms, input.customer_typed);
  const wire = (message: SessionMessage) => (message.kind in delivered ? delivered[message.kind] : message);
  const opened = customerTry(
    drawing(input.customer_nonce, input.customer_scalar),
    terms,
    customerValues,
    input.try,
  );
  const agent = agentSide(drawing(input.agent_scalar, input.agent_nonce), agentTerms, agentValues);
  const shared = agent.begin(wire(opened.message));
  const answered = opened.receive(wire(shared.message));
  const confirmed = shared.receive(wire(answered.message));
  const matched = answered.receive(wire(confirmed.message));
  const seen = matched.seen();
  const passcode = confirmed.receive(wire(seen)).reveal();
  if (passcode !== matched.passcode) throw new Error('two passcodes of one session');

  const session = lvCat(decodeBase64url(terms.session), Uint8Array.of(input.try));
  const inputs = { password: agentValues, channel: sessionChannel(terms), session };
  const data = lvCat('agent', Uint8Array.of(input.try));
  const run = startCpace(drawing(input.agent_scalar), 'initiator', inputs, data);
  const customer = {
    share: decodeBase64url(answered.message.share),
    data: lvCat('customer', Uint8Array.of(input.try), decodeBase64url(answered.message.commitment)),
  };
  return {
    values: terms.fields.map(({ type }, index) => normalizeValue(type, input.agent_typed[index]!)),
    prs: agentValues.toHex(),
    ci: inputs.channel.toHex(),
    sid: session.toHex(),
    g: calculateGenerator(inputs).toHex(),
    agent_data: data.toHex(),
    customer_data: customer.data.toHex(),
    isk: run.finish(customer).isk.toHex(),
    passcode_key: decodeBase64url(confirmed.kept.key).toHex(),
    messages: [opened.message, shared.message, answered.message, confirmed.message, seen],
    passcode,
  };
}

/** A source of randomness that gives these bytes, one text after the other. */
export function drawing(...texts: readonly string[]) {
  const left = [...texts];
  return {
    randomBytes(length: number): Uint8Array<ArrayBuffer> {
      const bytes = Uint8Array.fromHex(left.shift()!);
      if (bytes.length !== length) throw new RangeError(`${length} bytes were wanted`);
      return bytes as Uint8Array<ArrayBuffer>;
    },
  };
}
