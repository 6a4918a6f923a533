/**
 * Vectors of receipts of which something was changed after they were made.
 * @module
 */
import type { Decided, ErrorCode } from '@countersign/core';
import { newAccount } from './accounts.ts';
import { commitQuickly } from './asking.ts';
import type { Memory } from './memory.ts';
import { make, PASSCODE } from './receipt-making.ts';
import { ACCEPT, flippedCode, RESPONSE_FLIPS } from './responses.ts';
import { flipMembers, flipSignature, invalid, strayBits, type Vector, withPart } from './vector.ts';
import { OTHER_BROKER, testSigner } from './world.ts';

/** Receipts of which something was changed after they were made. */
export async function alteredReceipts(memory: Memory): Promise<Vector[]> {
  const vectors: Vector[] = [];
  const push = (name: string, comment: string, code: ErrorCode, receipt: object) =>
    vectors.push(invalid(name, comment, code, { receipt }));
  const passcode = await commitQuickly(PASSCODE);
  const decided: Decided = { ...ACCEPT, passcode: PASSCODE };
  for (const sealed of [true, false]) {
    const how = sealed ? 'sealed' : 'clear';
    const { receipt } = await make(memory, `altered ${how}`, { asked: { sealed, passcode }, decided });
    const special = {
      aud: OTHER_BROKER,
      'content.kind': 'payment',
      'content.parts.0.type': 'p',
      'content.passcode.alg': null,
      'content.passcode.p': null,
    };
    for (const { path, jws } of flipMembers(receipt.request, sealed ? { aud: OTHER_BROKER } : special)) {
      push(
        `${how}-request-${path}-flipped`,
        `${path} of the request changed under the old signature`,
        path.startsWith('iss') ? 'account-mismatch' : 'signature-invalid',
        { ...receipt, request: jws },
      );
    }
    for (const { path, jws } of flipMembers(
      receipt.response,
      sealed ? {} : { ...RESPONSE_FLIPS, 'content.decision': null },
    )) {
      push(
        `${how}-response-${path}-flipped`,
        `${path} of the response changed under the old signature`,
        flippedCode(path),
        { ...receipt, response: jws },
      );
    }
  }
  const { receipt } = await make(memory, 'altered', { asked: { passcode }, decided });
  const es256 = (await make(memory, 'altered', { algorithm: 'ES256', asked: { passcode }, decided })).receipt;
  const { statement, key } = receipt.checkpoint;
  for (const { path, jws } of flipMembers(statement, { iss: OTHER_BROKER })) {
    push(
      `checkpoint-${path}-flipped`,
      `${path} of the checkpoint changed under the old signature`,
      'signature-invalid',
      { ...receipt, checkpoint: { statement: jws, key } },
    );
  }
  for (const [how, one] of [
    ['EdDSA', receipt],
    ['ES256', es256],
  ] as const) {
    push(`${how}-request-signature`, 'one bit of the request’s signature turned', 'signature-invalid', {
      ...one,
      request: flipSignature(one.request),
    });
    push(`${how}-response-signature`, 'one bit of the response’s signature turned', 'signature-invalid', {
      ...one,
      response: flipSignature(one.response),
    });
    push(`${how}-checkpoint-signature`, 'one bit of the checkpoint’s signature turned', 'signature-invalid', {
      ...one,
      checkpoint: { ...one.checkpoint, statement: flipSignature(one.checkpoint.statement) },
    });
    for (const log of ['account_log', 'enquirer_log'] as const) {
      for (const i of one[log].keys()) {
        push(
          `${how}-${log}-${i}-signature`,
          `one bit of the signature of entry ${i} turned`,
          'signature-invalid',
          { ...one, [log]: one[log].with(i, flipSignature(one[log][i]!)) },
        );
      }
    }
  }
  push(
    'response-stray-bits',
    'the response’s signature in a text that is not canonical',
    'encoding-invalid',
    { ...receipt, response: withPart(receipt.response, 2, strayBits(receipt.response.split('.')[2]!)) },
  );
  push('checkpoint-other-key', 'another key for the checkpoint', 'signature-invalid', {
    ...receipt,
    checkpoint: { statement, key: (await testSigner(memory, 'another broker')).publicKey },
  });
  const { disclosed } = receipt as { disclosed: { request: string; response: string } };
  const disclose = (name: string, comment: string, code: ErrorCode, changed: object) =>
    push(name, comment, code, { ...receipt, disclosed: changed });
  disclose('disclosed-request-altered', 'a word of the question changed', 'digest-mismatch', {
    ...disclosed,
    request: disclosed.request.replace('shop', 'bank'),
  });
  disclose('disclosed-request-respelt', 'the same question with a space more', 'digest-mismatch', {
    ...disclosed,
    request: `${disclosed.request} `,
  });
  disclose('disclosed-response-altered', 'accept made reject', 'digest-mismatch', {
    ...disclosed,
    response: disclosed.response.replace('accept', 'reject'),
  });
  disclose('disclosed-passcode-altered', 'another passcode', 'digest-mismatch', {
    ...disclosed,
    response: disclosed.response.replace(PASSCODE, '042043'),
  });
  disclose('disclosed-swapped', 'each in the other’s place', 'digest-mismatch', {
    request: disclosed.response,
    response: disclosed.request,
  });
  const { disclosed: _, ...undisclosed } = receipt;
  push('disclosed-missing', 'sealed statements without their plaintexts', 'receipt-invalid', undisclosed);
  const clear = (await make(memory, 'altered clear', { asked: { sealed: false } })).receipt;
  push(
    'disclosed-where-clear',
    'plaintexts where nothing was sealed: nobody signed them',
    'receipt-invalid',
    { ...clear, disclosed },
  );

  const other = (await make(memory, 'another', { asked: { passcode }, decided })).receipt;
  push('other-request', 'the request of another receipt', 'digest-mismatch', {
    ...receipt,
    request: other.request,
  });
  push('other-request-disclosed', 'so with its plaintext', 'request-mismatch', {
    ...receipt,
    request: other.request,
    disclosed: { ...disclosed, request: other.disclosed!.request },
  });
  push('other-response', 'the response of another receipt', 'request-mismatch', {
    ...receipt,
    response: other.response,
  });
  push('logs-swapped', 'each log in the other’s place', 'account-mismatch', {
    ...receipt,
    account_log: receipt.enquirer_log,
    enquirer_log: receipt.account_log,
  });
  push('account-log-cut', 'the log ends before the device was let in', 'device-unknown', {
    ...receipt,
    account_log: receipt.account_log.slice(0, 1),
  });
  push('account-log-other', 'the log of another account', 'account-mismatch', {
    ...receipt,
    account_log: (await newAccount(memory, 'mallory@example.com')).log.entries,
  });
  push('enquirer-log-other', 'the log of another enquirer', 'account-mismatch', {
    ...receipt,
    enquirer_log: (await newAccount(memory, 'mallory@example.com')).log.entries,
  });
  push('account-log-gap', 'the first entry is left out', 'statement-type', {
    ...receipt,
    account_log: receipt.account_log.slice(1),
  });
  push('request-as-response', 'a request where the response belongs', 'statement-type', {
    ...receipt,
    response: receipt.request,
  });
  push('response-as-request', 'a response where the request belongs', 'statement-type', {
    ...receipt,
    request: receipt.response,
  });
  push('checkpoint-as-entry', 'a checkpoint where an entry belongs', 'statement-type', {
    ...receipt,
    account_log: [...receipt.account_log, statement],
  });
  return vectors;
}
