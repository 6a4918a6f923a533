/**
 * Vectors of receipts: what somebody verifies years later, with nothing but the file.
 * @module
 */
import { type Receipt, statementId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { newAccount, withDevice, withoutDevice } from './accounts.ts';
import { commitQuickly } from './asking.ts';
import type { Memory } from './memory.ts';
import { make, PASSCODE, type Scene } from './receipt-making.ts';
import { alteredReceipts } from './receipts-altered.ts';
import { receiptsOfChangedDevices } from './receipts-devices.ts';
import { receiptsOfMembers } from './receipts-members.ts';
import { untrueReceipts } from './receipts-untrue.ts';
import { ACCEPT } from './responses.ts';
import { shareLogs } from './shared-logs.ts';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { ALGORITHMS, NOW } from './world.ts';

export async function receipt(memory: Memory): Promise<VectorFile> {
  return {
    description:
      'Receipts, verified offline. Where a vector has `logs`, its `receipt` has, beside what stands there, each of the members that `logs` names: the log of that name in the `logs` of this file.',
    spec: 'receipts.md',
    ...shareLogs([
      ...(await goodReceipts(memory)),
      ...(await alteredReceipts(memory)),
      ...(await untrueReceipts(memory)),
      ...(await malformedReceipts(memory)),
      ...(await receiptsOfMembers(memory)),
    ]),
  };
}

async function goodReceipt(
  memory: Memory,
  name: string,
  comment: string,
  scene: Scene = {},
): Promise<Vector> {
  const { receipt, account, enquirer } = await make(memory, name, scene);
  const {
    decided = ACCEPT,
    device = account.devices[1]!,
    answeredAt = NOW + 5,
    checkpointAt = NOW + 6,
  } = scene;
  return valid(
    name,
    comment,
    { receipt },
    {
      account: { name: account.log.name, fingerprint: await statementId(webCrypto, account.log.identity) },
      enquirer: { name: enquirer.log.name, fingerprint: await statementId(webCrypto, enquirer.log.identity) },
      decision: decided.decision,
      device: device.kid,
      asked_at: NOW,
      answered_at: answeredAt,
      checkpoint_at: checkpointAt,
    },
  );
}

async function goodReceipts(memory: Memory): Promise<Vector[]> {
  const vectors: Vector[] = [];
  const passcode = await commitQuickly(PASSCODE);
  const good = async (name: string, comment: string, scene?: Scene) => {
    vectors.push(await goodReceipt(memory, name, comment, scene));
  };
  for (const algorithm of ALGORITHMS) {
    for (const sealed of [true, false]) {
      const how = `${algorithm}-${sealed ? 'sealed' : 'clear'}`;
      await good(`${how}-accept`, 'accepted, with a passcode', {
        algorithm,
        asked: { sealed, passcode },
        decided: { ...ACCEPT, passcode: PASSCODE },
      });
      await good(`${how}-reject`, 'rejected', {
        algorithm,
        asked: { sealed },
        decided: { decision: 'reject', shown: 'screen' },
      });
    }
  }
  await good('fraud', 'rejected as fraud', { decided: { decision: 'fraud', shown: 'screen' } });
  await good('passcode-failed', 'ended by wrong passcodes', {
    asked: { passcode },
    decided: { decision: 'passcode-failed', failures: 3 },
  });
  await good('uv', 'with user verification', { asked: { uv: true }, decided: { ...ACCEPT, uv: true } });
  await good('payment', 'a payment with fields', {
    asked: {
      kind: 'payment',
      parts: [
        { type: 'h1', text: 'Pay the bill?' },
        { type: 'button', value: 'accept', text: 'Pay' },
      ],
      fields: [{ name: 'amount', value: '€12.50' }],
    },
  });
  await good('approval', 'an approval, answered after 23 hours', {
    asked: { kind: 'approval' },
    answeredAt: NOW + 82_800,
    checkpointAt: NOW + 82_900,
  });
  await good('last-second', 'answered one second before the end', { answeredAt: NOW + 119 });
  await good('clock-behind', 'answered by a clock a minute behind', {
    answeredAt: NOW - 60,
    checkpointAt: NOW,
  });
  await good('checkpoint-oldest', 'a checkpoint an hour and a minute before the answer', {
    checkpointAt: NOW + 5 - 3660,
  });
  await good('checkpoint-day', 'for an approval, a day and a minute', {
    asked: { kind: 'approval' },
    checkpointAt: NOW + 5 - 86_460,
  });
  await good('checkpoint-later', 'a checkpoint of a later day', { checkpointAt: NOW + 1_000_000 });
  const alice = await withDevice(
    await withDevice(await newAccount(memory, 'alice@example.com'), 'phone'),
    'tablet',
    { algorithm: 'ES256' },
  );
  const after = await withoutDevice(alice, alice.devices[1]!.kid);
  await good('another-device-revoked', 'after another device was revoked, and in a new epoch', {
    account: after,
    device: alice.devices[2]!,
  });
  await good('mixed-algorithms', 'a device of ES256 in an account of EdDSA', {
    account: alice,
    device: alice.devices[2]!,
  });
  const shop = await newAccount(memory, 'shop@example.com');
  await good('enquirer-grown', 'an enquirer with several entries', {
    enquirer: await withoutDevice(
      await withDevice(shop, 'till 2'),
      (await withDevice(shop, 'till 2')).devices[1]!.kid,
    ),
  });
  const notGood = await receiptsOfChangedDevices(memory, good);
  return [...vectors, ...notGood];
}

async function malformedReceipts(memory: Memory): Promise<Vector[]> {
  const { receipt } = await make(memory, 'malformed');
  const { statement, key } = receipt.checkpoint;
  const bad = (name: string, comment: string, changed: unknown) =>
    invalid(name, comment, 'receipt-invalid', { receipt: changed });
  const without = (member: keyof Receipt) =>
    Object.fromEntries(Object.entries(receipt).filter(([name]) => name !== member));
  return [
    bad('other-version', 'another version', { ...receipt, countersign: 'receipt/2' }),
    ...(['countersign', 'request', 'response', 'enquirer_log', 'account_log', 'checkpoint'] as const).map(
      (member) => bad(`${member}-missing`, `without ${member}`, without(member)),
    ),
    bad('member-more', 'a further member', { ...receipt, note: 'x' }),
    bad('account-log-empty', 'no entries', { ...receipt, account_log: [] }),
    bad('enquirer-log-empty', 'no entries', { ...receipt, enquirer_log: [] }),
    bad('log-not-a-list', 'a log that is no list', { ...receipt, account_log: receipt.account_log[0] }),
    bad('request-not-a-text', 'a request that is no text', { ...receipt, request: { jws: receipt.request } }),
    bad('request-too-long', 'a statement of more than 65536 characters', {
      ...receipt,
      request: 'A'.repeat(65_537),
    }),
    bad('disclosed-response-missing', 'one plaintext of two', {
      ...receipt,
      disclosed: { request: receipt.disclosed!.request },
    }),
    bad('disclosed-more', 'a third plaintext', {
      ...receipt,
      disclosed: { ...receipt.disclosed, more: 'x' },
    }),
    bad('checkpoint-key-missing', 'a checkpoint without its key', { ...receipt, checkpoint: { statement } }),
    bad('checkpoint-key-private', 'a private key in it', {
      ...receipt,
      checkpoint: { statement, key: { ...key, d: (key as { x: string }).x } },
    }),
    bad('checkpoint-key-rsa', 'a key of another type', {
      ...receipt,
      checkpoint: { statement, key: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } },
    }),
    bad('list', 'a list', [receipt]),
    bad('text', 'a text', 'receipt/1'),
    bad('null', 'nothing', null),
  ];
}
