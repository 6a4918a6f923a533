import {
  type ErrorCode,
  encodeBase64url,
  normalizeValue,
  type SessionMessage,
  type SessionTerms,
  sessionChannel,
} from '@countersign/core';
import { answerDigest, createDigest } from '@countersign/core/session-digest';
import { webCrypto } from '@countersign/core/webcrypto';
import { drawing, playSession, type SessionInput } from './session-play.ts';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { BROKER, seeded } from './world.ts';

const TERMS: SessionTerms = {
  session: encodeBase64url(seeded('session').randomBytes(16)),
  mode: 'cpace',
  broker: BROKER,
  organisation: 'help@bank.example',
  organisation_id: encodeBase64url(seeded('organisation').randomBytes(32)),
  salt: encodeBase64url(seeded('session salt').randomBytes(16)),
  fields: [{ name: 'Customer number', type: 'number' }],
};
const FULL: SessionTerms = {
  ...TERMS,
  subject: 'Your call of this morning',
  fields: [
    { name: 'Name', type: 'text', description: 'as on your card' },
    { name: 'Mobile', type: 'number' },
    { name: 'Date of birth', type: 'date' },
  ],
};
const OTHER_16 = encodeBase64url(new Uint8Array(16).fill(7));
const OTHER_32 = encodeBase64url(new Uint8Array(32).fill(7));
const OTHER_64 = encodeBase64url(new Uint8Array(64).fill(7));
const NEUTRAL = encodeBase64url(new Uint8Array(32));
/** Twice ristretto255's generator (RFC 9496 appendix A.1). */
const ELEMENT = encodeBase64url(
  Uint8Array.fromHex('6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919'),
);

export function sessionValues(): VectorFile {
  const good = (name: string, comment: string, type: 'text' | 'number' | 'date', typed: string) =>
    valid(name, comment, { type, typed }, { value: normalizeValue(type, typed) });
  const bad = (name: string, comment: string, type: string, typed: string) =>
    invalid(name, comment, 'value-invalid', { type, typed });
  return {
    description: 'Values as they are typed into a field of a type, and the form in which they are compared.',
    spec: 'sessions.md#values',
    vectors: [
      good('text', 'small letters, one space for a run', 'text', '  Ada   LOVELACE '),
      good('text-composed', 'normal form C', 'text', 'Zoe\u0308'),
      good('text-invisible', 'what nobody sees is dropped', 'text', 'a\u200bb\u202e\u00adc\ufeff'),
      good('text-white-space', 'of any kind', 'text', 'a\tb\u00a0c\u3000d\ne'),
      good('text-sharp-s', 'is not two letters', 'text', 'Straße STRASSE'),
      good('text-dotted-i', 'in no language’s own way', 'text', 'İI'),
      good('text-longest', '256 bytes', 'text', 'é'.repeat(128)),
      good('number', 'separators are dropped', 'number', '+49 (0)170 / 123-45.67'),
      good('number-zeros', 'leading zeros count', 'number', '007'),
      good('number-wide', 'compatibility forms', 'number', '１２３'),
      good('number-dashes', 'of any kind', 'number', '1\u20132\u20143'),
      good('number-pasted', 'with the marks that telephones paste', 'number', '\u202a0170 123\u202c'),
      good('date', 'a day', 'date', ' 2000-02-29 '),
      bad('empty', 'nothing', 'text', ''),
      bad('only-invisible', 'nothing that is seen', 'text', ' \u200b '),
      bad('too-long', '257 bytes', 'text', 'x'.repeat(257)),
      bad('number-letter', 'a letter', 'number', '12a'),
      bad('number-inner-plus', 'a plus after a digit', 'number', '1+2'),
      bad('number-minus', 'a minus sign is no dash', 'number', '\u22125'),
      bad('number-other-digits', 'other scripts’ digits', 'number', '٠١٢'),
      bad('number-too-long', '65 digits', 'number', '1'.repeat(65)),
      bad('date-none', 'no leap year', 'date', '1900-02-29'),
      bad('date-month', 'no such month', 'date', '2000-13-01'),
      bad('date-order', 'another way of writing', 'date', '29.02.2000'),
      bad('date-year-zero', 'years begin with 0001', 'date', '0000-01-01'),
    ],
  };
}

