import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createFreeze, createRightsChange, createThaw } from '../src/account-entries.ts';
import {
  createInvitation,
  InvitationStatement,
  type NewInvitation,
  openInvitation,
  ticketHash,
  verifyInvitation,
} from '../src/invitation.ts';
import { pinTicket } from '../src/secret-code.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  grown,
  NOW,
  newAccount,
  newDevice,
  signing,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { type Loose, tamper } from './tamper.ts';

let alice: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
});

const invite = (account = alice, by = 0, changed: Partial<NewInvitation> = {}) =>
  createInvitation(webCrypto, account.devices[by]!.signer, account.log, {
    use: 'admit',
    rights: ['answer'],
    lifetime: 600,
    now: NOW,
    ...changed,
  });
const verify = (jws: string, { log } = alice) =>
  verifyInvitation(webCrypto, jws, log, (seq) => log.hashes[seq]);

describe('an invitation', () => {
  test('tells the account’s devices its PIN, and the broker what proves it', async () => {
    const { statement, pin } = await invite();
    const read = await verify(statement.jws);
    assert.equal(await openInvitation(webCrypto, read, (await alice.epochs(0))!), pin);
    assert.equal(read.payload.ticket, await ticketHash(webCrypto, await pinTicket(webCrypto, pin)));
    assert.equal(read.payload.exp, NOW + 600);
    assert.ok(!statement.jws.includes(pin) && !JSON.stringify(statement.payload).includes(pin));
  });

  test('is read by nobody without the account’s key', async () => {
    const { statement } = await invite();
    const other = await newAccount('bob@example.com');
    await assert.rejects(
      openInvitation(webCrypto, statement, (await other.epochs(0))!),
      refused('seal-broken'),
    );
  });

  test('has its PIN from its own seal: another’s does not fit', async () => {
    const [one, two] = [await invite(), await invite()];
    const { signer } = alice.devices[0]!;
    const mixed = await signStatement(webCrypto, InvitationStatement, signer, {
      ...one.statement.payload,
      sealed: two.statement.payload.sealed,
    });
    await assert.rejects(openInvitation(webCrypto, mixed, (await alice.epochs(0))!), refused('seal-broken'));
  });

  test('is altered by nobody', async () => {
    const { statement } = await invite();
    const changes: Record<string, (payload: Loose) => void> = {
      exp: (p) => p.exp++,
      use: (p) => (p.use = 'knock'),
      rights: (p) => (p.rights = ['answer', 'admit']),
      ticket: (p) => (p.ticket = alice.log.identity),
      'no rights': (p) => delete p.rights,
    };
    await verify(tamper(statement.jws, () => {}));
    for (const [member, change] of Object.entries(changes)) {
      await assert.rejects(verify(tamper(statement.jws, change)), refused('signature-invalid'), member);
    }
  });

  test('is to this account', async () => {
    const { statement } = await invite();
    for (const name of ['alice@example.com', 'bob@example.com']) {
      await assert.rejects(verify(statement.jws, await newAccount(name)), refused('account-mismatch'));
    }
  });

  test('is by a device that may admit, and gives no right that it lacks', async () => {
    const limited = await withDevice(alice, { rights: ['admit', 'answer'] });
    await verify((await invite(limited, 2)).statement.jws, limited);
    const beyond = await invite(limited, 2, { rights: ['answer', 'pay'] });
    await assert.rejects(verify(beyond.statement.jws, limited), refused('device-not-entitled'));
    const answering = await withDevice(alice, { rights: ['answer'] });
    const { statement } = await invite(answering, 2, { use: 'knock' });
    await assert.rejects(verify(statement.jws, answering), refused('device-not-entitled'));
    const stranger = { ...alice, devices: [await newDevice()] };
    await assert.rejects(verify((await invite(stranger)).statement.jws), refused('device-unknown'));
  });

  test('falls with the device that gave it', async () => {
    const { statement } = await invite(alice, 1);
    const { kid } = alice.devices[1]!;
    const gone = await withoutDevice(alice, kid);
    await assert.rejects(verify(statement.jws, gone), refused('device-revoked'));
    const frozen = await grown(alice, await createFreeze(webCrypto, signing(alice, 0), kid));
    await assert.rejects(verify(statement.jws, frozen), refused('device-frozen'));
    const less = await grown(alice, await createRightsChange(webCrypto, signing(alice, 0), kid, ['ask']));
    await assert.rejects(verify(statement.jws, less), refused('device-not-entitled'));
  });

  test('is judged by what its device was when it gave it, too', async () => {
    const { kid } = alice.devices[1]!;
    const frozen = await grown(alice, await createFreeze(webCrypto, signing(alice, 0), kid));
    // Sealed to the epoch as it was: its device would not be told that this one is stale.
    const { statement } = await invite({ ...frozen, log: { ...alice.log, head: frozen.log.head } }, 1);
    const thawed = await grown(frozen, await createThaw(webCrypto, signing(frozen, 0), kid));
    await assert.rejects(verify(statement.jws, thawed), refused('device-frozen'));
    const less = await grown(alice, await createRightsChange(webCrypto, signing(alice, 0), kid, ['admit']));
    const beyond = await invite(less, 1, { rights: ['pay'] });
    const more = await grown(
      less,
      await createRightsChange(webCrypto, signing(less, 0), kid, ['admit', 'pay']),
    );
    await assert.rejects(verify(beyond.statement.jws, more), refused('device-not-entitled'));
  });

  test('names the log that its device knew', async () => {
    const [one, two] = [await withDevice(alice), await withDevice(alice)];
    const { statement } = await invite(one);
    await assert.rejects(verify(statement.jws), refused('log-rollback'));
    await assert.rejects(verify(statement.jws, two), refused('log-fork'));
  });
});
