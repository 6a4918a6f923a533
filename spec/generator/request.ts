import {
  type Asked,
  type ErrorCode,
  encodeBase64url,
  type Question,
  sealContent,
  statementId,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { newAccount, type TestAccount, withDevice, withEpoch, withoutDevice } from './accounts.ts';
import { ask, commitQuickly, HASH, PURPOSE, SALT } from './asking.ts';
import type { Memory } from './memory.ts';
import {
  duplicateMember,
  flipMembers,
  flipSignature,
  invalid,
  type Loose,
  payloadOf,
  strayBits,
  TOO_LARGE,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import {
  ALGORITHMS,
  BROKER,
  NO_ORIGINS,
  NOW,
  OTHER_BROKER,
  seeded,
  signLoose,
  type TestDevice,
  testDevice,
} from './world.ts';

export async function request(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const alice = await withDevice(await newAccount(memory, 'alice@example.com'), 'phone');
  const keys = { epoch_private_keys: alice.epochs };
  const inputOf = (enquirer: TestAccount, statement: string, account = alice) => ({
    enquirer_log: enquirer.log.entries,
    epoch_private_keys: account.epochs,
    broker: BROKER,
    now: NOW + 3,
    request: statement,
  });
  const found = async (request: { statement: { hash: string }; question: Question }) => ({
    hash: request.statement.hash,
    id: await statementId(webCrypto, request.statement.hash),
    question: request.question,
  });
  const ACCOUNT = 'account-mismatch';
  for (const algorithm of ALGORITHMS) {
    const shop = await newAccount(memory, 'shop@example.com', algorithm);
    for (const sealed of [true, false]) {
      const how = `${algorithm}-${sealed ? 'sealed' : 'clear'}`;
      const request = await ask(how, shop, alice, { sealed });
      const { jws } = request.statement;
      const special = {
        aud: OTHER_BROKER,
        ...(sealed ? {} : { 'content.kind': 'payment', 'content.parts.0.type': 'p' }),
      };
      vectors.push(
        valid(
          `${how}-good`,
          sealed ? 'a sealed request' : 'a request in clear',
          inputOf(shop, jws),
          await found(request),
        ),
        invalid(
          `${how}-signature-flipped`,
          'one bit of the signature turned',
          'signature-invalid',
          inputOf(shop, flipSignature(jws)),
        ),
        ...flipMembers(jws, special).map(({ path, jws: altered }) =>
          invalid(
            `${how}-${path}-flipped`,
            `${path} changed under the old signature`,
            path.startsWith('iss') ? ACCOUNT : 'signature-invalid',
            inputOf(shop, altered),
          ),
        ),
      );
    }
  }
  const shop = await newAccount(memory, 'shop@example.com');
  const [till] = shop.devices as [TestDevice];
  const good = async (name: string, comment: string, asked: Partial<Asked>, now = NOW + 3) => {
    const one = await ask(name, shop, alice, asked);
    vectors.push(valid(name, comment, { ...inputOf(shop, one.statement.jws), now }, await found(one)));
  };
  await good('payment', 'a payment', { kind: 'payment' });
  await good('login-600', 'a login for 600 s', { lifetime: 600 });
  await good('approval-a-day', 'an approval for a day', { kind: 'approval' });
  await good('one-second', 'a second is enough', { lifetime: 1 }, NOW);
  await good('last-second', 'one second before its end', {}, NOW + 119);
  await good('clock-ahead', 'made a minute ahead of the reader’s clock', {}, NOW - 60);
  await good('all', 'every member of a question', {
    kind: 'payment',
    parts: [
      { type: 'h1', text: 'Pay' },
      { type: 'p', text: 'the bill' },
      { type: 'button', value: 'accept', text: 'Pay now' },
    ],
    fields: [{ name: 'amount', value: '€12.50' }],
    passcode: await commitQuickly('042042'),
    uv: true,
  });

  const { jws } = (await ask('base', shop, alice)).statement;
  const open = (await ask('open', shop, alice, { sealed: false })).statement;
  const payload = payloadOf(jws);
  const clear = payloadOf(open.jws);
  const bad = (
    name: string,
    comment: string,
    code: ErrorCode,
    statement: string,
    changed: object = {},
    enquirer = shop,
  ) => vectors.push(invalid(name, comment, code, { ...inputOf(enquirer, statement), ...changed }));
  const signed = async (
    name: string,
    comment: string,
    code: ErrorCode,
    changed: object,
    from: Loose = payload,
    by = till,
  ) => bad(name, comment, code, await signLoose(by, 'request', { ...from, ...changed }));

  bad('expired', 'at its end it is over', 'request-expired', jws, { now: NOW + 120 });
  bad('early', 'made more than a minute ahead', 'request-early', jws, { now: NOW - 61 });
  bad('other-broker', 'meant for another broker', 'request-audience', jws, {
    broker: OTHER_BROKER,
  });
  for (const [name, comment, aud] of NO_ORIGINS) {
    await signed(`aud-${name}`, comment, 'statement-malformed', { aud });
  }
  await signed('end-before-beginning', 'it ends when it begins', 'request-lifetime', { exp: NOW });
  await signed('more-than-a-day', 'no request stands longer than a day', 'request-lifetime', {
    exp: NOW + 86_401,
  });
  await signed('login-601', 'a login for 601 s, seen once it is open', 'request-lifetime', {
    exp: NOW + 601,
  });
  await signed(
    'payment-601',
    'a payment for 601 s',
    'request-lifetime',
    { exp: NOW + 601, content: { ...clear.content, kind: 'payment' } },
    clear,
  );
  await signed('other-enquirer', 'another enquirer than signed', ACCOUNT, { iss: 'mallory@example.com' });
  await signed('other-identity', 'another account of that name', ACCOUNT, { iss_id: HASH });
  await signed(
    'stranger',
    'by a device that is not in the enquirer’s account',
    'device-unknown',
    {},
    payload,
    await testDevice(memory, 'broker'),
  );
  await signed('torn-jti', 'a sealed content under another jti', 'seal-broken', {
    jti: encodeBase64url(new Uint8Array(16)),
  });
  await signed('torn-sub', 'a sealed content for another account', 'seal-broken', { sub_id: HASH });
  const withKey = async (name: string, comment: string, code: ErrorCode, sealed: object) =>
    signed(name, comment, code, { sealed: { ...payload.sealed, ...sealed } });
  await withKey('epoch-unknown', 'sealed to an epoch that the device does not know', 'epoch-unknown', {
    epoch: 7,
  });
  await withKey('epoch-too-large', 'a number that readers round', 'statement-malformed', {
    epoch: TOO_LARGE,
  });
  await withKey('digest-mismatch', 'another digest than that of what is sealed', 'digest-mismatch', {
    digest: HASH,
  });
  await withKey('box-flipped', 'sealed bytes changed before it was signed', 'seal-broken', {
    box: `A${payload.sealed.box.slice(1)}`,
  });
  const next = await withEpoch(alice);
  const later = (await ask('next epoch', shop, next)).statement.jws;
  vectors.push(
    valid(
      'second-epoch',
      'sealed to the second epoch',
      inputOf(shop, later, next),
      await found(await ask('next epoch', shop, next)),
    ),
  );
  bad('second-epoch-missing', 'by a device that has not its key', 'epoch-unknown', later);
  const crossed = { ...next, epochs: [next.epochs[1]!, next.epochs[0]!] };
  vectors.push(
    invalid(
      'wrong-epoch-key',
      'opened with the key of another epoch',
      'seal-broken',
      inputOf(shop, later, crossed),
    ),
  );

  const sealedText = async (name: string, comment: string, code: ErrorCode, content: unknown) => {
    const binding = [payload.jti, payload.iss_id, payload.sub_id];
    const { sealed } = await sealContent(
      seeded(`request ${name}`),
      alice.log.epoch,
      PURPOSE.request,
      binding,
      content,
    );
    await signed(name, comment, code, { sealed });
  };
  const inside = { kind: 'login', parts: [{ type: 'p', text: 'Log in?' }], salt: SALT };
  await sealedText('sealed-bidi', 'a text that may not be shown, in the seal', 'statement-malformed', {
    ...inside,
    parts: [{ type: 'p', text: 'pay \u202eboB' }],
  });
  await sealedText('sealed-more', 'a further member in the seal', 'statement-malformed', {
    ...inside,
    note: 'x',
  });
  await sealedText('sealed-text', 'no object in the seal', 'statement-malformed', 'Log in?');
  await sealedText('sealed-kind-unknown', 'a kind that there is not, in the seal', 'statement-malformed', {
    ...inside,
    kind: 'quiz',
  });

  const withRevoked = await withDevice(shop, 'till 2', { rights: ['ask', 'answer'] });
  const [, second] = withRevoked.devices as [TestDevice, TestDevice];
  const bySecond = (await ask('second', withRevoked, alice, {}, second)).statement.jws;
  vectors.push(
    valid(
      'second-device',
      'by the enquirer’s second device',
      inputOf(withRevoked, bySecond),
      await found(await ask('second', withRevoked, alice, {}, second)),
    ),
  );
  bad(
    'revoked',
    'by a device that was revoked',
    'device-revoked',
    bySecond,
    {},
    await withoutDevice(withRevoked, second.kid),
  );
  const answering = await withDevice(shop, 'till 2', { rights: ['answer'] });
  bad('ask-missing', 'by a device without the right to ask', 'device-not-entitled', bySecond, {}, answering);

  await signed('jti-short', 'an id of 15 bytes', 'statement-malformed', { jti: payload.jti.slice(0, 20) });
  await signed('jti-stray-bits', 'an id that is not canonical', 'statement-malformed', {
    jti: strayBits(payload.jti),
  });
  await signed('exp-missing', 'no end', 'statement-malformed', { exp: undefined });
  await signed('member-more', 'a further member', 'statement-malformed', { note: 'x' });
  await signed('content-and-sealed', 'both in clear and sealed', 'statement-malformed', {
    content: clear.content,
  });
  await signed('content-nor-sealed', 'neither', 'statement-malformed', { sealed: undefined });
  await signed('box-padded', 'sealed bytes with padding', 'statement-malformed', {
    sealed: { ...payload.sealed, box: `${payload.sealed.box}==` },
  });
  await signed(
    'clear-bidi',
    'a text that may not be shown, in clear',
    'statement-malformed',
    { content: { ...clear.content, parts: [{ type: 'p', text: 'pay \u202eboB' }] } },
    clear,
  );
  bad(
    'wrong-typ',
    'the same payload as another kind',
    'statement-type',
    await signLoose(till, 'response', payload),
  );
  bad(
    'duplicate-member',
    'a member twice',
    'json-invalid',
    await signLoose(till, 'request', duplicateMember(payload, 'exp')),
  );
  return {
    description:
      'Requests, verified as a device does: by `enquirer_log`, for `broker`, at the time `now`; then opened with the account’s epoch keys (test keys), by number.',
    spec: 'requests.md',
    test_private_keys: keys,
    vectors,
  };
}
