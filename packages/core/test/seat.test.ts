import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createRevocation } from '../src/account-entries.ts';
import { NO_MEMBERS } from '../src/members.ts';
import { CLOCK_SKEW, parseRequest, RequestStatement, verifyRequest } from '../src/request.ts';
import { createSeatRequest, type SeatWanted, verifySeat } from '../src/seat.ts';
import { checkSeat, SEAT_LIFE } from '../src/seat-standing.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  answer,
  ask,
  BROKER,
  grown,
  NOW,
  newAccount,
  newDevice,
  type TestAccount,
  type TestDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { seatWanted, signIn } from './seat-fixtures.ts';
import { type Loose, payloadOf, tamper } from './tamper.ts';

let bank: TestAccount;
let bob: TestAccount;
let browser: TestDevice;
before(async () => {
  bank = await newAccount('bank@example.com');
  bob = await newAccount('bob@example.com', { devices: 2 });
  browser = await newDevice();
});

const wanted = (change: Partial<SeatWanted> = {}) => seatWanted(bank, bob, browser, change);
const signed = (change: Partial<SeatWanted> = {}, decision?: 'accept' | 'reject', by?: TestDevice) =>
  signIn(bank, bob, wanted(change), decision, by);

const verify = (evidence: { request: string; response: string }, member = bob, organisation = bank) =>
  verifySeat(webCrypto, evidence, organisation.log, member.log);

/** The question with some of it changed, signed again by the browser. */
async function altered(change: (payload: Loose) => void, by = browser): Promise<string> {
  const { statement } = await createSeatRequest(webCrypto, wanted());
  const payload = payloadOf(statement.jws);
  change(payload);
  return (await signStatement(webCrypto, RequestStatement, by.signer, payload)).jws;
}

async function judged(jws: string) {
  return verifyRequest(webCrypto, await parseRequest(webCrypto, jws), bank.log, {
    now: NOW,
    brokers: [BROKER],
  });
}

