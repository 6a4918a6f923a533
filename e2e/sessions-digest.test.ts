import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type DigestWish, startDigestSession, waitUntilSeen } from '@countersign/client/digest-session';
import { parseStatement, SESSION_TRIES, type SessionField, SessionStatement } from '@countersign/core';
import { answerDigest } from '@countersign/core/session-digest';
import { termsOf } from '@countersign/core/session-terms';
import { webCrypto } from '@countersign/core/webcrypto';
import { type Party, refused } from './parties.ts';
import { countersign } from './processes.ts';
import { Customer, type Said } from './session-parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const VALUE = '+49 30 1234567';
const FIELDS: SessionField[] = [{ name: 'Phone number', type: 'number' }];

const start = (bank: Party, change: Partial<DigestWish> = {}) =>
  startDigestSession(bank.device.session, { fields: FIELDS, values: [VALUE], lifetime: 300, ...change });

const tokenOf = (link: string) => new URLSearchParams(new URL(link).hash.slice(1)).get('t')!;
const same = ({ status, body }: Said) => JSON.stringify([status, body]);

/** The customer's page: opens a link, and gives what it makes of what is typed. */
async function opened(link: string) {
  const customer = new Customer(world.home.origin);
  const { status, body } = await customer.open(tokenOf(link));
  assert.equal(status, 200);
  const { payload } = await parseStatement(webCrypto, SessionStatement, body.session);
  const type = async (...typed: string[]) => {
    const answer = await answerDigest(
      webCrypto,
      termsOf(payload, world.home.origin),
      payload.commitment!,
      typed,
    );
    return { answer, said: await customer.compare(payload.sid, answer.digest) };
  };
  return { customer, payload, type };
}

describe('a session of a program', () => {
  test('gives the receiver who types the same the passcode that was made, and says so', async () => {
    const bank = await world.party('bank');
    const { sid, link, passcode } = await start(bank);
    const { customer, type } = await opened(link);
    const { answer, said } = await type('(+49) 30 123-45-67');
    assert.equal(said.status, 200);
    assert.equal(answer.open(said.body.nonce), passcode);
    const seen = waitUntilSeen(bank.device.session, sid);
    assert.equal((await customer.say(sid, { kind: 'seen', session: sid })).status, 200);
    assert.ok((await seen).seen_at !== undefined);
    const { api, keys } = bank.device.session;
    await api.changeSession(keys.signer, keys.name, sid, 'reveal');
    await api.changeSession(keys.signer, keys.name, sid, 'delete');
    const entries = (await api.readSessionHistory(keys.signer, keys.name, 1)).map(({ entry }) =>
      JSON.parse(entry),
    );
    assert.deepEqual(
      entries.map(({ event, mode, outcome }) => [event, mode, outcome]),
      [
        ['created', 'digest', undefined],
        ['ended', undefined, 'authenticated'],
      ],
    );
  });

  test('says the same of a wrong value, an opened link, an ended session and an unknown one', async () => {
    const bank = await world.party('bank');
    const [one, late] = [await start(bank), await start(bank, { lifetime: 30 })];
    const { customer, payload, type } = await opened(one.link);
    const expired = await opened(late.link);
    const { answer, said } = await type('47');
    const answers = [
      said,
      await new Customer(world.home.origin).open(tokenOf(one.link)),
      await new Customer(world.home.origin).open('A'.repeat(22)),
      await new Customer(world.home.origin).compare(payload.sid, answer.digest),
      await customer.compare('A'.repeat(22), answer.digest),
    ];
    await world.atOffset(31, async () => {
      answers.push(await expired.customer.compare(expired.payload.sid, answer.digest));
    });
    assert.deepEqual([...new Set(answers.map(same))], [same(said)]);
    assert.deepEqual([said.status, said.body.code], [404, 'session-invalid']);
  });

  test('takes as long to refuse for one reason as for another', async () => {
    const bank = await world.party('bank');
    const { link } = await start(bank);
    const { customer, payload } = await opened(link);
    const digest = 'A'.repeat(43);
    const timed = async (work: () => Promise<Said>) => {
      const begun = performance.now();
      assert.equal((await work()).status, 404);
      return performance.now() - begun;
    };
    for (const work of [
      () => customer.compare(payload.sid, digest),
      () => customer.compare('A'.repeat(22), digest),
      () => new Customer(world.home.origin).compare(payload.sid, digest),
      () => new Customer(world.home.origin).open('A'.repeat(22)),
    ]) {
      assert.ok((await timed(work)) >= 79);
    }
  });

  test('takes five tries, and none after them', async () => {
    const bank = await world.party('bank');
    const { sid, link } = await start(bank);
    const { customer, payload, type } = await opened(link);
    for (let i = 0; i < SESSION_TRIES; i++) {
      assert.equal((await customer.compare(payload.sid, 'A'.repeat(43))).status, 404);
    }
    assert.equal((await type(VALUE)).said.status, 404);
    assert.equal((await waitUntilSeen(bank.device.session, sid)).outcome, 'too-many-tries');
  });

  test('does not take the receiver’s word that they saw what they were not given', async () => {
    const bank = await world.party('bank');
    const { sid, link } = await start(bank);
    const { customer, payload } = await opened(link);
    await customer.compare(payload.sid, 'A'.repeat(43));
    assert.equal((await customer.say(sid, { kind: 'seen', session: sid })).status, 404);
    const { api, keys } = bank.device.session;
    await assert.rejects(api.changeSession(keys.signer, keys.name, sid, 'reveal'), refused('session-early'));
  });

  test('stands 30 to 900 seconds, with one to three fields of text, number or date', async () => {
    const bank = await world.party('bank');
    const named = (...types: string[]) =>
      types.map((type, i) => ({ name: `Field ${i}`, type })) as SessionField[];
    for (const lifetime of [30, 900]) await start(bank, { lifetime });
    await start(bank, { fields: named('text', 'number', 'date'), values: ['a', '1', '2000-01-01'] });
    for (const lifetime of [29, 901])
      await assert.rejects(start(bank, { lifetime }), refused('session-lifetime'));
    for (const fields of [named(), named('text', 'text', 'text', 'text'), named('color')]) {
      const values = fields.map(() => 'x');
      await assert.rejects(start(bank, { fields, values }), (error: Error) =>
        fields[0]?.type === ('color' as never)
          ? error instanceof Error
          : refused('statement-malformed')(error),
      );
    }
  });

  test('leaves digest and salt with the server, and neither value nor passcode', async () => {
    const bank = await world.party('bank');
    const { link, passcode } = await start(bank, { values: ['+49 30 7654321'] });
    await (await opened(link)).type('+49 30 7654321');
    const stored = ['broker.db', 'broker.db-wal']
      .map((name) => readFileSync(join(world.home.data, name)).toString('latin1'))
      .join('');
    for (const secret of ['+49307654321', '49307654321', '+49 30 7654321', `"${passcode}"`])
      assert.ok(!stored.includes(secret), secret);
  });

  test('without the digest, or a digest without it, is refused', async () => {
    const bank = await world.party('bank');
    const { signSession } = await import('./session-parties.ts');
    const { jws } = await signSession(bank);
    const digest = { digest: 'A'.repeat(43), nonce: 'A'.repeat(43) };
    await assert.rejects(bank.device.session.api.startSession(jws, digest), refused('input-invalid'));
    const drawn = { sid: 'A'.repeat(22), salt: 'A'.repeat(22), commitment: 'A'.repeat(43) };
    const alone = await signSession(bank, { drawn });
    await assert.rejects(bank.device.session.api.startSession(alone.jws), refused('input-invalid'));
  });
});

