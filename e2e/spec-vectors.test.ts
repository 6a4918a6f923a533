/**
 * The vectors of `spec/` are true: our core reads each of them as it says, and they are what the generator
 * writes.
 * @module
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  AccountName,
  applyContact,
  CancelStatement,
  ChallengeStatement,
  CountersignError,
  checkCode,
  checkDisclosed,
  checkDisplayLine,
  checkEnrolmentCode,
  checkFreshness,
  checkPasscode,
  DeviceStatement,
  decodeBase64url,
  decodeText,
  EMPTY_TREE,
  EnrolmentCompleteStatement,
  EnrolmentRejectStatement,
  encodeBase64url,
  fingerprint,
  followLog,
  growTree,
  InvitationCancelStatement,
  judgeText,
  keyFingerprint,
  leafHash,
  MessageStatement,
  NO_CONTACTS,
  namesAccount,
  normalizeValue,
  type OpenRequest,
  openInvitation,
  openMessage,
  openRequest,
  openRoomKey,
  openRoomShare,
  PasscodeCommitment,
  type PayloadOf,
  parseAccountLink,
  parseAccountName,
  parseCode,
  parseContact,
  parseContent,
  parseDeviceLink,
  parseFingerprint,
  parsePin,
  parseRequest,
  parseStatement,
  parseStrictJson,
  parseTreeLeaf,
  pinTicket,
  Question,
  RECOVERY_KEY,
  RecoveryProof,
  ReportStatement,
  type RequestPayload,
  type ROOM_ITEMS,
  RoomKeyStatement,
  RoomStatement,
  readRecoveryCode,
  readWithKeys,
  recommendsAt,
  replayLog,
  replayMembers,
  SessionTerms,
  type Statement,
  sessionChannel,
  statementId,
  ticketHash,
  tilePath,
  treeRoot,
  treeVerifierKey,
  ungroupBase32,
  type Verified,
  verifyCard,
  verifyCheckpoint,
  verifyConsistency,
  verifyContact,
  verifyDomainCheck,
  verifyEnrolment,
  verifyEnrolmentAccept,
  verifyInclusion,
  verifyInvitation,
  verifyReceipt,
  verifyRecommendation,
  verifyRequest,
  verifyResponse,
  verifyRoomItem,
  verifySeat,
  verifyStatement,
  verifyTextSignature,
  verifyTreeHead,
} from '@countersign/core';
import { answerDigest } from '@countersign/core/session-digest';
import { parseSrml } from '@countersign/core/srml';
import { deriveSigner, importOpener, webCrypto } from '@countersign/core/webcrypto';
import * as v from 'valibot';
import { generateVectors, VECTORS } from '../spec/generate-vectors.ts';
import { foundIn } from '../spec/generator/log-vectors.ts';
import { playPairing, playSignOn } from '../spec/generator/m-auth-play.ts';
import { playSession } from '../spec/generator/session-play.ts';
import { withLogs } from '../spec/generator/shared-logs.ts';
import type { Loose, VectorFile } from '../spec/generator/vector.ts';
import { readCpace } from './spec-cpace.ts';
import { readTransaction, readTransactionRequest, readWalletLogin } from './spec-graphene.ts';
import { readErase, readFrame, readKeys } from './spec-m-auth.ts';
import { readNoise } from './spec-noise.ts';

const utf8 = new TextEncoder();
const STATEMENT_KINDS = [
  CancelStatement,
  ChallengeStatement,
  DeviceStatement,
  EnrolmentCompleteStatement,
  EnrolmentRejectStatement,
  RecoveryProof,
  InvitationCancelStatement,
  ReportStatement,
];

/** What a reader finds in a vector's input, in the words of its `expect`; it throws where it finds fault. */
const READERS: Readonly<Record<string, (input: Loose) => unknown>> = {
  base64url: ({ text }) => ({ hex: decodeBase64url(text).toHex() }),
  json: ({ text, hex }) => parseStrictJson(text ?? Uint8Array.fromHex(hex)),
  fingerprints: readFingerprint,
  'account-names': ({ text }) => {
    const name = parseAccountName(text);
    assert.ok(v.is(AccountName, name));
    return { name };
  },
  'account-links': ({ text }) => parseAccountLink(text),
  'display-text': ({ text, max_bytes }) => checkDisplayLine(text, max_bytes),
  srml: ({ source }) => ({ parts: parseSrml(source) }),
  statements: readStatement,
  device: readStatement,
  cancel: readStatement,
  report: readStatement,
  genesis: readLog,
  'device-add': readLog,
  'device-revoke': readLog,
  'device-freeze': readLog,
  'device-thaw': readLog,
  'device-rights': readLog,
  'device-rotate': readLog,
  epoch: readLog,
  recovery: readLog,
  'recovery-complete': readLog,
  'recovery-set': readLog,
  'recovery-proof': readStatement,
  'recovery-code': async ({ typed }) => {
    const secret = await readRecoveryCode(webCrypto, typed);
    const { publicKey: key } = await deriveSigner(secret, RECOVERY_KEY);
    return { secret: secret.toHex(), key, kid: await keyFingerprint(webCrypto, key) };
  },
  'device-log': async ({ pinned, offered, from }) =>
    foundIn({ log: await followLog(webCrypto, await replayLog(webCrypto, pinned), offered, from) }),
  checkpoint: async ({ statement, broker: origin, key, entries, now, max_age }) => {
    const log = await replayLog(webCrypto, entries);
    const word = await verifyCheckpoint(webCrypto, statement, { origin, key }, log);
    checkFreshness(word, now, max_age);
    return { iss: word.payload.iss, iat: word.payload.iat };
  },
  transparency: readTransparency,
  question: ({ text }) => parseContent(Question, text),
  passcode: async ({ commitment, typed }) => {
    const good = await checkPasscode(webCrypto, v.parse(PasscodeCommitment, commitment), typed);
    if (!good) throw new CountersignError('passcode-wrong', 'not the passcode that was committed to');
  },
  sealing: async ({ private_key, info, aad, box, digest }) => {
    const opener = await importOpener(private_key);
    const opened = await opener.open(decodeBase64url(box), utf8.encode(info), utf8.encode(aad));
    const plaintext = decodeText(opened);
    await checkDisclosed(webCrypto, { epoch: 0, box, digest }, plaintext);
    return { plaintext };
  },
  request: async ({ request, enquirer_log, epoch_private_keys, broker, now }) => {
    const statement = await parseRequest(webCrypto, request);
    const enquirer = await replayLog(webCrypto, enquirer_log);
    const verified = await verifyRequest(webCrypto, statement, enquirer, { now, brokers: [broker] });
    const { question } = await openRequest(webCrypto, verified, openers(epoch_private_keys));
    return { hash: verified.hash, id: await statementId(webCrypto, verified.hash), question };
  },
  response: readResponse,
  contact: readContacts,
  member: readMembers,
  seat: readSeat,
  judging: (input) =>
    ({ response: readResponse, contact: readContacts, invitation: readInvitation })[input.of as 'response'](
      input,
    ),
  'secret-codes': readSecretCode,
  'device-links': ({ text }) => parseDeviceLink(text),
  'enrolment-challenge': readStatement,
  enrolment: async ({ enrolment, account, broker, key, code, now }) => {
    const seen = await verifyEnrolment(webCrypto, enrolment, account, { broker, key, now });
    if (!(await checkEnrolmentCode(webCrypto, seen, code))) {
      throw new CountersignError('code-wrong', 'not the code that was committed to');
    }
    const { askedAt, expiresAt, ...facts } = seen.facts;
    return { ...facts, asked_at: askedAt, expires_at: expiresAt };
  },
  'enrolment-accept': async ({ accept, entries, own: { device_hash, ...own } }) =>
    verifyEnrolmentAccept(webCrypto, accept, await replayLog(webCrypto, entries), {
      ...own,
      deviceHash: device_hash,
    }),
  'enrolment-reject': readStatement,
  'enrolment-complete': readStatement,
  invitation: readInvitation,
  'invitation-cancel': readStatement,
  room: async (input) => {
    const { found, payload } = await readRoomItem(input, RoomStatement);
    return { ...found, room: payload.room, name: payload.name, members: payload.members };
  },
  'room-key': async (input) => {
    const read = await readRoomItem(input, RoomKeyStatement);
    const { kty, crv, x, d } = JSON.parse(
      await openRoomKey(read, input.member, openers(input.epoch_private_keys)),
    );
    return { ...read.found, n: read.payload.n, private_key: JSON.stringify({ kty, crv, x, d }) };
  },
  message: async (input) => {
    const read = await readRoomItem(input, MessageStatement);
    return {
      ...read.found,
      text: await openMessage(webCrypto, read, await importOpener(input.room_private_key)),
    };
  },
  'room-share': async ({ share, entries, kid, private_key }) => {
    const log = await replayLog(webCrypto, entries);
    return { keys: await openRoomShare(webCrypto, share, log, kid, await importOpener(private_key)) };
  },
  receipt: async ({ receipt }) => {
    const { request, response, account, enquirer, checkpoint, seat } = await verifyReceipt(
      webCrypto,
      receipt,
    );
    const member = seat && {
      name: seat.member.name,
      fingerprint: await statementId(webCrypto, seat.member.identity),
      role: seat.role,
    };
    return {
      ...(member === undefined ? {} : { member }),
      account: { name: account.name, fingerprint: await statementId(webCrypto, account.identity) },
      enquirer: { name: enquirer.name, fingerprint: await statementId(webCrypto, enquirer.identity) },
      decision: response.decision.decision,
      device: response.device.kid,
      asked_at: request.statement.payload.iat,
      answered_at: response.statement.payload.iat,
      checkpoint_at: checkpoint.payload.iat,
    };
  },
  cpace: readCpace,
  'text-signature': async ({ signature, entries, text, now }) => {
    const log = await replayLog(webCrypto, entries);
    const verified = await verifyTextSignature(webCrypto, signature, log);
    const { hash, kid } = verified;
    const verdict = await judgeText(webCrypto, verified, text, now);
    return { hash, id: await statementId(webCrypto, hash), kid, verdict };
  },
  card: async ({ statement, entries }) => {
    const { hash, kid } = await verifyCard(webCrypto, statement, await replayLog(webCrypto, entries));
    return { hash, id: await statementId(webCrypto, hash), kid };
  },
  'domain-names': ({ texts, account }) => ({ names: namesAccount(texts, account) }),
  'domain-check': async ({ statement, key, broker, account, claimed, now }) => ({
    proofs: await verifyDomainCheck(webCrypto, statement, { origin: broker, key }, account, claimed, now),
  }),
  recommendation: async ({ statement, entries, subject, now }) => {
    const log = await replayLog(webCrypto, entries);
    const hashAt = (seq: number) => log.hashes[seq];
    const word = await verifyRecommendation(webCrypto, statement, log, hashAt, subject);
    const { hash, kid, payload } = word;
    const id = await statementId(webCrypto, hash);
    return { hash, id, kid, stands: recommendsAt(payload, now) };
  },
  'session-values': ({ type, typed }) => ({ value: normalizeValue(type, typed) }),
  'session-exchange': (input) => {
    assert.ok(v.is(SessionTerms, input.terms));
    return playSession(input);
  },
  'session-digest': async ({ terms, commitment, typed, nonce }) => {
    const answer = await answerDigest(webCrypto, v.parse(SessionTerms, terms), commitment, typed);
    return { ci: sessionChannel(terms).toHex(), digest: answer.digest, passcode: answer.open(nonce) };
  },
  noise: readNoise,
  'graphene-transaction': readTransaction,
  'transaction-request': readTransactionRequest,
  'wallet-login': readWalletLogin,
  'm-auth-frames': readFrame,
  'm-auth-keys': readKeys,
  'm-auth-sign-on': playSignOn,
  'm-auth-pairing': playPairing,
  'm-auth-erase': readErase,
};