describe('a seat', () => {
  for (const language of ['en', 'de'] as const) {
    test(`is a browser’s key, which the member’s signed yes names (${language})`, async () => {
      const seat = await verify(await signed({ language }));
      assert.equal(seat.kid, browser.kid);
      assert.equal(seat.role, 'agent');
      assert.equal(seat.member.identity, bob.log.identity);
      assert.equal(seat.organisation.identity, bank.log.identity);
      assert.deepEqual([seat.iat, seat.exp], [NOW + 5, NOW + 5 + SEAT_LIFE]);
    });
  }

  test('is none where the member rejected', async () => {
    await assert.rejects(verify(await signed({}, 'reject')), refused('seat-invalid'));
  });

  test('is made by no other account’s yes, and for no other organisation', async () => {
    const mallory = await newAccount('bob@example.com');
    const evidence = await signed();
    await assert.rejects(verify(evidence, mallory), refused('account-mismatch'));
    await assert.rejects(verify(evidence, bob, mallory), refused('account-mismatch'));
    await assert.rejects(verify(await signed({}, 'accept', mallory.devices[0]!)), refused('device-unknown'));
  });

  test('has no other key or role than was accepted', async () => {
    const { request, response } = await signed();
    const thief = await newDevice();
    const other = await altered((p) => (p.seat.role = 'owner'));
    await assert.rejects(verify({ request: other, response }), refused('seat-invalid'));
    const fresh = (await createSeatRequest(webCrypto, wanted({ role: 'owner' }))).statement.jws;
    await assert.rejects(verify({ request: fresh, response }), refused('request-mismatch'));
    const swapped = tamper(request, (p) => (p.seat.key = thief.signer.publicKey));
    await assert.rejects(verify({ request: swapped, response }), refused('seat-invalid'));
  });

  test('is not made of an ordinary yes to the organisation', async () => {
    const question = await ask(bank, bob, { sealed: false });
    const { statement } = await answer(bob, bank, question);
    const evidence = { request: question.statement.jws, response: statement.jws };
    await assert.rejects(verify(evidence), refused('seat-invalid'));
  });

  test('goes with the device that gave it, where that is lost', async () => {
    const evidence = await signed({}, 'accept', bob.devices[1]!);
    await verify(evidence);
    const shown = await withoutDevice(bob, bob.devices[1]!.kid);
    await assert.rejects(verify(evidence, shown), refused('device-revoked'));
  });

  test('is made by no device that was shown out before, whatever log it says that it knew', async () => {
    const device = bob.devices[1]!;
    const evidence = await signed({}, 'accept', device);
    const retired = async (at: number) => {
      const { signer } = bob.devices[0]!;
      return grown(bob, await createRevocation(webCrypto, bob.log, signer, device.kid, 'retired', at));
    };
    const answeredAt = NOW + 5;
    await verify(evidence, await retired(answeredAt + 1));
    await verify(evidence, await retired(answeredAt - CLOCK_SKEW));
    await assert.rejects(
      verify(evidence, await retired(answeredAt - CLOCK_SKEW - 1)),
      refused('device-revoked'),
    );
  });

  test('acts while its time runs and its member has that role', async () => {
    const seat = await verify(await signed());
    const { identity } = bob.log;
    const list = (role: 'agent' | 'auditor' | 'owner') => ({
      members: new Map([
        [identity, { name: 'bob@example.com', identity, role, since: NOW, by: bank.devices[0]!.kid }],
      ]),
    });
    checkSeat(seat, list('agent'), NOW + 5 - CLOCK_SKEW);
    checkSeat(seat, list('agent'), seat.exp - 1);
    const over = refused('seat-over');
    // Else whoever answers with a clock of a later year has a seat until then.
    assert.throws(() => checkSeat(seat, list('agent'), NOW + 5 - CLOCK_SKEW - 1), over);
    assert.throws(() => checkSeat(seat, list('agent'), seat.exp), over);
    assert.throws(() => checkSeat(seat, NO_MEMBERS, NOW + 5), over);
    // More than was accepted is another role too.
    assert.throws(() => checkSeat(seat, list('owner'), NOW + 5), over);
  });
});

describe('a browser that asks for a seat', () => {
  test('asks in the fixed words, and can say nothing else in the organisation’s name', async () => {
    await judged(await altered(() => {}));
    const refusals: Record<string, (payload: Loose) => void> = {
      heading: (p) => (p.content.parts[0].text = 'Pay 5000 to Mallory'),
      'a part more': (p) => p.content.parts.push({ type: 'p', text: 'Call +1 555 0100' }),
      'a part less': (p) => p.content.parts.pop(),
      'a button': (p) => p.content.parts.push({ type: 'button', value: 'accept', text: 'OK' }),
      'a field more': (p) => p.content.fields.push({ name: 'Note', value: 'x' }),
      'a field changed': (p) => (p.content.fields[0].value = 'auditor'),
      'another key shown': (p) => (p.content.fields[1].value = bob.devices[0]!.kid),
      'no fields': (p) => delete p.content.fields,
      'no passcode': (p) => delete p.content.passcode,
      'another kind': (p) => (p.content.kind = 'approval'),
      'another organisation in the words': (p) =>
        (p.content.parts[0].text = 'Sign in to the console of other@example.com?'),
    };
    for (const [name, alter] of Object.entries(refusals)) {
      await assert.rejects(judged(await altered(alter)), refused('seat-invalid'), name);
    }
  });

  test('asks with the key that gets the seat', async () => {
    const thief = await newDevice();
    await assert.rejects(judged(await altered(() => {}, thief)), refused('signature-invalid'));
  });

  test('is no device: without the seat its request is nobody’s', async () => {
    await assert.rejects(judged(await altered((p) => delete p.seat)), refused('device-unknown'));
  });
});
