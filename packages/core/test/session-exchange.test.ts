import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { encodeBase64url } from '../src/base64url.ts';
import { agentConfirmed, agentSide, customerTry, mismatchMessage } from '../src/session-exchange.ts';
import { MAX_SESSION_MESSAGE_BYTES, SessionMessage } from '../src/session-messages.ts';
import { hardenValues, normalizeValue } from '../src/session-values.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';
import { harden, play, TERMS, TEXT_TERMS, upToConfirm } from './session-fixtures.ts';

/** An element of the group that is neither neutral nor anybody's share: RFC 9496 appendix A.1, twice the generator. */
const ELEMENT = encodeBase64url(
  Uint8Array.fromHex('6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919'),
);
const OTHER_32 = encodeBase64url(new Uint8Array(32).fill(7));
const OTHER_64 = encodeBase64url(new Uint8Array(64).fill(7));
const OTHER_SESSION = encodeBase64url(new Uint8Array(16).fill(7));
const typedText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((typed) => {
  try {
    return normalizeValue('text', typed) !== '';
  } catch {
    return false;
  }
});

describe('a mutual session', () => {
  test('shows both the same six digits, with Argon2id at its real cost', async () => {
    const agent = await hardenValues(webCrypto, TERMS, ['4711 0815']);
    const customer = await hardenValues(webCrypto, TERMS, ['47-110-815']);
    const played = play(TERMS, agent, TERMS, customer);
    assert.match(played.customer, /^[0-9]{6}$/);
    assert.equal(played.agent, played.customer);
  });

  test('equal values always agree', async () => {
    await fc.assert(
      fc.asyncProperty(typedText, async (typed) => {
        const [agent, customer] = await Promise.all([
          harden(TEXT_TERMS, typed),
          harden(TEXT_TERMS, ` ${typed}`),
        ]);
        const played = play(TEXT_TERMS, agent, TEXT_TERMS, customer);
        assert.equal(played.agent, played.customer);
      }),
      RUNS,
    );
  });

  test('unequal values never do, and the customer’s page gets no confirmation', async () => {
    await fc.assert(
      fc.asyncProperty(typedText, typedText, async (one, two) => {
        fc.pre(normalizeValue('text', one) !== normalizeValue('text', two));
        const [agent, customer] = await Promise.all([harden(TEXT_TERMS, one), harden(TEXT_TERMS, two)]);
        const opened = customerTry(webCrypto, TEXT_TERMS, customer, 1);
        const shared = agentSide(webCrypto, TEXT_TERMS, agent).begin(opened.message);
        const answered = opened.receive(shared.message);
        assert.throws(() => shared.receive(answered.message), refused('session-mismatch'));
        const word = mismatchMessage(shared.message);
        assert.throws(() => answered.receive(word), refused('session-mismatch'));
      }),
      RUNS,
    );
  });

  test('the passcodes of many runs are spread over all digits', async () => {
    const values = await harden(TERMS, '4711');
    const counts = new Map<string, number>();
    for (let i = 0; i < 60; i++) {
      for (const digit of play(TERMS, values, TERMS, values).customer) {
        counts.set(digit, (counts.get(digit) ?? 0) + 1);
      }
    }
    // 360 digits: each is expected 36 times
    for (const digit of '0123456789')
      assert.ok((counts.get(digit) ?? 0) > 5, `${digit}: ${counts.get(digit)}`);
  });

  test('a second try is a new run: the same values then match', async () => {
    const [right, wrong] = await Promise.all([harden(TERMS, '4711'), harden(TERMS, '4712')]);
    const agent = agentSide(webCrypto, TERMS, right);
    const first = customerTry(webCrypto, TERMS, wrong, 1);
    const firstShared = agent.begin(first.message);
    assert.throws(
      () => firstShared.receive(first.receive(firstShared.message).message),
      refused('session-mismatch'),
    );
    const second = customerTry(webCrypto, TERMS, right, 2);
    const shared = agent.begin(second.message);
    assert.notEqual(shared.message.share, firstShared.message.share);
    const answered = second.receive(shared.message);
    const confirmed = shared.receive(answered.message);
    const matched = answered.receive(confirmed.message);
    assert.equal(confirmed.receive(matched.seen()).reveal(), matched.passcode);
    assert.equal(agent.tried, 2);
  });

  test('a match that was kept over a reload of the agent’s page leads to the same passcode', async () => {
    const { confirmed, seen, passcode } = await upToConfirm();
    const kept = JSON.parse(JSON.stringify(confirmed.kept));
    assert.equal(agentConfirmed(kept).receive(seen()).reveal(), passcode);
  });

  test('its messages are of the forms that a server checks, and of no more bytes', async () => {
    const values = await harden(TERMS, '4711');
    const { messages } = play(TERMS, values, TERMS, values);
    assert.deepEqual(
      messages.map(({ kind }) => kind),
      ['open', 'share', 'answer', 'confirm', 'seen'],
    );
    for (const message of messages) {
      assert.deepEqual(v.parse(SessionMessage, JSON.parse(JSON.stringify(message))), message);
      assert.ok(JSON.stringify(message).length <= MAX_SESSION_MESSAGE_BYTES);
    }
  });

  test('nothing that is typed or made of it alone is in a message', async () => {
    const values = await harden(TERMS, '471108154711');
    const wire = JSON.stringify(play(TERMS, values, TERMS, values).messages);
    assert.ok(!wire.includes('471108154711'));
    assert.ok(!wire.includes(encodeBase64url(values)));
  });
});

