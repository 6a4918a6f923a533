/**
 * Vectors of the kinds that stand by themselves.
 * @module
 */
import {
  CancelStatement,
  DeviceStatement,
  encodeBase64url,
  InvitationCancelStatement,
  ReportStatement,
  type StatementKind,
  signStatement,
  statementId,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { deviceWord, newAccount } from './accounts.ts';
import type { Memory } from './memory.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  strayBits,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, NOW, publicOf, signLoose, type TestDevice, testDevice } from './world.ts';

export const REQ = encodeBase64url(new Uint8Array(32).fill(7));

const utf8 = new TextEncoder();

export async function expectOf(jws: string, by: TestDevice) {
  const hash = encodeBase64url(await webCrypto.sha256(utf8.encode(jws.slice(0, jws.lastIndexOf('.')))));
  return { hash, id: await statementId(webCrypto, hash), kid: by.kid };
}

/** Good ones of both algorithms, every member changed, every member missing, and one more. */
export async function kindVectors(
  memory: Memory,
  kind: StatementKind,
  payload: object,
  bad: { name: string; comment: string; payload: object }[] = [],
  special: Readonly<Record<string, unknown>> = {},
): Promise<Vector[]> {
  const vectors: Vector[] = [];
  const { typ } = kind;
  const name = typ.slice('countersign-'.length, -'+jwt'.length);
  for (const algorithm of ALGORITHMS) {
    const device = await testDevice(memory, `${name} vectors`, algorithm);
    const key = publicOf(device);
    const { jws } = await signStatement(webCrypto, kind, device.signer, payload);
    vectors.push(
      valid(
        `${algorithm}-good`,
        `a ${name} statement`,
        { typ, key, statement: jws },
        await expectOf(jws, device),
      ),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        typ,
        key,
        statement: flipSignature(jws),
      }),
    );
    for (const { path, jws: statement } of flipMembers(jws, special)) {
      vectors.push(
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          { typ, key, statement },
        ),
      );
    }
  }
  const device = await testDevice(memory, `${name} vectors`);
  const key = publicOf(device);
  const malformed = async (vector: string, comment: string, changed: object) =>
    vectors.push(
      invalid(vector, comment, 'statement-malformed', {
        typ,
        key,
        statement: await signLoose(device, name, changed),
      }),
    );
  for (const member of Object.keys(payload)) {
    const { [member as never]: _, ...less } = payload;
    await malformed(`${member}-missing`, `without ${member}`, less);
  }
  await malformed('member-more', 'a further member', { ...payload, more: 1 });
  for (const one of bad) await malformed(one.name, one.comment, one.payload);
  vectors.push(
    invalid('wrong-typ', 'the same payload as another kind', 'statement-type', {
      typ,
      key,
      statement: await signLoose(device, name === 'cancel' ? 'report' : 'cancel', payload),
    }),
  );
  return vectors;
}

export const READ = '`statement` is read as a statement of `typ`, and verified by `key`.';

export async function cancel(memory: Memory): Promise<VectorFile> {
  return {
    description: `An enquirer’s cancelling of its own request. ${READ}`,
    spec: 'requests.md#cancel',
    vectors: await kindVectors(memory, CancelStatement, { req: REQ, iat: NOW }),
  };
}

export async function invitationCancel(memory: Memory): Promise<VectorFile> {
  return {
    description: `A device’s taking back of an invitation. ${READ}`,
    spec: 'enrolment.md#invitation-cancel',
    vectors: await kindVectors(memory, InvitationCancelStatement, { sub_id: REQ, ticket: REQ, iat: NOW }),
  };
}

export async function report(memory: Memory): Promise<VectorFile> {
  return {
    description: `A device’s report to the broker that a request is fraud. ${READ}`,
    spec: 'responses.md#report',
    vectors: await kindVectors(memory, ReportStatement, { req: REQ, iat: NOW }),
  };
}

export async function device(memory: Memory): Promise<VectorFile> {
  const { log } = await newAccount(memory, 'alice@example.com');
  const { typ } = DeviceStatement;
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    const device = await testDevice(memory, 'device vectors', algorithm);
    const key = publicOf(device);
    const jws = await deviceWord(log, device, 'phone');
    vectors.push(
      valid(
        `${algorithm}-good`,
        'a device’s own word; its key is the one that it holds',
        { typ, key, statement: jws },
        await expectOf(jws, device),
      ),
    );
    const special = { 'sig.kty': null, 'sig.crv': null, 'enc.kty': null, 'enc.crv': null };
    for (const { path, jws: statement } of flipMembers(jws, special)) {
      vectors.push(
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          { typ, key, statement },
        ),
      );
    }
    const other = await testDevice(memory, 'another', algorithm);
    vectors.push(
      invalid(`${algorithm}-other-holder`, 'a key that the signer does not hold', 'signature-invalid', {
        typ,
        key,
        statement: await deviceWord(log, device, 'phone', other.signer),
      }),
    );
  }
  const own = await testDevice(memory, 'device vectors');
  const key = publicOf(own);
  const payload = payloadOf(await deviceWord(log, own, 'phone'));
  const malformed = async (name: string, comment: string, changed: object) =>
    vectors.push(
      invalid(name, comment, 'statement-malformed', {
        typ,
        key,
        statement: await signLoose(own, 'device', { ...payload, ...changed }),
      }),
    );
  await malformed('sig-private', 'a private key in it', { sig: { ...payload.sig, d: payload.sig.x } });
  await malformed('sig-x25519', 'a sealing key for signing', { sig: payload.enc });
  await malformed('enc-ed25519', 'a signing key for sealing', { enc: payload.sig });
  await malformed('enc-p256', 'no other curve for sealing', {
    enc: { kty: 'EC', crv: 'P-256', x: REQ, y: REQ },
  });
  await malformed(
    'sig-x-stray-bits',
    'a key in a text that is not canonical would have another fingerprint',
    { sig: { ...payload.sig, x: strayBits(payload.sig.x) } },
  );
  await malformed('sig-x-short', 'a key of 31 bytes', {
    sig: { ...payload.sig, x: payload.sig.x.slice(0, -2) },
  });
  await malformed('sub-upper-case', 'account names are in lower case', { sub: 'Alice@example.com' });
  await malformed('name-empty', 'a device without a name', { name: '' });
  await malformed('name-too-long', 'a name of more than 64 bytes', { name: 'a'.repeat(65) });
  await malformed('name-bidi', 'a name that may not be shown', { name: 'phone\u202e' });
  return {
    description: `A device’s own word that it holds its keys. ${READ} The key to verify by is the \`sig\` inside.`,
    spec: 'device-log.md#device',
    vectors,
  };
}
