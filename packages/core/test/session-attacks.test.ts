/**
 * Who carries the messages of a mutual session, and what it can make of them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts';
import { calculateGenerator, type Element, sampleScalar, scalarMult, sharedKey } from '../src/cpace.ts';
import { constantTimeEqual } from '../src/crypto-provider.ts';
import { lvCat } from '../src/length-value.ts';
import { agentSide, customerTry } from '../src/session-exchange.ts';
import type { MessageOf, SessionMessage } from '../src/session-messages.ts';
import { commitNonce, derivePasscode } from '../src/session-passcode.ts';
import { type SessionTerms, sessionChannel } from '../src/session-terms.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { harden, play, TERMS, upToConfirm } from './session-fixtures.ts';

const { Point } = ristretto255;
const RIGHT = '4711';
const WRONG = '4712';

/** All that a server sees and may store of a session. */
interface Stored {
  readonly terms: SessionTerms;
  readonly messages: readonly SessionMessage[];
}

function messageOf<K extends SessionMessage['kind']>({ messages }: Stored, kind: K): MessageOf<K> {
  return messages.find((one) => one.kind === kind) as MessageOf<K>;
}

/** The data beside the shares, which anybody can write down from the messages. */
function publicParts(stored: Stored) {
  const answer = messageOf(stored, 'answer');
  const number = Uint8Array.of(answer.try);
  const session = lvCat(decodeBase64url(stored.terms.session), number);
  const agent = {
    share: decodeBase64url(messageOf(stored, 'share').share),
    data: lvCat('agent', number),
  };
  const customer = {
    share: decodeBase64url(answer.share),
    data: lvCat('customer', number, decodeBase64url(answer.commitment)),
  };
  return { session, agent, customer };
}

/** Whether a shared secret is the one of the stored run: its key makes the tags that were sent. */
function explains(stored: Stored, secret: Uint8Array): boolean {
  const { session, agent, customer } = publicParts(stored);
  const isk = sharedKey(session, secret, agent, customer);
  const macKey = sha512(concatBytes(new TextEncoder().encode('CPaceMac'), session, isk));
  const { tag: agentTag, nonce } = messageOf(stored, 'confirm');
  const customerTag = messageOf(stored, 'answer').tag;
  return (
    constantTimeEqual(
      hmac(sha512, macKey, lvCat(customer.share, customer.data)),
      decodeBase64url(customerTag),
    ) ||
    constantTimeEqual(
      hmac(sha512, macKey, lvCat(agent.share, agent.data, decodeBase64url(nonce))),
      decodeBase64url(agentTag),
    )
  );
}

async function generatorOf({ terms }: Stored, guess: string): Promise<Element> {
  const password = await harden(terms, guess);
  const session = lvCat(decodeBase64url(terms.session), Uint8Array.of(1));
  return calculateGenerator({ password, channel: sessionChannel(terms), session });
}

/** Every element that is at hand without a scalar, for a guess. */
async function* candidates(stored: Stored, guess: string): AsyncGenerator<Element> {
  const { agent, customer } = publicParts(stored);
  const generator = await generatorOf(stored, guess);
  const known = [generator, Point.fromBytes(agent.share), Point.fromBytes(customer.share), Point.BASE];
  const opened = decodeBase64url(messageOf(stored, 'seen').nonce);
  const words = [agent.share, customer.share, generator.toBytes(), opened, await harden(stored.terms, guess)];
  const { ORDER } = Point.Fn;
  const scalars = [1n, 2n, 3n, 4n, 8n, ORDER - 1n];
  for (const word of words)
    scalars.push(bytesToNumberLE(sha512(word)) % ORDER, bytesToNumberLE(word) % ORDER);
  for (const element of known) for (const scalar of scalars) yield element.multiply(scalar);
  for (const one of known) for (const other of known) yield one.add(other);
  for (const word of words) yield ristretto255_hasher.deriveToCurve!(sha512(word));
}

/** What an attacker finds of a guess: the number of its candidates that explain the run. */
async function tryOffline(stored: Stored, guess: string): Promise<number> {
  let found = 0;
  for await (const element of candidates(stored, guess)) if (explains(stored, element.toBytes())) found++;
  return found;
}

