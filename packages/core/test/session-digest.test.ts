import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeBase64url } from '../src/base64url.ts';
import { answerDigest, createDigest, isDigest } from '../src/session-digest.ts';
import type { SessionTerms } from '../src/session-terms.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { quick, TERMS } from './session-fixtures.ts';

const DIGEST_TERMS: SessionTerms = { ...TERMS, mode: 'digest' };
const OTHER = encodeBase64url(new Uint8Array(32).fill(7));

describe('a session of mode digest', () => {
  test('gives the customer who types the same values the passcode that was made', async () => {
    const { posted, passcode } = await createDigest(webCrypto, DIGEST_TERMS, ['4711']);
    const answer = await answerDigest(webCrypto, DIGEST_TERMS, posted.commitment, ['47 11']);
    assert.match(passcode, /^[0-9]{6}$/);
    assert.ok(isDigest(posted, answer.digest));
    assert.equal(answer.open(posted.nonce), passcode);
  });

  test('gives who types others no match, and with the nonce another passcode', async () => {
    const { posted, passcode } = await createDigest(quick, DIGEST_TERMS, ['4711']);
    const wrong = await answerDigest(quick, DIGEST_TERMS, posted.commitment, ['4712']);
    assert.equal(isDigest(posted, wrong.digest), false);
    assert.notEqual(wrong.open(posted.nonce), passcode);
  });

  test('is another one for other terms, another commitment or another salt', async () => {
    const { posted } = await createDigest(quick, DIGEST_TERMS, ['4711']);
    for (const [terms, commitment] of [
      [{ ...DIGEST_TERMS, organisation: 'help@bunk.example' }, posted.commitment],
      [{ ...DIGEST_TERMS, session: 'EBESExQVFhcYGRobHB0eIA' }, posted.commitment],
      [{ ...DIGEST_TERMS, salt: 'EBESExQVFhcYGRobHB0eIA' }, posted.commitment],
      [{ ...DIGEST_TERMS, subject: 'Your loan' }, posted.commitment],
      [DIGEST_TERMS, OTHER],
    ] as const) {
      const answer = await answerDigest(quick, terms, commitment, ['4711']);
      assert.equal(isDigest(posted, answer.digest), false);
    }
  });

  test('takes no nonce but the one that was committed to at its creation', async () => {
    const { posted } = await createDigest(quick, DIGEST_TERMS, ['4711']);
    const answer = await answerDigest(quick, DIGEST_TERMS, posted.commitment, ['4711']);
    assert.throws(() => answer.open(OTHER), refused('session-mismatch'));
    assert.throws(() => answer.open('!'), refused('encoding-invalid'));
  });

  test('has another passcode each time', async () => {
    const codes = new Set<string>();
    for (let i = 0; i < 20; i++) codes.add((await createDigest(quick, DIGEST_TERMS, ['4711'])).passcode);
    assert.ok(codes.size > 17);
  });

  test('lets the server try guesses, each at the price of Argon2id: it is the weaker mode', async () => {
    const { posted } = await createDigest(quick, DIGEST_TERMS, ['4711']);
    const tried = async (guess: string) =>
      isDigest(posted, (await answerDigest(quick, DIGEST_TERMS, posted.commitment, [guess])).digest);
    assert.equal(await tried('4710'), false);
    assert.equal(await tried('4711'), true);
    const costs: number[] = [];
    const watching = {
      ...quick,
      argon2id: (...[secret, parameters]: Parameters<typeof quick.argon2id>) => {
        costs.push(parameters.memory * parameters.passes);
        return quick.argon2id(secret, parameters);
      },
    };
    await createDigest(watching, DIGEST_TERMS, ['4711']);
    assert.deepEqual(costs, [65_536 * 3]);
  });

  test('is not mixed up with one of mode cpace', async () => {
    await assert.rejects(createDigest(quick, TERMS, ['4711']), TypeError);
    await assert.rejects(createDigest(quick, DIGEST_TERMS, ['x']), refused('value-invalid'));
  });
});