export async function sessionExchange(): Promise<VectorFile> {
  const good = async (name: string, comment: string, input: SessionInput) =>
    valid(name, comment, input, await playSession(input));
  const plain = inputOf('plain', TERMS, ['4711 0815'], ['47-110-815']);
  const sent = new Map<string, SessionMessage>();
  for (const message of (await playSession(plain)).messages) sent.set(message.kind, message);
  const bad = (name: string, comment: string, code: ErrorCode, change: Partial<SessionInput>): Vector =>
    invalid(name, comment, code, { ...plain, ...change });
  const altered = (
    kind: SessionMessage['kind'],
    member: string,
    value: unknown,
    code: ErrorCode,
    why: string,
  ) =>
    bad(`${kind}-${member}-${why.replaceAll(/[^a-z]+/g, '-')}`, `${kind}.${member}: ${why}`, code, {
      delivered: { [kind]: { ...sent.get(kind), [member]: value } },
    });
  const foreign = (member: keyof SessionTerms, value: unknown) =>
    bad(
      `terms-${member.replace('_', '-')}`,
      `the agent's page was told another ${member}`,
      'session-mismatch',
      {
        agent_terms: { ...TERMS, [member]: value } as SessionTerms,
      },
    );
  return {
    description:
      'The exchange of mode cpace with the bytes that each side draws, in hexadecimal. `delivered` holds messages ' +
      'that the server puts in the place of those that were sent, `agent_terms` other terms that it gave the ' +
      'agent’s page. An invalid one is refused, with its code, by the first side that can.',
    spec: 'sessions.md#the-exchange',
    vectors: [
      await good('plain', 'one number, typed in two ways', plain),
      await good(
        'three-fields',
        'a field of each type, a subject, a description',
        inputOf(
          'three',
          FULL,
          ['Ada Lovelace', '+44 20 7946 0000', '1815-12-10'],
          [' ada  lovelace', '+442079460000', '1815-12-10'],
        ),
      ),
      await good('last-try', 'the fifth try', { ...inputOf('fifth', TERMS, ['1'], ['1']), try: 5 }),
      bad('other-value', 'the values differ', 'session-mismatch', { customer_typed: ['47110816'] }),
      altered('open', 'session', OTHER_16, 'session-invalid', 'of another session'),
      altered('open', 'try', 6, 'session-invalid', 'a sixth try'),
      altered('open', 'try', 2, 'session-invalid', 'of another try'),
      altered('open', 'kind', 'seen', 'session-invalid', 'another kind'),
      altered('open', 'more', 1, 'session-invalid', 'a member more'),
      altered('share', 'session', OTHER_16, 'session-invalid', 'of another session'),
      altered('share', 'share', ELEMENT, 'session-mismatch', 'another element'),
      altered('share', 'share', OTHER_32, 'session-invalid', 'no element'),
      altered('share', 'share', NEUTRAL, 'session-invalid', 'the neutral element'),
      altered('answer', 'try', 2, 'session-invalid', 'of another try'),
      altered('answer', 'share', ELEMENT, 'session-mismatch', 'another element'),
      altered('answer', 'share', NEUTRAL, 'session-invalid', 'the neutral element'),
      altered('answer', 'commitment', OTHER_32, 'session-mismatch', 'another commitment'),
      altered('answer', 'tag', OTHER_64, 'session-mismatch', 'another tag'),
      altered('answer', 'tag', OTHER_32, 'session-invalid', 'a short tag'),
      altered('confirm', 'nonce', OTHER_32, 'session-mismatch', 'another nonce'),
      altered('confirm', 'tag', OTHER_64, 'session-mismatch', 'another tag'),
      bad('mismatch', 'the agent’s page says that the values differ', 'session-mismatch', {
        delivered: { confirm: { kind: 'mismatch', session: TERMS.session, try: 1 } },
      }),
      altered('seen', 'nonce', OTHER_32, 'session-mismatch', 'another nonce'),
      altered('seen', 'try', 2, 'session-invalid', 'of another try'),
      foreign('broker', 'https://other.example'),
      foreign('organisation', 'help@bunk.example'),
      foreign('organisation_id', OTHER_32),
      foreign('salt', OTHER_16),
      foreign('subject', 'Your loan'),
      foreign('fields', [{ name: 'PIN', type: 'number' }]),
    ],
  };
}

export async function sessionDigest(): Promise<VectorFile> {
  const terms: SessionTerms = { ...TERMS, mode: 'digest' };
  const nonce = seeded('digest nonce').randomBytes(32).toHex();
  const source = { ...webCrypto, ...drawing(nonce) };
  const { posted, passcode } = await createDigest(source, terms, ['4711 0815']);
  const wrong = await answerDigest(webCrypto, terms, posted.commitment, ['47110816']);
  const input = { terms, commitment: posted.commitment, typed: ['47-110-815'], nonce: posted.nonce };
  const found = (digest: string, code: string) => ({
    ci: sessionChannel(terms).toHex(),
    digest,
    passcode: code,
  });
  return {
    description:
      'Mode digest: what the customer’s page computes of the typed values, and the passcode that comes of the ' +
      'nonce which the server gives on a match.',
    spec: 'sessions.md#mode-digest',
    vectors: [
      valid('right', 'the values with which it was made', input, found(posted.digest, passcode)),
      valid(
        'other-value',
        'another digest; the nonce, which no server should give for it, makes another passcode',
        { ...input, typed: ['47110816'] },
        found(wrong.digest, wrong.open(posted.nonce)),
      ),
      invalid('other-nonce', 'a nonce that was not committed to', 'session-mismatch', {
        ...input,
        nonce: OTHER_32,
      }),
      invalid('no-value', 'nothing was typed', 'value-invalid', { ...input, typed: [' '] }),
    ],
  };
}

function inputOf(
  label: string,
  terms: SessionTerms,
  agent_typed: string[],
  customer_typed: string[],
): SessionInput {
  const draw = (what: string) => seeded(`session ${label}, ${what}`).randomBytes(32).toHex();
  return {
    terms,
    try: 1,
    agent_typed,
    customer_typed,
    agent_scalar: draw('agent scalar'),
    customer_scalar: draw('customer scalar'),
    agent_nonce: draw('agent nonce'),
    customer_nonce: draw('customer nonce'),
  };
}