describe('a server that guesses the value of a finished session', () => {
  test('finds the right guess and a wrong one alike, from all that it stored', async () => {
    const values = await harden(TERMS, RIGHT);
    const stored = { terms: TERMS, messages: play(TERMS, values, TERMS, values).messages };
    assert.equal(await tryOffline(stored, RIGHT), 0);
    assert.equal(await tryOffline(stored, WRONG), 0);
  });

  test('would know the right one with a scalar, which is why none leaves its page', async () => {
    const values = await harden(TERMS, RIGHT);
    let scalar = new Uint8Array();
    const leaky = {
      randomBytes(length: number) {
        const drawn = webCrypto.randomBytes(length);
        scalar = drawn;
        return drawn;
      },
    };
    const opened = customerTry(webCrypto, TERMS, values, 1);
    const agent = agentSide(leaky, TERMS, values);
    const shared = agent.begin(opened.message);
    const drawn = scalar.slice();
    const answered = opened.receive(shared.message);
    const confirmed = shared.receive(answered.message);
    const seen = answered.receive(confirmed.message).seen();
    const messages = [opened.message, shared.message, answered.message, confirmed.message, seen];
    const stored = { terms: TERMS, messages };
    const { agent: sent, customer } = publicParts(stored);
    assert.ok(explains(stored, scalarMult(drawn, Point.fromBytes(customer.share))));
    // of the agent's scalar alone, a guess is tried by the share that it would have made
    for (const [guess, same] of [
      [RIGHT, true],
      [WRONG, false],
    ] as const) {
      const share = scalarMult(drawn, await generatorOf(stored, guess));
      assert.equal(constantTimeEqual(share, sent.share), same);
    }
  });

  test('has in the shares nothing of the value: those of any value are any elements', async () => {
    // one scalar, two values: the shares have nothing in common; two scalars, one value: neither
    const scalar = sampleScalar(webCrypto);
    const stored = { terms: TERMS, messages: [] };
    const [right, wrong] = await Promise.all([generatorOf(stored, RIGHT), generatorOf(stored, WRONG)]);
    assert.notDeepEqual(scalarMult(scalar, right), scalarMult(scalar, wrong));
    // the group has prime order, so that each share is some multiple of each generator
    const { ORDER } = Point.Fn;
    for (const generator of [right, wrong]) {
      assert.ok(!generator.is0());
      assert.ok(
        generator
          .multiply(ORDER - 1n)
          .add(generator)
          .is0(),
      );
    }
  });

  test('learns nothing more of a session that did not match', async () => {
    const [agentValues, customerValues] = await Promise.all([harden(TERMS, RIGHT), harden(TERMS, WRONG)]);
    const opened = customerTry(webCrypto, TERMS, customerValues, 1);
    const shared = agentSide(webCrypto, TERMS, agentValues).begin(opened.message);
    const answered = opened.receive(shared.message);
    assert.throws(() => shared.receive(answered.message), refused('session-mismatch'));
    // there is no confirm and no seen: what stands in for them explains nothing
    const nonce = encodeBase64url(webCrypto.randomBytes(32));
    const tag = encodeBase64url(webCrypto.randomBytes(64));
    const ids = { session: TERMS.session, try: 1 };
    const messages: SessionMessage[] = [
      opened.message,
      shared.message,
      answered.message,
      { kind: 'confirm', ...ids, nonce, tag },
      { kind: 'seen', ...ids, nonce },
    ];
    for (const guess of [RIGHT, WRONG, '4713']) {
      assert.equal(await tryOffline({ terms: TERMS, messages }, guess), 0);
    }
  });
});

describe('somebody in the place of one page', () => {
  test('as the customer has one guess a try, and five tries', async () => {
    const agent = agentSide(webCrypto, TERMS, await harden(TERMS, RIGHT));
    for (let number = 1; number <= 5; number++) {
      const guess = await harden(TERMS, `${number}`);
      const opened = customerTry(webCrypto, TERMS, guess, number);
      const shared = agent.begin(opened.message);
      assert.throws(
        () => shared.receive(opened.receive(shared.message).message),
        refused('session-mismatch'),
      );
      const second = customerTry(webCrypto, TERMS, await harden(TERMS, RIGHT), number);
      assert.throws(() => shared.receive(second.receive(shared.message).message), refused('session-invalid'));
    }
    for (const number of [5, 6]) {
      const open = { kind: 'open', session: TERMS.session, try: number };
      assert.throws(() => agent.begin(open), refused('session-invalid'));
    }
  });

  for (const [guess, hit] of [
    [RIGHT, true],
    [WRONG, false],
  ] as const) {
    test(`as the agent tests the one guess that its share was made of: a ${hit ? 'right' : 'wrong'} one`, async () => {
      const opened = customerTry(webCrypto, TERMS, await harden(TERMS, RIGHT), 1);
      const scalar = sampleScalar(webCrypto);
      const generator = await generatorOf({ terms: TERMS, messages: [] }, guess);
      const ids = { session: TERMS.session, try: 1 };
      const share = encodeBase64url(scalarMult(scalar, generator));
      const sent: SessionMessage = { kind: 'share', ...ids, share };
      const answer = opened.receive(sent).message;
      const nonce = encodeBase64url(webCrypto.randomBytes(32));
      const tag = encodeBase64url(webCrypto.randomBytes(64));
      const messages: SessionMessage[] = [
        opened.message,
        sent,
        answer,
        { kind: 'confirm', ...ids, nonce, tag },
        { kind: 'seen', ...ids, nonce },
      ];
      const stored = { terms: TERMS, messages };
      const { customer } = publicParts(stored);
      assert.equal(explains(stored, scalarMult(scalar, Point.fromBytes(customer.share))), hit);
      // any other guess, the right one too, is then as good as every other
      for (const later of ['4713', RIGHT]) assert.equal(await tryOffline(stored, later), 0);
    });
  }
});

