import {
  createRevocation,
  createTextSignature,
  type ErrorCode,
  extendLog,
  judgeText,
  TextSignatureStatement,
  verifyTextSignature,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { newAccount, withDevice } from './accounts.ts';
import { expectOf } from './kinds.ts';
import type { Memory } from './memory.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { NOW, seeded, signLoose } from './world.ts';

const TEXT = 'Our new account is DE02 1203 0000 0000 2020 51';

export async function textSignature(memory: Memory): Promise<VectorFile> {
  const founded = await newAccount(memory, 'help@bank.example');
  const bank = await withDevice(founded, 'phone', { rights: ['ask', 'admit', 'recover'] });
  const [laptop, phone] = bank.devices;
  const { entries } = bank.log;
  const crypto = seeded('text signature');
  const about = { text: TEXT, now: NOW };
  const good = await createTextSignature(crypto, laptop!.signer, bank.log, about);
  const short = await createTextSignature(crypto, laptop!.signer, bank.log, { ...about, lifetime: 30 });
  const payload = payloadOf(good.jws);
  const judged = async (name: string, comment: string, jws: string, text: string, now: number) => {
    const verified = await verifyTextSignature(webCrypto, jws, bank.log);
    const expect = {
      ...(await expectOf(jws, laptop!)),
      verdict: await judgeText(webCrypto, verified, text, now),
    };
    return valid(name, comment, { signature: jws, entries, text, now }, expect);
  };
  const bad = (name: string, comment: string, code: ErrorCode, signature: string, log = entries) =>
    invalid(name, comment, code, { signature, entries: log, text: TEXT, now: NOW });
  const loose = (changed: object, by = laptop!) =>
    signLoose(by, 'text-signature', { ...payload, ...changed });

  const without = async (reason: 'retired' | 'lost') => {
    const { jws } = await createRevocation(crypto, bank.log, phone!.signer, laptop!.kid, reason, NOW - 10);
    return extendLog(webCrypto, bank.log, [jws]);
  };
  const retired = await without('retired');
  const vectors: Vector[] = [
    await judged('valid', 'the text that was signed', good.jws, TEXT, NOW),
    await judged('for-good', 'a signature without an end, years later', good.jws, TEXT, NOW + 999_999_999),
    await judged(
      'white-space',
      'chat and mail change it',
      good.jws,
      ` ${TEXT.replaceAll(' ', '\r\n ')}\n`,
      NOW,
    ),
    await judged('altered', 'one digit', good.jws, TEXT.replace('51', '52'), NOW),
    await judged('small-letters', 'letters count', good.jws, TEXT.toLowerCase(), NOW),
    await judged('invisible', 'what nobody sees counts', good.jws, `${TEXT}\u200b`, NOW),
    await judged('empty', 'nothing is no text', good.jws, ' ', NOW),
    await judged('in-time', 'a second before its end', short.jws, TEXT, NOW + 29),
    await judged('expired', 'the text, at its end', short.jws, TEXT, NOW + 30),
    await judged('expired-altered', 'another text after the end is invalid', short.jws, 'x', NOW + 30),
    valid(
      'retired',
      'a device that was retired since',
      { signature: good.jws, entries: retired.entries, text: TEXT, now: NOW },
      { ...(await expectOf(good.jws, laptop!)), verdict: 'valid' },
    ),
    bad('lost', 'a device that was lost since', 'device-revoked', good.jws, (await without('lost')).entries),
    bad(
      'after-retirement',
      'at a head at which the device had been shown out',
      'device-revoked',
      await loose({ head: { seq: retired.head.seq, hash: retired.head.hash } }),
      retired.entries,
    ),
    bad('shorter-log', 'the device knew more of the log', 'log-rollback', good.jws, entries.slice(0, 1)),
    bad(
      'other-head',
      'the device knew another log',
      'log-fork',
      await loose({ head: { ...payload.head, hash: payload.digest } }),
    ),
    bad('other-name', 'of another account', 'account-mismatch', await loose({ iss: 'help@bunk.example' })),
    bad(
      'other-identity',
      'of another account of that name',
      'account-mismatch',
      await loose({ iss_id: payload.digest }),
    ),
    bad('too-short', '29 seconds', 'signature-lifetime', await loose({ exp: NOW + 29 })),
    bad(
      'too-long',
      'a second more than 92 days',
      'signature-lifetime',
      await loose({ exp: NOW + 92 * 86_400 + 1 }),
    ),
    bad(
      'salt-short',
      'a salt of 15 bytes',
      'statement-malformed',
      await loose({ salt: payload.salt.slice(2) }),
    ),
    bad('member-more', 'a further member', 'statement-malformed', await loose({ text: TEXT })),
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(good.jws)),
  ];
  for (const { path, jws } of flipMembers(good.jws, {
    iss: null,
    iss_id: null,
    'head.seq': null,
    'head.hash': null,
  })) {
    vectors.push(bad(`${path}-flipped`, `${path} changed under the old signature`, 'signature-invalid', jws));
  }
  const weak = await withDevice(founded, 'kiosk', { rights: ['answer'] });
  const kiosk = await createTextSignature(crypto, weak.devices[1]!.signer, weak.log, about);
  vectors.push(
    bad('no-right', 'by a device that may not ask', 'device-not-entitled', kiosk.jws, weak.log.entries),
    bad('unknown-device', 'by a device of nobody', 'device-unknown', await loose({}, weak.devices[1]!)),
  );
  return {
    description: `A statement of type \`${TextSignatureStatement.typ}\`, verified by the log \`entries\`, and what it says of \`text\` at the time \`now\`.`,
    spec: 'text-signatures.md#verifying',
    vectors,
  };
}
