import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { formatAccountLink } from '@countersign/core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { policyText, signText } from '../packages/graphene/src/challenge.ts';
import { enroll } from '../packages/graphene/src/provider/enrolment.ts';
import type { RunningProvider } from '../packages/graphene/src/provider/provider.ts';
import { emailWay, smsWay } from '../packages/graphene/src/provider/ways.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { createCosignWorld, type Member } from './cosign-world.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { refused } from './parties.ts';

const world = createCosignWorld();
const stack = new AsyncDisposableStack();
let mail: MailServer;
const messages: { to: string; text: string }[] = [];
let provider: RunningProvider;
let api: ProviderApi;

/** A mail server and an SMS gateway, to which the provider speaks as it does to any. */
before(async () => {
  mail = stack.use(await startMailServer());
  const gateway = createServer((call, answer) => {
    void json(call).then((message) => {
      messages.push(message as { to: string; text: string });
      answer.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  stack.defer(() => new Promise<void>((resolve) => gateway.close(() => resolve())));
  const port = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  provider = await world.provider('sfactor', [
    emailWay(mail.url, 'codes@secondfactor.example'),
    smsWay(`http://127.0.0.1:${port(gateway)}/send`),
  ]);
  api = new ProviderApi(provider.origin);
});
after(() => stack.disposeAsync());

async function begin(
  { name, party }: Member,
  addresses = { email: 'alice@example.com', phone: '+493012345678' },
) {
  const keys = provider.context.enquirer.session.keys;
  await party.device.session.book.bind(keys.name, keys.identity, 'link');
  await party.device.contacts.change({ name: keys.name, identity: keys.identity }, 'allow');
  return api.begin(name, formatAccountLink(party.device.session.keys), addresses);
}

const sent = () => ({
  email: /\b(\d{6}) is your code/.exec(mail.mails.at(-1)?.text ?? '')![1]!,
  phone: /\b(\d{6}) is your code/.exec(messages.at(-1)?.text ?? '')![1]!,
});

describe('registering', () => {
  test('asks for the key, for what arrived by e-mail and by SMS, and for the device', async () => {
    const alice = await world.member('alice');
    const begun = await begin(alice);
    assert.match(
      begun.challenge!,
      new RegExp(`^countersign cosign 1 register\n${world.chain.id}\nsfactor\n${alice.name}\n`),
    );
    const proving = await api.prove(begun.registration, signText(begun.challenge!, alice.keys.active));
    assert.deepEqual(proving.codes, ['email', 'phone']);
    assert.match(mail.mails.at(-1)!.text, /^From: codes@secondfactor\.example/m);
    assert.equal(messages.at(-1)?.to, '+493012345678');
    assert.equal((await api.giveCodes(begun.registration, sent())).state, 'asked');
    await world.answer(alice.party, 'accept');
    assert.equal((await api.registration(begun.registration)).state, 'registered');
  });

  test('with a wrong code is asked no device, and after five of them is over', async () => {
    const alice = await world.member('alice');
    const { registration, challenge } = await begin(alice);
    await api.prove(registration, signText(challenge!, alice.keys.active));
    const wrong = { ...sent(), email: sent().email === '000000' ? '000001' : '000000' };
    for (let tries = 0; tries < 5; tries++) {
      await assert.rejects(api.giveCodes(registration, wrong), refused('passcode-wrong'));
    }
    await assert.rejects(api.giveCodes(registration, sent()), refused('passcode-locked'));
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('by a key that does not speak for the account sends no code', async () => {
    const [alice, mallet] = [await world.member('alice'), await world.member('mallet')];
    const { registration, challenge } = await begin(alice);
    const before = mail.mails.length;
    await assert.rejects(
      api.prove(registration, signText(challenge!, mallet.keys.active)),
      refused('authority-missing'),
    );
    assert.equal(mail.mails.length, before);
  });

  test('that the person rejects registers nobody', async () => {
    const alice = await world.member('alice');
    const { registration, challenge } = await begin(alice);
    await api.prove(registration, signText(challenge!, alice.keys.active));
    await api.giveCodes(registration, sent());
    await world.answer(alice.party, 'reject');
    assert.equal((await api.registration(registration)).state, 'rejected');
    assert.equal(provider.context.store.one('users', { account: alice.name }), undefined);
  });

  test('without what the provider asks for, or with what is none, does not begin', async () => {
    const alice = await world.member('alice');
    const link = formatAccountLink(alice.party.device.session.keys);
    await assert.rejects(api.begin(alice.name, link, {}), refused('input-invalid'));
    const addresses = { email: 'alice@example.com\nBcc: all@example.com', phone: '+493012345678' };
    await assert.rejects(api.begin(alice.name, link, addresses), refused('input-invalid'));
    await assert.rejects(begin({ ...alice, name: 'nobody' }), refused('chain-account-unknown'));
  });
});

describe('registering anew', () => {
  const theirs = { email: 'thief@example.com', phone: '+491770000000' };
  const registered = async () => {
    const alice = await world.member('alice');
    const begun = await begin(alice);
    await api.prove(begun.registration, signText(begun.challenge!, alice.keys.active));
    await api.giveCodes(begun.registration, sent());
    await world.answer(alice.party, 'accept');
    while ((await api.registration(begun.registration)).state === 'asked');
    return alice;
  };
  const reached = ({ name: account }: Member) => {
    const { address, phone } = provider.context.store.one('users', { account })!;
    return { email: address, phone };
  };
  const known = { email: 'alice@example.com', phone: '+493012345678' };

  test('by the active key leaves the addresses as they are, and sends to no other', async () => {
    const alice = await registered();
    for (const other of [
      { ...known, email: theirs.email },
      { ...known, phone: theirs.phone },
    ]) {
      const { registration, challenge } = await begin(alice, other);
      await assert.rejects(
        api.prove(registration, signText(challenge!, alice.keys.active)),
        refused('authority-missing'),
      );
    }
    assert.ok(!mail.mails.some(({ to }) => to === theirs.email));
    assert.ok(!messages.some(({ to }) => to === theirs.phone));
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    assert.deepEqual(reached(alice), known);
  });

  test('by the owner key shows the new addresses on the device, and tells the old ones', async () => {
    const alice = await registered();
    const { registration, challenge } = await begin(alice, theirs);
    await api.prove(registration, signText(challenge!, alice.keys.owner));
    await api.giveCodes(registration, sent());
    const before = [mail.mails.length, messages.length] as const;
    const { fields = [] } = await world.answer(alice.party, 'accept');
    const shown = Object.fromEntries(fields.map(({ name, value }) => [name, value]));
    assert.deepEqual([shown.Email, shown.Phone], [theirs.email, theirs.phone]);
    while ((await api.registration(registration)).state === 'asked');
    await provider.context.changes.idle();
    assert.deepEqual(reached(alice), theirs);
    const [letters, texts] = [mail.mails.slice(before[0]), messages.slice(before[1])];
    assert.deepEqual(
      [...letters, ...texts].map(({ to }) => to),
      [known.email, known.phone],
    );
    for (const { text } of [...letters, ...texts]) assert.match(text, /writes to another (email|phone)/);
  });

  test('twice at once with different addresses keeps those of one', async () => {
    const alice = await world.member('alice');
    const both = [];
    for (const addresses of [known, theirs]) {
      const { registration, challenge } = await begin(alice, addresses);
      await api.prove(registration, signText(challenge!, alice.keys.active));
      await api.giveCodes(registration, sent());
      both.push({ registration, addresses });
    }
    const kept = [];
    for (const _ of both) await world.answer(alice.party, 'accept');
    for (const { registration, addresses } of both) {
      for (;;) {
        const { state } = await api.registration(registration);
        if (state === 'asked') continue;
        if (state === 'registered') kept.push(addresses);
        break;
      }
    }
    assert.deepEqual(kept, [reached(alice)]);
  });
});

test('the provider describes itself in OpenAPI that is valid', async () => {
  const described = (await (await fetch(`${provider.origin}/openapi.json`)).json()) as Record<
    'paths',
    object
  >;
  const { valid, errors } = await new Validator().validate(described);
  assert.ok(valid, JSON.stringify(errors));
  assert.ok('/v1/transactions' in described.paths);
});

test('a route that there is not, and a body that is none, are refused as everywhere', async () => {
  const call = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(provider.origin + path, init);
    return [answer.status, ((await answer.json()) as { code: string }).code];
  };
  const headers = { 'content-type': 'application/json' };
  assert.deepEqual(await call('/v1/nowhere'), [404, 'route-unknown']);
  assert.deepEqual(await call('/v1/transactions', { method: 'POST', headers, body: '{"a":1,"a":2}' }), [
    400,
    'json-invalid',
  ]);
  assert.deepEqual(await call('/v1/transactions', { method: 'POST', headers, body: '{}' }), [
    400,
    'input-invalid',
  ]);
  const large = JSON.stringify({ account: 'a'.repeat(200_000) });
  assert.deepEqual(await call('/v1/transactions', { method: 'POST', headers, body: large }), [
    413,
    'body-too-large',
  ]);
  assert.deepEqual(await call(`/v1/transactions/${'0'.repeat(64)}`), [404, 'cosign-unknown']);
});

describe('whoever has registered', () => {
  test('is told by e-mail and by SMS that more will be signed, and of what holds at once is not', async () => {
    const alice = await world.member('alice');
    const { registration, challenge } = await begin(alice);
    await api.prove(registration, signText(challenge!, alice.keys.active));
    await api.giveCodes(registration, sent());
    await world.answer(alice.party, 'accept');
    while ((await api.registration(registration)).state === 'asked');
    await enroll(provider.context, alice.name);
    const change = async (version: number, policy: object) => {
      const before = [mail.mails.length, messages.length] as const;
      const text = JSON.stringify(policy);
      const { name: signer } = provider.context.account;
      const signed = policyText({
        chainId: world.chain.id,
        provider: signer,
        account: alice.name,
        version,
        policy: text,
      });
      const id = await api.changePolicy(alice.name, version, text, signText(signed, alice.keys.active));
      await world.answer(alice.party, 'accept');
      while ((await api.policyChange(id)).state === 'asked');
      await provider.context.changes.idle();
      return { mails: mail.mails.slice(before[0]), messages: messages.slice(before[1]) };
    };
    const limit = (amount: string) => ({ limits: [{ asset: '1.3.0', amount, per: 'day' }] });
    assert.deepEqual(await change(2, limit('1000')), { mails: [], messages: [] });
    const told = await change(3, limit('5000'));
    assert.deepEqual(
      [told.mails.map(({ to }) => to), told.messages.map(({ to }) => to)],
      [['alice@example.com'], ['+493012345678']],
    );
    const { next } = await api.policy(alice.name);
    const when = new Date(next!.effective_at * 1000).toISOString();
    assert.match(told.mails[0]!.text, new RegExp(`^Subject: sfactor will sign more for ${alice.name}`, 'm'));
    for (const { text } of [...told.mails, ...told.messages]) {
      assert.ok(text.includes(`From ${when} on, sfactor signs more for ${alice.name} than now.`), text);
    }
  });
});