describe('a server between the two pages', () => {
  test('that runs a session of its own with each is caught by both', async () => {
    const [values, guess] = await Promise.all([harden(TERMS, RIGHT), harden(TERMS, WRONG)]);
    const customer = customerTry(webCrypto, TERMS, values, 1);
    const fakeAgent = agentSide(webCrypto, TERMS, guess).begin(customer.message);
    const answered = customer.receive(fakeAgent.message);
    assert.throws(() => fakeAgent.receive(answered.message), refused('session-mismatch'));
    const fakeCustomer = customerTry(webCrypto, TERMS, guess, 1);
    const agent = agentSide(webCrypto, TERMS, values).begin(fakeCustomer.message);
    const fakeAnswer = fakeCustomer.receive(agent.message);
    assert.throws(() => agent.receive(fakeAnswer.message), refused('session-mismatch'));
    // nor can it make up the confirmation that the customer's page waits for
    const confirm = {
      kind: 'confirm',
      session: TERMS.session,
      try: 1,
      nonce: encodeBase64url(webCrypto.randomBytes(32)),
      tag: encodeBase64url(webCrypto.randomBytes(64)),
    };
    assert.throws(() => answered.receive(confirm), refused('session-mismatch'));
  });

  test('that knows the value still shows two different passcodes', async () => {
    let same = 0;
    for (let i = 0; i < 8; i++) {
      const [toCustomer, toAgent] = [await upToConfirm(TERMS, RIGHT), await upToConfirm(TERMS, RIGHT)];
      if (toAgent.confirmed.receive(toAgent.seen()).reveal() === toCustomer.passcode) same++;
    }
    assert.ok(same <= 1);
  });

  test('that knows the value and one passcode cannot steer the other to it', async () => {
    // the agent's nonce is drawn after the commitment came, so that no choice of share and nonce aims at a code
    const drawn: number[] = [];
    const counting = {
      randomBytes(length: number) {
        drawn.push(length);
        return webCrypto.randomBytes(length);
      },
    };
    const values = await harden(TERMS, RIGHT);
    const customer = customerTry(webCrypto, TERMS, values, 1);
    const shared = agentSide(counting, TERMS, values).begin(customer.message);
    const before = drawn.length;
    const answer = customer.receive(shared.message);
    assert.equal(drawn.length, before);
    const confirmed = shared.receive(answer.message);
    assert.deepEqual(drawn.slice(before), [32]);
    // and the nonce that was committed to before is the only one that the agent's page takes
    const other = encodeBase64url(webCrypto.randomBytes(32));
    const seen = answer.receive(confirmed.message).seen();
    assert.throws(() => confirmed.receive({ ...seen, nonce: other }), refused('session-mismatch'));
  });
});

describe('an agent’s page that skips its own user interface', () => {
  test('cannot compute the passcode before the customer’s page has shown it', async () => {
    const { shared, answered, confirmed, seen, passcode } = await upToConfirm(TERMS, RIGHT);
    const { key, commitment, confirm } = confirmed.kept;
    const agentNonce = decodeBase64url(confirm.nonce);
    const codeOf = (nonce: Uint8Array) => derivePasscode(decodeBase64url(key), agentNonce, nonce);
    const fits = (nonce: Uint8Array) => commitNonce(TERMS.session, nonce) === commitment;
    // all that the page has: as the nonce itself, hashed, or one bit away
    const has = [
      shared.message.share,
      answered.message.share,
      answered.message.tag,
      commitment,
      key,
      confirm.nonce,
    ];
    for (const text of has) {
      const bytes = decodeBase64url(text);
      for (const nonce of [
        bytes.subarray(0, 32),
        sha512(bytes).subarray(0, 32),
        sha512(bytes).subarray(32),
      ]) {
        assert.equal(fits(nonce), false);
      }
    }
    // a search: the nonce has 256 bits, and the key alone leaves every passcode open
    const nonce = decodeBase64url(seen().nonce);
    assert.equal(nonce.length, 32);
    const codes = new Set<string>();
    for (let i = 0; i < 4000; i++) {
      const tried = new Uint8Array(32);
      new DataView(tried.buffer).setUint32(28, i);
      assert.equal(fits(tried), false);
      codes.add(codeOf(tried));
    }
    assert.ok(codes.size > 3900, 'the passcodes of 4000 nonces are about as many');
    // the same key, with what the customer's page sends once its passcode is shown
    assert.ok(fits(nonce));
    assert.equal(codeOf(nonce), passcode);
  });

  test('has no way to it by what this library gives it', async () => {
    const { confirmed } = await upToConfirm(TERMS, RIGHT);
    assert.deepEqual(Object.keys(confirmed).sort(), ['kept', 'message', 'receive']);
    assert.deepEqual(Object.keys(confirmed.kept).sort(), ['commitment', 'confirm', 'key']);
    const ids = { kind: 'seen', session: TERMS.session, try: 1 };
    const forged = encodeBase64url(webCrypto.randomBytes(32));
    assert.throws(() => confirmed.receive({ ...ids, nonce: forged }), refused('session-mismatch'));
  });
});