async function readFingerprint({ op, content_type, data_hex, bits, key, hash, text }: Loose) {
  switch (op) {
    case 'fingerprint':
      return { fingerprint: await fingerprint(webCrypto, content_type, Uint8Array.fromHex(data_hex), bits) };
    case 'key':
      return { kid: await keyFingerprint(webCrypto, key) };
    case 'statement-id':
      return { id: await statementId(webCrypto, hash) };
    default:
      return { fingerprint: parseFingerprint(text) };
  }
}

async function readTransparency({ op, ...input }: Loose) {
  switch (op) {
    case 'leaf': {
      const hash = await leafHash(webCrypto, utf8.encode(input.text));
      return { ...parseTreeLeaf(input.text), hash: encodeBase64url(hash) };
    }
    case 'root': {
      let tree = EMPTY_TREE;
      for (const hash of input.leaf_hashes) tree = await growTree(webCrypto, tree, decodeBase64url(hash));
      return { root: encodeBase64url(await treeRoot(webCrypto, tree)) };
    }
    case 'inclusion':
      for (const { leaf_hash, index, proof } of input.proofs) {
        const hashes = proof.map(decodeBase64url);
        await verifyInclusion(webCrypto, decodeBase64url(leaf_hash), index, hashes, rootIn(input));
      }
      return undefined;
    case 'consistency':
      for (const older of input.proofs) {
        const hashes = older.proof.map(decodeBase64url);
        await verifyConsistency(webCrypto, rootIn(older), rootIn(input.newer), hashes);
      }
      return undefined;
    case 'tree-head': {
      const { size, root } = await verifyTreeHead(webCrypto, input.note, input.origin, input.key);
      const verifier_key = await treeVerifierKey(webCrypto, input.origin, input.key);
      return { size, root: encodeBase64url(root), verifier_key };
    }
    default:
      return { path: tilePath(input.n, input.width) };
  }
}

