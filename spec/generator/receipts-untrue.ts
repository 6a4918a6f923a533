/**
 * Vectors of receipts that are well signed, and prove nothing.
 * @module
 */
import { type ErrorCode, encodeBase64url, keyFingerprint, type PublicSigningJwk } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import {
  addEntry,
  checkpointFor,
  newAccount,
  revokeEntry,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './accounts.ts';
import { commitQuickly, HASH, SALT } from './asking.ts';
import type { Memory } from './memory.ts';
import { make, PASSCODE, type Scene } from './receipt-making.ts';
import { ACCEPT } from './responses.ts';
import { signWithoutNonce, WEAK_KEY, WEAK_SIGNATURE } from './small-order.ts';
import {
  duplicateMember,
  flipSignature,
  invalid,
  payloadOf,
  TOO_LARGE,
  type Vector,
  withPart,
} from './vector.ts';
import {
  NO_ORIGINS,
  NOW,
  OTHER_BROKER,
  signingJwk,
  signLoose,
  type TestDevice,
  testDevice,
} from './world.ts';

/** Receipts that are well signed, and prove nothing. */
export async function untrueReceipts(memory: Memory): Promise<Vector[]> {
  const vectors: Vector[] = [];
  const push = (name: string, comment: string, code: ErrorCode, receipt: object) =>
    vectors.push(invalid(name, comment, code, { receipt }));
  const bad = async (name: string, comment: string, code: ErrorCode, scene: Scene) =>
    push(name, comment, code, (await make(memory, name, scene)).receipt);
  const passcode = await commitQuickly(PASSCODE);
  await bad('late', 'answered when the request was over', 'response-late', { answeredAt: NOW + 120 });
  await bad('early', 'answered more than a minute before the request', 'response-early', {
    answeredAt: NOW - 61,
  });
  await bad('passcode-wrong', 'with another passcode', 'passcode-wrong', {
    asked: { passcode },
    decided: { ...ACCEPT, passcode: '042043' },
  });
  await bad('passcode-missing', 'without the passcode', 'passcode-missing', { asked: { passcode } });
  await bad('clear-passcode-wrong', 'so in clear', 'passcode-wrong', {
    asked: { passcode, sealed: false },
    decided: { ...ACCEPT, passcode: '042043' },
  });
  await bad('uv-missing', 'without user verification', 'verification-missing', { asked: { uv: true } });
  await bad(
    'checkpoint-stale',
    'a checkpoint a second older than it may be: a revocation may be hidden',
    'checkpoint-stale',
    { checkpointAt: NOW + 5 - 3661 },
  );
  await bad('checkpoint-stale-payment', 'so for a payment', 'checkpoint-stale', {
    asked: { kind: 'payment' },
    checkpointAt: NOW + 5 - 3661,
  });
  await bad('checkpoint-stale-approval', 'so for an approval, after a day', 'checkpoint-stale', {
    asked: { kind: 'approval' },
    checkpointAt: NOW + 5 - 86_461,
  });
  await bad(
    'checkpoint-other-broker',
    'a checkpoint by another broker than the request names',
    'receipt-invalid',
    { checkpointBy: OTHER_BROKER },
  );

  const base = await newAccount(memory, 'alice@example.com');
  const answerOnly = await withDevice(base, 'phone', { rights: ['answer'] });
  const payOnly = await withDevice(base, 'phone', { rights: ['pay'] });
  await bad('pay-missing', 'a payment by a device that may only answer', 'device-not-entitled', {
    account: answerOnly,
    asked: { kind: 'payment' },
  });
  await bad('answer-missing', 'a login by a device that may only pay', 'device-not-entitled', {
    account: payOnly,
  });
  await bad('stranger', 'answered by a device that is not in the account', 'device-unknown', {
    device: await testDevice(memory, 'broker'),
  });
  const mute = await newAccount(memory, 'shop@example.com', 'EdDSA', ['answer', 'admit']);
  await bad('ask-missing', 'asked by a device that may not ask', 'device-not-entitled', { enquirer: mute });

  const { receipt, account, enquirer, broker, request } = await make(memory, 'untrue');
  const [laptop, phone] = account.devices as [TestDevice, TestDevice];
  const { key } = receipt.checkpoint as { key: PublicSigningJwk };
  const withLog = async (name: string, comment: string, code: ErrorCode, log: TestAccount) =>
    push(name, comment, code, {
      ...receipt,
      account_log: log.log.entries,
      checkpoint: { key, statement: await checkpointFor(broker, log.log, NOW + 6) },
    });
  await withLog(
    'revoked',
    'by a device that was revoked',
    'device-revoked',
    await withoutDevice(account, phone.kid),
  );
  await withLog(
    'log-fork',
    'its device knew another log',
    'log-fork',
    await withDevice(await withDevice(base, 'tablet'), 'phone'),
  );
  const grown = await withDevice(account, 'tablet');
  push('checkpoint-shorter', 'a checkpoint for an older head than the log has', 'receipt-invalid', {
    ...receipt,
    account_log: grown.log.entries,
  });
  push('checkpoint-longer', 'a checkpoint for a newer head', 'receipt-invalid', {
    ...receipt,
    checkpoint: { key, statement: await checkpointFor(broker, grown.log, NOW + 6) },
  });
  push('checkpoint-other-account', 'a checkpoint for another account', 'receipt-invalid', {
    ...receipt,
    checkpoint: { key, statement: await checkpointFor(broker, enquirer.log, NOW + 6) },
  });
  push('checkpoint-other-identity', 'a checkpoint for this head of another account', 'receipt-invalid', {
    ...receipt,
    checkpoint: { key, statement: await checkpointFor(broker, { ...account.log, identity: HASH }, NOW + 6) },
  });
  for (const [name, comment, changed] of [
    [
      'checkpoint-other-name',
      'a checkpoint for this head under the name of another account',
      { name: 'mallory@example.com' },
    ],
    [
      'checkpoint-other-seq',
      'a checkpoint for this head under another number',
      { head: { ...account.log.head, seq: 0 } },
    ],
  ] as const) {
    push(name, comment, 'receipt-invalid', {
      ...receipt,
      checkpoint: { key, statement: await checkpointFor(broker, { ...account.log, ...changed }, NOW + 6) },
    });
  }
  const weak = {
    label: '',
    kid: await keyFingerprint(webCrypto, WEAK_KEY),
    opener: phone.opener,
    signer: broker,
  };
  const payload = payloadOf(receipt.checkpoint.statement);
  push(
    'checkpoint-key-of-small-order',
    'a key by which one signature is good for any words',
    'signature-invalid',
    {
      ...receipt,
      checkpoint: {
        key: WEAK_KEY,
        statement: withPart(await signLoose(weak, 'checkpoint', payload), 2, WEAK_SIGNATURE),
      },
    },
  );
  const { statement } = receipt.checkpoint;
  const noNonce = signWithoutNonce(
    signingJwk('broker key', 'EdDSA'),
    statement.slice(0, statement.lastIndexOf('.')),
  );
  push(
    'checkpoint-r-of-small-order',
    'a signature whose first half is a point of small order',
    'signature-invalid',
    {
      ...receipt,
      checkpoint: { key, statement: withPart(statement, 2, noNonce) },
    },
  );
  push('checkpoint-wrong-typ', 'a statement of another kind in its place', 'statement-type', {
    ...receipt,
    checkpoint: { key, statement: receipt.response },
  });
  const later = await make(memory, 'untrue', { account: grown, device: laptop });
  push('log-rollback', 'its device knew a longer log than the receipt holds', 'log-rollback', {
    ...later.receipt,
    account_log: receipt.account_log,
  });

  const respond = async (name: string, comment: string, code: ErrorCode, changed: object, by = phone) =>
    push(name, comment, code, {
      ...receipt,
      response: await signLoose(by, 'response', { ...payloadOf(receipt.response), ...changed }),
    });
  await respond('before-let-in', 'its device says that it knew the log before it was in it', 'log-invalid', {
    head: { seq: 0, hash: account.log.hashes[0] },
  });
  await respond('head-seq-too-large', 'a number that readers round', 'statement-malformed', {
    head: { ...account.log.head, seq: TOO_LARGE },
  });
  await respond('answer-for-other-name', 'an answer in another name', 'account-mismatch', {
    iss: 'mallory@example.com',
  });
  await respond(
    'kid-of-other-device',
    'by one device in the name of another',
    'signature-invalid',
    {},
    { ...phone, kid: laptop.kid },
  );
  await respond('response-in-clear', 'in clear where the request was sealed', 'seal-broken', {
    sealed: undefined,
    content: { decision: 'accept', shown: 'screen', salt: SALT },
  });
  await respond('response-duplicate', 'a member more', 'statement-malformed', { decision: 'accept' });
  push('response-member-twice', 'a member twice', 'json-invalid', {
    ...receipt,
    response: await signLoose(phone, 'response', duplicateMember(payloadOf(receipt.response), 'iat')),
  });

  const disclosing = async (
    name: string,
    comment: string,
    code: ErrorCode,
    which: 'request' | 'response',
    plaintext: string,
  ) => {
    const bytes = new TextEncoder().encode(plaintext);
    const digest = encodeBase64url(await webCrypto.sha256(bytes));
    const by = which === 'request' ? enquirer.devices[0]! : phone;
    const payload = payloadOf(receipt[which]);
    const statement = await signLoose(by, which, { ...payload, sealed: { ...payload.sealed, digest } });
    push(name, comment, code, {
      ...receipt,
      [which]: statement,
      disclosed: { ...receipt.disclosed, [which]: plaintext },
    });
  };
  const decision = { decision: 'accept', shown: 'screen', salt: SALT };
  await disclosing(
    'decision-twice',
    'a decision that says two things',
    'json-invalid',
    'response',
    `{"decision":"reject","decision":"accept","shown":"screen","salt":"${SALT}"}`,
  );
  await disclosing(
    'decision-unknown',
    'a decision that there is not',
    'statement-malformed',
    'response',
    JSON.stringify({ ...decision, decision: 'maybe' }),
  );
  await disclosing(
    'decision-more',
    'a further member of a decision',
    'statement-malformed',
    'response',
    JSON.stringify({ ...decision, note: 'x' }),
  );
  await disclosing('decision-not-json', 'a decision that is not JSON', 'json-invalid', 'response', 'accept');
  await disclosing(
    'question-more',
    'a further member of a question',
    'statement-malformed',
    'request',
    JSON.stringify({ ...request.question, note: 'x' }),
  );
  await disclosing(
    'question-only-buttons',
    'buttons without a question',
    'statement-malformed',
    'request',
    JSON.stringify({ ...request.question, parts: [{ type: 'button', value: 'accept', text: 'x' }] }),
  );
  await disclosing(
    'question-byte-order-mark',
    'a question behind a byte order mark',
    'json-invalid',
    'request',
    `\ufeff${JSON.stringify(request.question)}`,
  );
  await disclosing(
    'question-twice',
    'a question that says two things',
    'json-invalid',
    'request',
    duplicateMember(request.question, 'kind'),
  );

  const asked = async (
    name: string,
    comment: string,
    code: ErrorCode,
    changed: object,
    by = enquirer.devices[0]!,
  ) =>
    push(name, comment, code, {
      ...receipt,
      request: await signLoose(by, 'request', { ...payloadOf(receipt.request), ...changed }),
    });
  await asked('request-endless', 'a request that stands for more than a day', 'request-lifetime', {
    exp: NOW + 86_401,
  });
  await asked('login-601', 'a login that stands for 601 s, seen by its plaintext', 'request-lifetime', {
    exp: NOW + 601,
  });
  const clear = (await make(memory, 'untrue clear', { asked: { sealed: false, kind: 'payment' } })).receipt;
  push('clear-payment-601', 'a payment in clear that stands for 601 s', 'request-lifetime', {
    ...clear,
    request: await signLoose(enquirer.devices[0]!, 'request', {
      ...payloadOf(clear.request),
      exp: NOW + 601,
    }),
  });
  for (const [name, comment, aud] of NO_ORIGINS) {
    await asked(`request-aud-${name}`, comment, 'statement-malformed', { aud });
  }
  await asked('request-never', 'a request that ends before it begins', 'request-lifetime', { exp: NOW - 1 });
  await asked(
    'request-by-stranger',
    'asked by a device that is not in the enquirer’s account',
    'device-unknown',
    {},
    phone,
  );
  await asked('request-for-another', 'the question was put to another account', 'request-mismatch', {
    sub: 'mallory@example.com',
  });
  await asked('request-in-another-name', 'asked in another name', 'account-mismatch', {
    iss: 'mallory@example.com',
  });
  const asking = await withDevice(enquirer, 'till 2', { rights: ['ask'] });
  const till2 = asking.devices[1]!;
  push('request-by-revoked', 'asked by a device that was revoked', 'device-revoked', {
    ...receipt,
    request: await signLoose(till2, 'request', payloadOf(receipt.request)),
    enquirer_log: (await withoutDevice(asking, till2.kid)).log.entries,
  });

  const entry = async (name: string, comment: string, code: ErrorCode, jws: string) =>
    push(name, comment, code, { ...receipt, account_log: [...receipt.account_log, jws] });
  const intruder = await testDevice(memory, 'broker');
  await entry(
    'log-device-of-broker',
    'the broker adds a device of its own',
    'device-unknown',
    await addEntry(account, intruder, 'x', { by: intruder }),
  );
  await entry(
    'log-admit-missing',
    'a device without the right lets another in',
    'device-not-entitled',
    await addEntry(account, intruder, 'x', { by: phone, rights: ['answer'] }),
  );
  await entry(
    'log-wrong-prev',
    'an entry that follows another',
    'log-invalid',
    await addEntry(account, intruder, 'x', { changed: { prev: HASH } }),
  );
  await entry(
    'log-wrong-seq',
    'an entry with another number',
    'log-invalid',
    await addEntry(account, intruder, 'x', { changed: { seq: 7 } }),
  );
  await entry(
    'log-revoke-unknown',
    'a device revoked that was never there',
    'device-unknown',
    await revokeEntry(account, intruder.kid),
  );
  await entry(
    'log-word-by-another',
    'a new device that does not hold its key',
    'signature-invalid',
    await addEntry(account, intruder, 'x', {
      changed: { device: flipSignature(payloadOf(account.log.entries[1]!).device) },
    }),
  );
  await entry(
    'log-epoch-not-sealed',
    'an epoch that is not sealed to every device',
    'log-invalid',
    await signLoose(laptop, 'epoch', {
      sub: account.log.name,
      iat: NOW,
      seq: 2,
      prev: account.log.head.hash,
      epoch: { n: 1, key: account.log.epoch.key, sealed: { [laptop.kid]: 'AAAA' } },
    }),
  );
  return vectors;
}
