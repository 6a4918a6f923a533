/**
 * Writes `spec/vectors/*.json`: `node spec/generate-vectors.ts`. Run again, it writes the same.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { accountLinks, names } from './generator/account-names.ts';
import { checkpoint } from './generator/checkpoint.ts';
import { deviceLinks, recoveryCode, secretCodes } from './generator/codes.ts';
import { contact } from './generator/contact.ts';
import { cpace } from './generator/cpace.ts';
import { deviceAdd } from './generator/device-add.ts';
import { deviceFreeze } from './generator/device-freeze.ts';
import { deviceLog } from './generator/device-log.ts';
import { deviceRevoke } from './generator/device-revoke.ts';
import { deviceRights } from './generator/device-rights.ts';
import { deviceRotate } from './generator/device-rotate.ts';
import { deviceThaw } from './generator/device-thaw.ts';
import { base64url, fingerprints, json } from './generator/encodings.ts';
import { enrolment, enrolmentChallenge, enrolmentComplete, enrolmentReject } from './generator/enrolment.ts';
import { enrolmentAccept } from './generator/enrolment-accept.ts';
import { epoch } from './generator/epoch.ts';
import { genesis } from './generator/genesis.ts';
import { transactionRequest, walletLogin } from './generator/graphene-links.ts';
import { grapheneTransaction } from './generator/graphene-transactions.ts';
import { invitation } from './generator/invitation.ts';
import { judging } from './generator/judging.ts';
import { cancel, device, invitationCancel, report } from './generator/kinds.ts';
import { mAuthErase, mAuthFrames, mAuthKeys, mAuthPairing, mAuthSignOn } from './generator/m-auth.ts';
import { member } from './generator/members.ts';
import { type Memory, readMemory } from './generator/memory.ts';
import { noise } from './generator/noise.ts';
import { passcode } from './generator/passcode.ts';
import { card, domainCheck, domainNames, recommendation } from './generator/profiles.ts';
import { question } from './generator/question.ts';
import { receipt } from './generator/receipts.ts';
import { recovery } from './generator/recovery.ts';
import { recoveryComplete } from './generator/recovery-complete.ts';
import { recoveryProof } from './generator/recovery-proof.ts';
import { recoverySet } from './generator/recovery-set.ts';
import { request } from './generator/request.ts';
import { response } from './generator/responses.ts';
import { roomKey, roomShare } from './generator/room-keys.ts';
import { message } from './generator/room-messages.ts';
import { room } from './generator/rooms.ts';
import { sealing } from './generator/sealing.ts';
import { seat } from './generator/seats.ts';
import { sessionDigest, sessionExchange, sessionValues } from './generator/sessions.ts';
import { statements } from './generator/statements.ts';
import { displayText, srml } from './generator/text.ts';
import { textSignature } from './generator/text-signatures.ts';
import { transparency } from './generator/transparency.ts';
import type { VectorFile } from './generator/vector.ts';

export const VECTORS = new URL('vectors/', import.meta.url);

/** In the order in which an implementer needs them. */
const FILES: Readonly<Record<string, (memory: Memory) => VectorFile | Promise<VectorFile>>> = {
  base64url,
  json,
  fingerprints,
  'account-names': names,
  'account-links': accountLinks,
  'display-text': displayText,
  srml,
  statements,
  device,
  genesis,
  'device-add': deviceAdd,
  'device-revoke': deviceRevoke,
  'device-freeze': deviceFreeze,
  'device-thaw': deviceThaw,
  'device-rights': deviceRights,
  'device-rotate': deviceRotate,
  epoch,
  recovery,
  'recovery-complete': recoveryComplete,
  'recovery-set': recoverySet,
  'recovery-proof': recoveryProof,
  'recovery-code': recoveryCode,
  'device-log': deviceLog,
  checkpoint,
  transparency,
  question,
  passcode,
  sealing,
  request,
  cancel,
  response,
  report,
  contact,
  judging,
  'secret-codes': secretCodes,
  'device-links': deviceLinks,
  'enrolment-challenge': enrolmentChallenge,
  enrolment,
  'enrolment-accept': enrolmentAccept,
  'enrolment-reject': enrolmentReject,
  'enrolment-complete': enrolmentComplete,
  invitation,
  'invitation-cancel': invitationCancel,
  room,
  'room-key': roomKey,
  message,
  'room-share': roomShare,
  receipt,
  cpace,
  'session-values': sessionValues,
  'session-exchange': sessionExchange,
  'session-digest': sessionDigest,
  'text-signature': textSignature,
  member,
  seat,
  card,
  'domain-names': domainNames,
  'domain-check': domainCheck,
  recommendation,
  noise,
  'graphene-transaction': grapheneTransaction,
  'transaction-request': transactionRequest,
  'wallet-login': walletLogin,
  'm-auth-frames': mAuthFrames,
  'm-auth-keys': mAuthKeys,
  'm-auth-sign-on': mAuthSignOn,
  'm-auth-pairing': mAuthPairing,
  'm-auth-erase': mAuthErase,
};

/** The texts of all vector files, by name. */
export async function generateVectors(): Promise<Map<string, string>> {
  const memory = readMemory(VECTORS);
  const files = new Map<string, string>();
  for (const [name, make] of Object.entries(FILES)) {
    const file = await make(memory);
    const names = new Set(file.vectors.map((vector) => vector.name));
    if (names.size !== file.vectors.length) throw new Error(`${name}: two vectors of one name`);
    files.set(`${name}.json`, `${JSON.stringify(file, null, 2)}\n`);
  }
  return files;
}

if (import.meta.main) {
  await mkdir(VECTORS, { recursive: true });
  for (const [name, content] of await generateVectors()) {
    await writeFile(new URL(name, VECTORS), content);
    console.log(`${name}: ${JSON.parse(content).vectors.length} vectors`);
  }
}