test('`countersign session create` shows the passcode once the receiver sees theirs', async () => {
  const profile = join(world.home.data, 'cli');
  await countersign(profile, ['account', 'create', 'press@bank.example', '--broker', world.home.origin]);
  const link = Promise.withResolvers<string>();
  const made = countersign(profile, ['session', 'create', '--field', 'Phone number:number'], {
    input: `${VALUE}\n`,
    onOutput: (text) => text.startsWith('http') && link.resolve(text.split('\n')[0]!),
  });
  const { customer, payload, type } = await opened(await link.promise);
  const { answer, said } = await type(VALUE);
  const passcode = answer.open(said.body.nonce);
  await customer.say(payload.sid, { kind: 'seen', session: payload.sid });
  const { status, stdout } = await made;
  assert.equal(status, 0);
  assert.match(stdout, new RegExp(passcode));
});

test('`countersign session history` writes lines that `verify-history` checks', async () => {
  const profile = join(world.home.data, 'cli');
  const file = join(world.home.data, 'history.jsonl');
  const written = await countersign(profile, ['session', 'history', '--out', file, '--json']);
  assert.equal(written.status, 0, written.stderr);
  const { head } = JSON.parse(written.stdout) as { head: string };
  const verify = (...words: string[]) => countersign('unused', ['session', 'verify-history', ...words]);
  assert.equal((await verify(file, '--head', head)).status, 0);
  const { writeFileSync } = await import('node:fs');
  const altered = join(world.home.data, 'altered.jsonl');
  const lines = readFileSync(file, 'utf8');
  writeFileSync(altered, lines.replace('"duration":300', '"duration":301'));
  assert.notEqual(readFileSync(altered, 'utf8'), lines);
  assert.equal((await verify(altered, '--head', head)).status, 8);
  writeFileSync(altered, '');
  assert.equal((await verify(altered, '--head', head)).status, 8, 'cut off');
  const csv = await countersign(profile, ['session', 'history', '--format', 'csv']);
  assert.match(csv.stdout, /^"created","by",/);
  assert.match(csv.stdout, /"digest"/);
});