function rootIn({ size, root }: Loose) {
  return { size, root: decodeBase64url(root) };
}

async function readStatement({ typ, key, statement }: Loose) {
  const kind = STATEMENT_KINDS.find((one) => one.typ === typ)!;
  const { hash, kid } = await verifyStatement(
    webCrypto,
    (await parseStatement(webCrypto, kind, statement)) as Statement<unknown>,
    key,
  );
  return { hash, id: await statementId(webCrypto, hash), kid };
}

async function readResponse(input: Loose) {
  const { request, request_plaintext, account_log, epoch_private_keys, response } = input;
  const account = await replayLog(webCrypto, account_log);
  const read = readWithKeys(webCrypto, openers(epoch_private_keys));
  const own = await ownRequest(request, request_plaintext);
  const { decision, device, statement } = await verifyResponse(webCrypto, own, account, response, read);
  return { decision: decision.decision, device: device.kid, iat: statement.payload.iat };
}

async function readContacts({ entries, changes }: Loose) {
  const log = await replayLog(webCrypto, entries);
  let list = NO_CONTACTS;
  for (const jws of changes) {
    const statement = await parseContact(webCrypto, jws);
    list = applyContact(list, await verifyContact(webCrypto, statement, log, (seq) => log.hashes[seq]));
  }
  return { seq: list.seq, contacts: [...list.contacts.values()] };
}

