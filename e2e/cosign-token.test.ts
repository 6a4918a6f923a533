import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type CountersignError, formatAccountLink } from '@countersign/core';
import { signText } from '../packages/graphene/src/challenge.ts';
import type { ChainPrivateKey } from '../packages/graphene/src/index.ts';
import { addToken, tokenWay } from '../packages/graphene/src/provider/oath-token.ts';
import type { RunningProvider } from '../packages/graphene/src/provider/provider.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { createCosignWorld, type Member } from './cosign-world.ts';
import { makeParty, type Party, refused } from './parties.ts';
import { until } from './until.ts';

const world = createCosignWorld();
type Provider = RunningProvider & { readonly data: string };
let own: Provider;
let issued: Provider;

before(async () => {
  own = await world.provider('own', [tokenWay('own')]);
  issued = await world.provider('issued', [tokenWay('issued')]);
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (bytes: Uint8Array) =>
  [...bytes]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .match(/.{1,5}/g)!
    .map((bits) => ALPHABET[Number.parseInt(bits.padEnd(5, '0'), 2)])
    .join('');
const fromBase32 = (text: string) =>
  Buffer.from(
    [...text]
      .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'))
      .join('')
      .match(/.{8}/g)!
      .map((bits) => Number.parseInt(bits, 2)),
  );

/** RFC 4226, 5.3, written a second time. */
function hotp(secret: Buffer, counter: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac('sha1', secret).update(message).digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** The token as its holder has it: by the URI alone. */
function tokenOf(uri: string) {
  const secret = fromBase32(new URL(uri).searchParams.get('secret')!);
  return { code: (steps = 0) => hotp(secret, Math.floor(world.clock.now() / 30) + steps), secret };
}

const wrongCode = (right: string) => (right === '000000' ? '000001' : '000000');

async function begin(
  provider: Provider,
  { name, keys, party: first }: Member,
  { token, key = keys.active, party = first }: { token?: string; key?: ChainPrivateKey; party?: Party } = {},
) {
  const api = new ProviderApi(provider.origin);
  await world.meet(party, provider);
  const addresses = token === undefined ? {} : { token };
  const begun = await api.begin(name, formatAccountLink(party.device.session.keys), addresses);
  const proving = await api.prove(begun.registration, signText(begun.challenge!, key));
  const give = (code: string) => api.giveCodes(begun.registration, { token: code });
  const state = async () => (await api.registration(begun.registration)).state;
  return { proving, give, state, party };
}

async function finish({ give, state, party }: Awaited<ReturnType<typeof begin>>, code: string) {
  assert.equal((await give(code)).state, 'asked');
  await world.answer(party, 'accept');
  return state();
}

/** To another step of the token's clock; the chain makes a block meanwhile. */
async function later(seconds = 30): Promise<void> {
  world.clock.offset += seconds;
  await until(async () => (await world.client.head()).time >= world.clock.now() - 5);
}

/** Well before the token's next step, so that none begins between two lines of a test. */
async function earlyInStep(): Promise<void> {
  const into = world.clock.now() % 30;
  if (into > 15) await later(30 - into);
}

describe('a token of one’s own', () => {
  test('is set up while registering, and asked for whenever the account registers anew', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    assert.deepEqual(first.proving.codes, ['token']);
    const uri = first.proving.token!;
    assert.match(uri, new RegExp(`^otpauth://totp/own:${alice.name}\\?`));
    const token = tokenOf(uri);
    await assert.rejects(first.give(wrongCode(token.code())), refused('passcode-wrong'));
    assert.equal(await finish(first, token.code()), 'registered');

    await later();
    const second = await begin(own, alice);
    assert.equal(second.proving.token, undefined);
    assert.equal(await finish(second, token.code()), 'registered');
  });

  test('gives codes that count once', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const token = tokenOf(first.proving.token!);
    const code = token.code();
    assert.equal(await finish(first, code), 'registered');
    const second = await begin(own, alice);
    await assert.rejects(second.give(code), refused('passcode-wrong'));
    await assert.rejects(second.give(token.code(-1)), refused('passcode-wrong'));
    await later();
    assert.equal(await finish(second, token.code()), 'registered');
  });

  test('one code given twice at the same time counts once', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const token = tokenOf(first.proving.token!);
    assert.equal(await finish(first, token.code()), 'registered');
    await later();
    const both = [await begin(own, alice), await begin(own, alice)];
    const given = await Promise.allSettled(both.map(({ give }) => give(token.code())));
    assert.deepEqual(given.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await world.answer(alice.party, 'reject');
  });

  test('may be a step off, and no more', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const token = tokenOf(first.proving.token!);
    await earlyInStep();
    for (const steps of [-2, 2]) {
      await assert.rejects(first.give(token.code(steps)), refused('passcode-wrong'));
    }
    assert.equal(await finish(first, token.code(-1)), 'registered');
  });

  test('gives way to another one only by the account’s owner', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const old = tokenOf(first.proving.token!);
    assert.equal(await finish(first, old.code()), 'registered');
    await later();
    await assert.rejects(begin(own, alice, { token: 'new' }), refused('authority-missing'));
    const second = await begin(own, alice, { token: 'new', key: alice.keys.owner });
    const fresh = tokenOf(second.proving.token!);
    await assert.rejects(second.give(old.code()), refused('passcode-wrong'));
    assert.equal(await finish(second, fresh.code()), 'registered');
    await later();
    const third = await begin(own, alice);
    await assert.rejects(third.give(old.code()), refused('passcode-wrong'));
    assert.equal(await finish(third, fresh.code()), 'registered');
  });

  test('many wrong codes at once have no more tries than one by one', async () => {
    const alice = await world.member('alice');
    const { give, proving } = await begin(own, alice);
    const wrong = wrongCode(tokenOf(proving.token!).code());
    const given = await Promise.allSettled(Array.from({ length: 20 }, () => give(wrong)));
    const codes = given.map((one) => (one as PromiseRejectedResult).reason.code as string);
    assert.equal(codes.filter((code) => code === 'passcode-wrong').length, 5);
    assert.equal(codes.filter((code) => code === 'passcode-locked').length, 15);
  });

  test('rests for a day after ten wrong codes, over however many registrations', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const token = tokenOf(first.proving.token!);
    assert.equal(await finish(first, token.code()), 'registered');
    await later();
    for (let registrations = 0; registrations < 2; registrations++) {
      const { give } = await begin(own, alice);
      for (let tries = 0; tries < 5; tries++) {
        await assert.rejects(give(wrongCode(token.code())), refused('passcode-wrong'));
      }
    }
    const third = await begin(own, alice);
    await assert.rejects(third.give(token.code()), (error: CountersignError) => {
      assert.equal(error.code, 'passcode-locked');
      assert.ok(error.retryAfter! > 86_000 && error.retryAfter! <= 86_400);
      return true;
    });
    await later(86_400);
    assert.equal(await finish(await begin(own, alice), token.code()), 'registered');
  });

  test('does not stand in the database, nor the URI that sets it up', async () => {
    const alice = await world.member('alice');
    const first = await begin(own, alice);
    const { secret } = tokenOf(first.proving.token!);
    const files = ['provider.db', 'provider.db-wal'].map((file) => readFile(join(own.data, file)));
    const bytes = Buffer.concat(await Promise.all(files));
    assert.ok(bytes.includes(alice.name));
    assert.ok(!bytes.includes(secret) && !bytes.includes(base32(secret)) && !bytes.includes('otpauth://'));
  });

  test('that was not proven registers nobody, and is no token of the account’s', async () => {
    const alice = await world.member('alice');
    const abandoned = await begin(own, alice);
    const next = await begin(own, alice);
    assert.notEqual(next.proving.token, abandoned.proving.token);
    assert.deepEqual(own.context.store.all('oath_tokens', { account_id: alice.id }), []);
    await later(3600);
    await begin(own, alice);
    const waiting = own.context.store.all('oath_tokens').filter(({ expires_at }) => expires_at !== null);
    assert.equal(waiting.length, 1, 'what was not proven is forgotten');
  });
});

