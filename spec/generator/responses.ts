/**
 * Vectors of responses, verified as an enquirer does.
 * @module
 */
import {
  createResponse,
  type Decided,
  type ErrorCode,
  type OpenRequest,
  sealContent,
} from '@countersign/core';
import { newAccount, type TestAccount, withDevice, withoutDevice } from './accounts.ts';
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
  withPart,
} from './vector.ts';
import { ALGORITHMS, NOW, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

export const ACCEPT = { decision: 'accept', shown: 'screen' } as const satisfies Decided;

/** An answer by one of the account's devices. */
export function answer(
  label: string,
  account: TestAccount,
  enquirer: TestAccount,
  request: OpenRequest,
  decided: Decided = ACCEPT,
  { device = account.devices[0]!, now = NOW + 5 }: { device?: TestDevice; now?: number } = {},
) {
  const answering = { signer: device.signer, account: account.log, enquirer: enquirer.log, now };
  return createResponse(seeded(`response ${label}`), answering, request, decided);
}

/** Special values for the members of a response whose change would break its form. */
export const RESPONSE_FLIPS = {
  'content.decision': 'reject',
  'content.shown': 'hash',
  'content.passcode': '042043',
} as const;

/** The code of a response of which one member was changed under the old signature. */
export function flippedCode(path: string): ErrorCode {
  if (path === 'req') return 'request-mismatch';
  return path.startsWith('iss') ? 'account-mismatch' : 'signature-invalid';
}

export async function response(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const shop = await newAccount(memory, 'shop@example.com');
  const alice = await withDevice(await newAccount(memory, 'alice@example.com'), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];

  const inputOf = (request: OpenRequest, jws: string, account = alice) => ({
    request: request.statement.jws,
    ...(request.plaintext === undefined ? {} : { request_plaintext: request.plaintext }),
    account_log: account.log.entries,
    epoch_private_keys: shop.epochs,
    response: jws,
  });
  const found = (decided: Decided, device: TestDevice, at = NOW + 5) => ({
    decision: decided.decision,
    device: device.kid,
    iat: at,
  });

  for (const algorithm of ALGORITHMS) {
    const account = await withDevice(await newAccount(memory, 'alice@example.com', algorithm), 'phone');
    const device = account.devices[1]!;
    for (const sealed of [true, false]) {
      const how = `${algorithm}-${sealed ? 'sealed' : 'clear'}`;
      const request = await ask(`for a response ${how}`, shop, account, { sealed });
      const { jws } = (await answer(how, account, shop, request, ACCEPT, { device })).statement;
      vectors.push(
        valid(`${how}-accept`, 'accepted', inputOf(request, jws, account), found(ACCEPT, device)),
        invalid(
          `${how}-signature-flipped`,
          'one bit of the signature turned',
          'signature-invalid',
          inputOf(request, flipSignature(jws), account),
        ),
        ...flipMembers(jws, sealed ? {} : RESPONSE_FLIPS).map(({ path, jws: altered }) =>
          invalid(
            `${how}-${path}-flipped`,
            `${path} changed under the old signature`,
            flippedCode(path),
            inputOf(request, altered, account),
          ),
        ),
      );
    }
  }

  const plain = await ask('plain', shop, alice);
  const clear = await ask('clear', shop, alice, { sealed: false });
  const withPasscode = await ask('with passcode', shop, alice, { passcode: await commitQuickly('042042') });
  const withUv = await ask('with uv', shop, alice, { uv: true });

  interface More {
    account?: TestAccount;
    device?: TestDevice;
    now?: number;
  }
  const good = async (
    name: string,
    comment: string,
    request: OpenRequest,
    decided: Decided,
    { account = alice, device = account.devices[0]!, now = NOW + 5 }: More = {},
  ) => {
    const { statement } = await answer(name, account, shop, request, decided, { device, now });
    vectors.push(valid(name, comment, inputOf(request, statement.jws, account), found(decided, device, now)));
  };
  const bad = async (
    name: string,
    comment: string,
    code: ErrorCode,
    request: OpenRequest,
    decided: Decided,
    {
      account = alice,
      device = account.devices[0]!,
      now = NOW + 5,
      by = account,
    }: More & { by?: TestAccount } = {},
  ) => {
    const { statement } = await answer(name, account, shop, request, decided, { device, now });
    vectors.push(invalid(name, comment, code, inputOf(request, statement.jws, by)));
  };

  await good('reject', 'rejected', plain, { decision: 'reject', shown: 'screen' });
  await good('fraud', 'rejected as fraud', plain, { decision: 'fraud', shown: 'hash' });
  await good('shown-by-caller', 'shown by the word of a caller', plain, {
    decision: 'accept',
    shown: 'caller',
  });
  await good('passcode', 'with the passcode', withPasscode, { ...ACCEPT, passcode: '042042' });
  await good('passcode-not-asked-for', 'a passcode that was not asked for is not looked at', plain, {
    ...ACCEPT,
    passcode: '042042',
  });
  await good('passcode-failed', 'ended by the device after wrong passcodes', withPasscode, {
    decision: 'passcode-failed',
    failures: 3,
  });
  await good('reject-without-passcode', 'a reject needs no passcode', withPasscode, {
    decision: 'reject',
    shown: 'screen',
  });
  await good('uv', 'with user verification', withUv, { ...ACCEPT, uv: true });
  await good('reject-without-uv', 'a reject needs no user verification', withUv, {
    decision: 'reject',
    shown: 'screen',
  });
  await good('last-second', 'one second before the end', plain, ACCEPT, { now: NOW + 119 });
  await good('clock-behind', 'by a clock a minute behind the enquirer’s', plain, ACCEPT, { now: NOW - 60 });
  const answerOnly = await withDevice(alice, 'answering', { rights: ['answer'] });
  const payOnly = await withDevice(alice, 'paying', { rights: ['pay'] });
  const payment = await ask('payment', shop, alice, { kind: 'payment' });
  const approval = await ask('approval', shop, alice, { kind: 'approval' });
  await good('payment-by-paying-device', 'a payment, by a device that may pay', payment, ACCEPT, {
    account: payOnly,
    device: payOnly.devices[2]!,
  });
  await good('approval-by-answering-device', 'an approval, by a device that may answer', approval, ACCEPT, {
    account: answerOnly,
    device: answerOnly.devices[2]!,
  });
  {
    const grown = await withDevice(alice, 'tablet');
    const { statement } = await answer('older head', alice, shop, plain);
    vectors.push(
      valid(
        'older-head',
        'the log has grown since',
        inputOf(plain, statement.jws, grown),
        found(ACCEPT, laptop),
      ),
    );
  }

  await good('failures-largest', 'the largest whole number', withPasscode, {
    decision: 'passcode-failed',
    failures: Number.MAX_SAFE_INTEGER,
  });

  await bad('late', 'made when the request was over', 'response-late', plain, ACCEPT, { now: NOW + 120 });
  await bad('early', 'made more than a minute before the request', 'response-early', plain, ACCEPT, {
    now: NOW - 61,
  });
  await bad('passcode-wrong', 'another passcode', 'passcode-wrong', withPasscode, {
    ...ACCEPT,
    passcode: '042043',
  });
  await bad('passcode-missing', 'no passcode', 'passcode-missing', withPasscode, ACCEPT);
  await bad('uv-missing', 'no user verification', 'verification-missing', withUv, ACCEPT);
  await bad(
    'payment-by-answering-device',
    'a payment, by a device that may only answer',
    'device-not-entitled',
    payment,
    ACCEPT,
    { account: answerOnly, device: answerOnly.devices[2]! },
  );
  await bad(
    'login-by-paying-device',
    'a login, by a device that may only pay',
    'device-not-entitled',
    plain,
    ACCEPT,
    { account: payOnly, device: payOnly.devices[2]! },
  );
  await bad(
    'reject-by-paying-device',
    'a reject needs the right too',
    'device-not-entitled',
    plain,
    { decision: 'reject', shown: 'screen' },
    { account: payOnly, device: payOnly.devices[2]! },
  );
  await bad('stranger', 'by a device that is not in the account', 'device-unknown', plain, ACCEPT, {
    device: await testDevice(memory, 'broker'),
  });
  await bad('revoked', 'by a device that was revoked', 'device-revoked', plain, ACCEPT, {
    device: phone,
    by: await withoutDevice(alice, phone.kid),
  });
  const longer = await withDevice(alice, 'tablet');
  await bad(
    'head-beyond',
    'its device knew a longer log than the one at hand',
    'log-rollback',
    plain,
    ACCEPT,
    { account: longer, device: laptop, by: alice },
  );
  const other = await withDevice(await newAccount(memory, 'alice@example.com'), 'other phone');
  await bad('head-fork', 'its device knew another log', 'log-fork', plain, ACCEPT, {
    account: other,
    device: laptop,
    by: alice,
  });

  const { statement: sealedAnswer, plaintext } = await answer('base', alice, shop, plain);
  const clearAnswer = (await answer('clear', alice, shop, clear)).statement;
  const payload = payloadOf(sealedAnswer.jws);
  const inClear = payloadOf(clearAnswer.jws);
  const push = (
    name: string,
    comment: string,
    code: ErrorCode,
    jws: string,
    request = plain,
    account = alice,
  ) => vectors.push(invalid(name, comment, code, inputOf(request, jws, account)));
  const signed = async (
    name: string,
    comment: string,
    code: ErrorCode,
    changed: object,
    from: Loose = payload,
    request = from === payload ? plain : clear,
    by = laptop,
  ) => push(name, comment, code, await signLoose(by, 'response', { ...from, ...changed }), request);

  push('other-request', 'an answer to another request', 'request-mismatch', sealedAnswer.jws, withUv);
  push(
    'same-question-again',
    'the same question asked again is another request',
    'request-mismatch',
    sealedAnswer.jws,
    await ask('plain again', shop, alice),
  );
  await signed(
    'before-let-in',
    'its device says that it knew the log before it was in it',
    'log-invalid',
    { head: { seq: 0, hash: alice.log.hashes[0] } },
    payload,
    plain,
    phone,
  );
  await signed('other-account', 'by another account', 'account-mismatch', { iss: 'mallory@example.com' });
  await signed('other-identity', 'by another account of that name', 'account-mismatch', { iss_id: HASH });
  const mallory = await newAccount(memory, 'mallory@example.com');
  push('other-log', 'with the log of another account', 'account-mismatch', sealedAnswer.jws, plain, mallory);
  await signed(
    'clear-for-sealed',
    'in clear where the request was sealed',
    'seal-broken',
    { ...inClear, req: plain.statement.hash },
    {},
    plain,
  );
  await signed(
    'sealed-for-clear',
    'sealed where the request was in clear',
    'seal-broken',
    { ...payload, req: clear.statement.hash },
    {},
    clear,
  );
  await signed('epoch-unknown', 'sealed to an epoch that the enquirer does not know', 'epoch-unknown', {
    sealed: { ...payload.sealed, epoch: 9 },
  });
  await signed('digest-mismatch', 'another digest than that of what is sealed', 'digest-mismatch', {
    sealed: { ...payload.sealed, digest: HASH },
  });
  await signed('box-flipped', 'sealed bytes changed before it was signed', 'seal-broken', {
    sealed: { ...payload.sealed, box: `A${payload.sealed.box.slice(1)}` },
  });
  const moved = payloadOf((await answer('moved', alice, shop, withUv)).statement.jws);
  await signed('seal-of-another-answer', 'the seal of an answer to another request', 'seal-broken', {
    sealed: moved.sealed,
  });

  const sealedText = async (name: string, comment: string, code: ErrorCode, content: unknown) => {
    const { sealed } = await sealContent(
      seeded(`response ${name}`),
      shop.log.epoch,
      PURPOSE.response,
      [payload.req, payload.iss_id],
      content,
    );
    await signed(name, comment, code, { sealed });
  };
  const decision = JSON.parse(plaintext!);
  await sealedText('sealed-decision-unknown', 'a decision that there is not', 'statement-malformed', {
    ...decision,
    decision: 'maybe',
  });
  await sealedText('sealed-more', 'a further member', 'statement-malformed', { ...decision, note: 'x' });
  await sealedText('sealed-reject-with-passcode', 'a reject carries no passcode', 'statement-malformed', {
    ...decision,
    decision: 'reject',
    passcode: '042042',
  });
  await sealedText('sealed-passcode-letters', 'a passcode is six digits', 'statement-malformed', {
    ...decision,
    passcode: '04204a',
  });
  await sealedText('sealed-shown-missing', 'the way by which it was shown is said', 'statement-malformed', {
    ...decision,
    shown: undefined,
  });
  await sealedText('sealed-failures-0', 'failures are counted from 1', 'statement-malformed', {
    decision: 'passcode-failed',
    failures: 0,
    salt: SALT,
  });
  await sealedText('sealed-failures-too-large', 'a number that readers round', 'statement-malformed', {
    decision: 'passcode-failed',
    failures: TOO_LARGE,
    salt: SALT,
  });
  await sealedText('sealed-salt-stray-bits', 'a salt that is not canonical', 'statement-malformed', {
    ...decision,
    salt: strayBits(SALT),
  });

  await signed('member-more', 'a further member', 'statement-malformed', { note: 'x' });
  await signed('head-seq-too-large', 'a number that readers round', 'statement-malformed', {
    head: { ...payload.head, seq: TOO_LARGE },
  });
  await signed('head-missing', 'no head', 'statement-malformed', { head: undefined });
  await signed('content-and-sealed', 'both in clear and sealed', 'statement-malformed', {
    content: inClear.content,
  });
  push(
    'wrong-typ',
    'the same payload as another kind',
    'statement-type',
    await signLoose(laptop, 'request', payload),
  );
  push(
    'duplicate-member',
    'a member twice',
    'json-invalid',
    await signLoose(laptop, 'response', duplicateMember(payload, 'req')),
  );
  push(
    'signature-stray-bits',
    'the signature in a text that is not canonical',
    'encoding-invalid',
    withPart(sealedAnswer.jws, 2, strayBits(sealedAnswer.jws.split('.')[2]!)),
  );
  return {
    description:
      'Responses, verified as an enquirer does: to its own `request`, by `account_log`, and opened with its epoch keys (test keys), by number. `request_plaintext` is what the enquirer sealed.',
    spec: 'responses.md',
    test_private_keys: { epoch_private_keys: shop.epochs },
    vectors,
  };
}