async function readMembers({ entries, changes }: Loose) {
  const list = await replayMembers(webCrypto, changes, await replayLog(webCrypto, entries));
  return { seq: list.seq, members: [...list.members.values()].map(({ by: _, ...member }) => member) };
}

async function readSeat({ organisation, entries, ...evidence }: Loose) {
  const log = await replayLog(webCrypto, entries);
  const { hash, kid, role, iat, exp } = await verifySeat(webCrypto, evidence, organisation, log);
  return { seat: hash, kid, role, iat, exp };
}

async function readInvitation({ invitation, entries, epoch_private_keys }: Loose) {
  const log = await replayLog(webCrypto, entries);
  const read = await verifyInvitation(webCrypto, invitation, log, (seq) => log.hashes[seq]);
  const { use, rights, exp, sealed } = read.payload;
  const opener = await openers(epoch_private_keys)(sealed.epoch);
  return { use, rights, exp, pin: await openInvitation(webCrypto, read, opener!) };
}

async function readRoomItem<K extends (typeof ROOM_ITEMS)[number]>({ statement, entries }: Loose, kind: K) {
  const log = await replayLog(webCrypto, entries);
  const item = (await parseStatement(webCrypto, kind, statement)) as Statement<PayloadOf<K>>;
  const read = await verifyRoomItem(webCrypto, item, log, (seq) => log.hashes[seq]);
  const { hash, kid } = read;
  return Object.assign(read, { found: { hash, id: await statementId(webCrypto, hash), kid } });
}