describe('a token that the operator gave out', () => {
  const SECRET = Buffer.from('12345678901234567890');
  let serial = 0;
  /** A fob that counts, with the secret of RFC 4226, appendix D. */
  const fob = async (counter = 0) => {
    const number = `F${++serial}`;
    const uri = `otpauth://hotp/${number}?secret=${base32(SECRET)}&counter=${counter}`;
    await addToken(issued.context, uri);
    return number;
  };

  test('registers by its next codes, as the RFC has them', async () => {
    const alice = await world.member('alice');
    const token = await fob();
    assert.equal(await finish(await begin(issued, alice, { token }), '755224'), 'registered');
    // Some were made unseen: it goes on from there, and the ones before count no more.
    const second = await begin(issued, alice, { token });
    assert.equal(await finish(second, '520489'), 'registered');
    const third = await begin(issued, alice, { token });
    await assert.rejects(third.give('287082'), refused('passcode-wrong'));
    await assert.rejects(third.give(hotp(SECRET, 30)), refused('passcode-wrong'));
    assert.equal(await finish(third, hotp(SECRET, 12)), 'registered');
  });

  test('is nobody else’s, and one that there is not is refused in the same words', async () => {
    const [alice, mallory] = [await world.member('alice'), await world.member('mallory')];
    const token = await fob();
    assert.equal(await finish(await begin(issued, alice, { token }), '755224'), 'registered');
    const words = async (number: string) => {
      const error = await begin(issued, mallory, { token: number }).then(
        () => undefined,
        (thrown: CountersignError) => thrown,
      );
      assert.equal(error?.code, 'input-invalid');
      return error.message;
    };
    assert.equal(await words(token), await words('F0'));
    const other = await fob();
    await assert.rejects(begin(issued, alice, { token: other }), refused('authority-missing'));
    await assert.rejects(begin(issued, alice), refused('input-invalid'));
  });

  test('given to two, is whose registration ends first', async () => {
    const [alice, mallory] = [await world.member('alice'), await world.member('mallory')];
    const token = await fob();
    const [hers, theirs] = [await begin(issued, alice, { token }), await begin(issued, mallory, { token })];
    await theirs.give('755224');
    assert.equal(await finish(hers, '287082'), 'registered');
    await world.answer(mallory.party, 'accept');
    assert.equal(await theirs.state(), 'rejected');
    assert.equal(issued.context.store.one('users', { account: mallory.name }), undefined);
  });

  test('is added once, and only as the URI of a token', async () => {
    await fob();
    const again = `otpauth://totp/F${serial}?secret=${base32(SECRET)}`;
    await assert.rejects(addToken(issued.context, again), refused('cosign-conflict'));
    await assert.rejects(addToken(issued.context, 'https://example.com/'), refused('input-invalid'));
    await assert.rejects(
      addToken(issued.context, `otpauth://totp/no%20number?secret=${base32(SECRET)}`),
      refused('input-invalid'),
    );
  });
});

test('a registration that began before another person’s ended does not take its place', async () => {
  const alice = await world.member('alice');
  // A thief of the active key is quicker to begin, and alice is quicker to end.
  const thief = await makeParty(world.home.origin, `thief-of-${alice.name}@example.com`, world.clock);
  const theirs = await begin(own, alice, { party: thief });
  const hers = await begin(own, alice);
  await theirs.give(tokenOf(theirs.proving.token!).code());
  assert.equal(await finish(hers, tokenOf(hers.proving.token!).code()), 'registered');
  await world.answer(thief, 'accept');
  assert.equal(await theirs.state(), 'rejected');
  const user = own.context.store.one('users', { account: alice.name });
  assert.equal(user?.identity, alice.party.device.session.keys.identity);
});
