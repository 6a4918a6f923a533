/**
 * Vectors of seats: what makes a browser's key one.
 * @module
 */
import {
  createResponse,
  createRevocation,
  createSeatRequest,
  type ErrorCode,
  extendLog,
  type OpenRequest,
  parseRequest,
  type RequestPayload,
  type SeatLanguage,
  seatQuestion,
  type Verified,
  verifySeat,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { extended, newAccount, revokeEntry, rotateEntry, type TestAccount, withDevice } from './accounts.ts';
import { ask, commitQuickly } from './asking.ts';
import type { Memory } from './memory.ts';
import { frozen } from './recoverable.ts';
import { ACCEPT } from './responses.ts';
import { invalid, type Loose, payloadOf, type Vector, type VectorFile, valid } from './vector.ts';
import { ALGORITHMS, BROKER, NOW, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

const PASSCODE = '042042';

export async function seat(memory: Memory): Promise<VectorFile> {
  const bank = await newAccount(memory, 'bank@example.com');
  const bob = await withDevice(await newAccount(memory, 'bob@example.com'), 'phone');
  const [laptop, phone] = bob.devices as [TestDevice, TestDevice];
  const organisation = { name: bank.log.name, identity: bank.log.identity };
  const vectors: Vector[] = [];
  const browser = await testDevice(memory, 'browser');
  const passcode = await commitQuickly(PASSCODE);

  /** The question that a browser asks, with some of it changed. */
  const question = async (
    label: string,
    { language = 'en', by = browser }: { language?: SeatLanguage; by?: TestDevice } = {},
    change: (payload: Loose) => void = () => {},
    signer = by,
  ): Promise<string> => {
    const { statement } = await createSeatRequest(seeded(`seat ${label}`), {
      signer: by.signer,
      organisation,
      member: bob.log,
      role: 'agent',
      language,
      passcode: PASSCODE,
      broker: BROKER,
      now: NOW,
    });
    const payload = payloadOf(statement.jws);
    payload.content.passcode = passcode;
    change(payload);
    return signLoose(signer, 'request', payload);
  };
  const answer = async (
    label: string,
    jws: string,
    decided: object = { ...ACCEPT, passcode: PASSCODE },
    device = phone,
  ): Promise<string> => {
    const statement = (await parseRequest(webCrypto, jws)) as Verified<RequestPayload>;
    const open = { statement, question: (statement.payload as Loose).content } as OpenRequest;
    const answering = { signer: device.signer, account: bob.log, enquirer: bank.log, now: NOW + 5 };
    const made = await createResponse(
      seeded(`seat answer ${label}`),
      answering,
      open,
      decided as typeof ACCEPT,
    );
    return made.statement.jws;
  };
  const input = (request: string, response: string, entries: readonly string[] = bob.log.entries) => ({
    organisation,
    entries,
    request,
    response,
  });
  const good = async (name: string, comment: string, request: string, entries = bob.log.entries) => {
    const response = await answer(name, request);
    const log = { ...bob.log };
    const { hash, kid, role, iat, exp } = await verifySeat(
      webCrypto,
      { request, response },
      organisation,
      log,
    );
    vectors.push(
      valid(name, comment, input(request, response, entries), { seat: hash, kid, role, iat, exp }),
    );
    return { request, response };
  };
  const bad = (name: string, comment: string, code: ErrorCode, made: object) =>
    vectors.push(invalid(name, comment, code, made));

  for (const algorithm of ALGORITHMS) {
    const by = await testDevice(memory, 'browser', algorithm);
    await good(`${algorithm}-key`, `a key of ${algorithm}`, await question(algorithm, { by }));
  }
  const asked = await question('good');
  const { response } = await good('english', 'in English', asked);
  await good('german', 'in German', await question('german', { language: 'de' }));

  const without = async (reason: 'retired' | 'lost') => {
    const { jws } = await createRevocation(
      seeded('seats'),
      bob.log,
      laptop.signer,
      phone.kid,
      reason,
      NOW + 100,
    );
    return (await extendLog(webCrypto, bob.log, [jws])).entries;
  };
  await good('device-retired', 'the device was retired since', asked, await without('retired'));
  bad(
    'device-lost',
    'the device was lost since',
    'device-revoked',
    input(asked, response, await without('lost')),
  );

  const revoked = async (account: TestAccount, kid: string, reason: 'retired' | 'lost') =>
    extended(account, await revokeEntry(account, kid, laptop, reason, NOW + 100));
  const worthless = (name: string, comment: string, code: ErrorCode, { log }: TestAccount) =>
    bad(name, comment, code, input(asked, response, log.entries));
  const renewed = await testDevice(memory, 'renewed');
  const rotated = await extended(bob, await rotateEntry(bob, phone, renewed, undefined, NOW + 100));
  await good('device-rotated', 'the device has another key since', asked, rotated.log.entries);
  await good(
    'device-rotated-retired',
    'and retired with that',
    asked,
    (await revoked(rotated, renewed.kid, 'retired')).log.entries,
  );
  const goneAt = async (now: number) =>
    extended(bob, await revokeEntry(bob, phone.kid, laptop, 'retired', now));
  await good(
    'device-retired-a-minute-before',
    'the device was retired a minute before it answered: clocks differ',
    asked,
    (await goneAt(NOW + 5 - 60)).log.entries,
  );
  worthless(
    'device-retired-before',
    'the device was retired before it answered by the log that it says it knew',
    'device-revoked',
    await goneAt(NOW + 5 - 61),
  );
  worthless(
    'device-retired-then-lost',
    'the device retired since, and was lost all the same',
    'device-revoked',
    await revoked(await revoked(bob, phone.kid, 'retired'), phone.kid, 'lost'),
  );
  worthless(
    'device-rotated-then-lost',
    'its key was rotated away since, and was lost all the same',
    'device-revoked',
    await revoked(rotated, phone.kid, 'lost'),
  );
  worthless(
    'device-rotated-lost',
    'the device was lost, with the key that it has since',
    'device-revoked',
    await revoked(rotated, renewed.kid, 'lost'),
  );
  worthless(
    'device-rotated-frozen',
    'the device is frozen, with the key that it has since',
    'device-frozen',
    await frozen(rotated, laptop, renewed.kid),
  );

  bad(
    'rejected',
    'the member rejected',
    'seat-invalid',
    input(asked, await answer('rejected', asked, { decision: 'reject', shown: 'screen' })),
  );
  bad(
    'passcode-missing',
    'an accept without the digits',
    'passcode-missing',
    input(asked, await answer('passcode-missing', asked, ACCEPT)),
  );
  bad(
    'passcode-wrong',
    'other digits',
    'passcode-wrong',
    input(asked, await answer('passcode-wrong', asked, { ...ACCEPT, passcode: '042043' })),
  );
  bad(
    'stranger',
    'an answer by a device that is not the member’s',
    'device-unknown',
    input(asked, await answer('stranger', asked, { ...ACCEPT, passcode: PASSCODE }, browser)),
  );
  const again = await question('again');
  bad('other-request', 'the answer to another question', 'request-mismatch', input(again, response));

  const altered = async (
    name: string,
    comment: string,
    code: ErrorCode,
    change: (payload: Loose) => void,
    signer?: TestDevice,
  ) => {
    const request = await question(name, {}, change, signer);
    bad(name, comment, code, input(request, response));
  };
  const thief = await testDevice(memory, 'thief');
  await altered('role-changed', 'another role than the words say', 'seat-invalid', (p) => {
    p.seat.role = 'owner';
  });
  await altered('key-changed', 'another key than the words show', 'seat-invalid', (p) => {
    p.seat.key = thief.signer.publicKey;
  });
  await altered('other-signer', 'by another key than gets the seat', 'signature-invalid', () => {}, thief);
  await altered('heading', 'other words', 'seat-invalid', (p) => {
    p.content.parts[0].text = 'Pay 5000 to Mallory?';
  });
  await altered('part-more', 'more words', 'seat-invalid', (p) => {
    p.content.parts.push({ type: 'p', text: 'Thank you.' });
  });
  await altered('languages-mixed', 'words of two languages', 'seat-invalid', (p) => {
    const kid = browser.kid;
    p.content.fields = seatQuestion('de', { organisation: 'bank@example.com', role: 'agent', kid }).fields;
  });
  await altered('field-more', 'a field more', 'seat-invalid', (p) => {
    p.content.fields.push({ name: 'Note', value: 'x' });
  });
  await altered('no-passcode', 'no digits are asked for', 'seat-invalid', (p) => {
    delete p.content.passcode;
  });
  await altered('kind', 'another kind of question', 'seat-invalid', (p) => {
    p.content.kind = 'approval';
  });
  await altered('other-organisation', 'of another organisation', 'account-mismatch', (p) => {
    p.iss = 'other@example.com';
  });
  await altered('lifetime', 'it stands longer than a login may', 'request-lifetime', (p) => {
    p.exp = p.iat + 601;
  });
  await altered('role-unknown', 'a role that there is not', 'statement-malformed', (p) => {
    p.seat.role = 'none';
  });
  await altered('member-more', 'a further member of the seat', 'statement-malformed', (p) => {
    p.seat.note = 'x';
  });
  const ordinary = await ask('seat ordinary', bank, bob, { sealed: false });
  bad(
    'ordinary',
    'an accept of an ordinary question is no seat',
    'seat-invalid',
    input(ordinary.statement.jws, await answer('ordinary', ordinary.statement.jws, ACCEPT)),
  );
  return {
    description:
      'Seats: `request` and `response` are verified for the `organisation`, by the member’s log of `entries`. Found: its name, the browser’s kid, the role, and from when to when.',
    spec: 'members.md#seat',
    vectors,
  };
}