describe('an altered message is caught', () => {
  for (const [kind, member, value, code] of [
    ['open', 'session', OTHER_SESSION, 'session-invalid'],
    ['open', 'try', 2, 'session-invalid'],
    ['share', 'session', OTHER_SESSION, 'session-invalid'],
    ['share', 'try', 2, 'session-invalid'],
    ['share', 'share', ELEMENT, 'session-mismatch'],
    ['share', 'share', OTHER_32, 'session-invalid'],
    ['share', 'share', 'A'.repeat(43), 'session-invalid'],
    ['answer', 'session', OTHER_SESSION, 'session-invalid'],
    ['answer', 'try', 2, 'session-invalid'],
    ['answer', 'share', ELEMENT, 'session-mismatch'],
    ['answer', 'share', OTHER_32, 'session-invalid'],
    ['answer', 'share', 'A'.repeat(43), 'session-invalid'],
    ['answer', 'commitment', OTHER_32, 'session-mismatch'],
    ['answer', 'tag', OTHER_64, 'session-mismatch'],
    ['confirm', 'session', OTHER_SESSION, 'session-invalid'],
    ['confirm', 'try', 2, 'session-invalid'],
    ['confirm', 'nonce', OTHER_32, 'session-mismatch'],
    ['confirm', 'tag', OTHER_64, 'session-mismatch'],
    ['seen', 'session', OTHER_SESSION, 'session-invalid'],
    ['seen', 'try', 2, 'session-invalid'],
    ['seen', 'nonce', OTHER_32, 'session-mismatch'],
  ] as const) {
    test(`${kind}.${member} → ${String(value).slice(0, 6)}: ${code}`, async () => {
      const values = await harden(TERMS, '4711');
      assert.throws(
        () =>
          play(TERMS, values, TERMS, values, (message) =>
            message.kind === kind ? { ...message, [member]: value } : message,
          ),
        refused(code),
      );
    });
  }

  for (const kind of ['open', 'share', 'answer', 'confirm', 'seen'] as const) {
    test(`${kind}: another form, another kind, a member more or less, nothing`, async () => {
      const values = await harden(TERMS, '4711');
      for (const change of [
        () => undefined,
        () => null,
        () => 'open',
        () => [],
        (message: object) => ({ ...message, more: 1 }),
        (message: object) => ({ ...message, kind: kind === 'open' ? 'share' : 'open' }),
        (message: object) => ({ ...message, session: undefined }),
        (message: object) => ({ ...message, session: 'AAAA' }),
        (message: object) => ({ ...message, try: 0 }),
        (message: object) => ({ ...message, try: 6 }),
        (message: object) => ({ ...message, try: '1' }),
        (message: object) => ({ ...message, share: 1 }),
      ]) {
        assert.throws(
          () =>
            play(TERMS, values, TERMS, values, (message) =>
              message.kind === kind ? change(message) : message,
            ),
          refused('session-invalid'),
        );
      }
    });
  }

  test('terms that differ by one word, whichever, make no match', async () => {
    const values = await harden(TERMS, '4711');
    for (const other of [
      { ...TERMS, broker: 'https://other.example' },
      { ...TERMS, organisation: 'help@bunk.example' },
      { ...TERMS, organisation_id: OTHER_32 },
      { ...TERMS, subject: 'Your loan' },
      { ...TERMS, fields: [{ ...TERMS.fields[0]!, name: 'PIN' }] },
      { ...TERMS, fields: [{ ...TERMS.fields[0]!, description: 'the one on your card' }] },
    ]) {
      assert.throws(() => play(TERMS, values, other, values), refused('session-mismatch'));
    }
    const salted = { ...TERMS, salt: OTHER_SESSION };
    const theirs = await harden(salted, '4711');
    assert.throws(() => play(TERMS, values, salted, theirs), refused('session-mismatch'));
  });

  test('a message of an earlier run of the same session is none of this one', async () => {
    const values = await harden(TERMS, '4711');
    const earlier = new Map(play(TERMS, values, TERMS, values).messages.map((one) => [one.kind, one]));
    for (const kind of ['share', 'answer', 'confirm', 'seen'] as const) {
      assert.throws(
        () =>
          play(TERMS, values, TERMS, values, (message) =>
            message.kind === kind ? earlier.get(kind) : message,
          ),
        refused('session-mismatch'),
      );
    }
  });

  test('a page’s own message, sent back to it, is refused', async () => {
    const { opened, shared, answered, confirmed } = await upToConfirm();
    const fresh = await upToConfirm();
    assert.throws(() => fresh.confirmed.receive(confirmed.message), refused('session-invalid'));
    const values = await harden(TERMS, '4711');
    const again = customerTry(webCrypto, TERMS, values, 1);
    assert.throws(() => again.receive(opened.message), refused('session-invalid'));
    const agent = agentSide(webCrypto, TERMS, values).begin(again.message);
    assert.throws(() => agent.receive(shared.message), refused('session-invalid'));
    assert.throws(
      () => customerTry(webCrypto, TERMS, values, 1).receive(answered.message),
      refused('session-invalid'),
    );
  });
});