async function readSecretCode({ op, typed, commitment, binding }: Loose) {
  if (op === 'code') return { code: parseCode(typed) };
  if (op === 'pin') {
    const pin = parsePin(typed);
    const ticket = await pinTicket(webCrypto, pin);
    return { pin, ticket, ticket_hash: await ticketHash(webCrypto, ticket) };
  }
  if (!(await checkCode(webCrypto, commitment, typed, binding))) {
    throw new CountersignError('code-wrong', 'not the code that was committed to');
  }
  const secret = JSON.stringify([ungroupBase32(typed), ...binding]);
  return { secret: utf8.encode(secret).toHex() };
}

async function readLog({ entries }: Loose) {
  return foundIn({ log: await replayLog(webCrypto, entries) });
}

function openers(privateKeys: readonly JsonWebKey[]) {
  return async (n: number) => {
    const key = privateKeys[n];
    return key === undefined ? undefined : importOpener(key);
  };
}

/** The enquirer's own request, which it signed itself. */
async function ownRequest(jws: string, plaintext: string | undefined): Promise<OpenRequest> {
  const statement = (await parseRequest(webCrypto, jws)) as Verified<RequestPayload>;
  if ('content' in statement.payload) return { statement, question: statement.payload.content };
  return { statement, question: parseContent(Question, plaintext!), plaintext: plaintext! };
}

const names = readdirSync(VECTORS).filter((name) => name.endsWith('.json'));

for (const name of names) {
  const topic = name.slice(0, -'.json'.length);
  const text = readFileSync(new URL(name, VECTORS), 'utf8');
  const file = JSON.parse(text) as VectorFile;
  describe(`spec/vectors/${name}`, () => {
    for (const vector of file.vectors) {
      test(`${vector.name}: ${vector.comment}`, async () => {
        const read = async () => READERS[topic]!(withLogs(file, vector));
        if (vector.result === 'valid') {
          const found = await read();
          if (vector.expect !== undefined) assert.deepEqual(JSON.parse(JSON.stringify(found)), vector.expect);
          return;
        }
        await assert.rejects(read, (error) => {
          assert.ok(error instanceof CountersignError, `not a CountersignError: ${error}`);
          assert.equal(error.code, vector.code, error.message);
          return true;
        });
      });
    }
  });
}

describe('the vectors', () => {
  test('are of every topic that has a reader here', () => {
    assert.deepEqual(names.map((name) => name.slice(0, -'.json'.length)).sort(), Object.keys(READERS).sort());
  });

  test('are what the generator writes', async () => {
    const generated = await generateVectors();
    assert.deepEqual([...generated.keys()].sort(), [...names].sort());
    for (const [name, content] of generated) {
      assert.ok(content === readFileSync(new URL(name, VECTORS), 'utf8'), `${name} is not up to date`);
    }
  });

  test('name pages of the specification that are there, with their headings', () => {
    for (const name of names) {
      const { spec } = JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as VectorFile;
      const [page, anchor] = spec.split('#');
      const text = readFileSync(new URL(`../${page}`, VECTORS), 'utf8');
      const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      if (anchor !== undefined) assert.ok(headings.includes(anchor), `${spec}: no such heading`);
    }
  });
});