describe('tries', () => {
  test('only go up, to five', async () => {
    const values = await harden(TERMS, '4711');
    const agent = agentSide(webCrypto, TERMS, values);
    const open = (n: number) => ({ kind: 'open', session: TERMS.session, try: n });
    agent.begin(open(1));
    assert.throws(() => agent.begin(open(1)), refused('session-invalid'));
    agent.begin(open(3));
    assert.throws(() => agent.begin(open(2)), refused('session-invalid'));
    agent.begin(open(5));
    for (const n of [1, 2, 3, 4, 5, 6]) assert.throws(() => agent.begin(open(n)), refused('session-invalid'));
    for (const n of [0, 6, 1.5]) assert.throws(() => customerTry(webCrypto, TERMS, values, n), TypeError);
  });

  test('are counted over a reload of the agent’s page', async () => {
    const values = await harden(TERMS, '4711');
    const agent = agentSide(webCrypto, TERMS, values, 4);
    assert.throws(
      () => agent.begin({ kind: 'open', session: TERMS.session, try: 4 }),
      refused('session-invalid'),
    );
    agent.begin({ kind: 'open', session: TERMS.session, try: 5 });
  });

  test('end with a match', async () => {
    const values = await harden(TERMS, '4711');
    const agent = agentSide(webCrypto, TERMS, values);
    const opened = customerTry(webCrypto, TERMS, values, 1);
    const shared = agent.begin(opened.message);
    shared.receive(opened.receive(shared.message).message);
    assert.throws(
      () => agent.begin({ kind: 'open', session: TERMS.session, try: 2 }),
      refused('session-invalid'),
    );
  });

  test('a step is taken once, also one that failed', async () => {
    const { opened, shared, answered, confirmed, seen } = await upToConfirm();
    assert.throws(() => opened.receive(shared.message), refused('session-invalid'));
    assert.throws(() => shared.receive(answered.message), refused('session-invalid'));
    assert.throws(() => answered.receive(confirmed.message), refused('session-invalid'));
    assert.throws(() => confirmed.receive(undefined), refused('session-invalid'));
    assert.throws(() => confirmed.receive(seen()), refused('session-invalid'));
  });

  test('a session of mode digest has none', async () => {
    const digest = { ...TERMS, mode: 'digest' as const };
    const values = await harden(digest, '4711');
    assert.throws(() => agentSide(webCrypto, digest, values), TypeError);
    assert.throws(() => customerTry(webCrypto, digest, values, 1), TypeError);
  });
});
