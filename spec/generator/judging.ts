/**
 * Vectors of statements that are judged by the log as their device knew it: what it was not allowed then does
 * not become good later.
 * @module
 */
import {
  createContact,
  createInvitation,
  createRightsChange,
  createThaw,
  type ErrorCode,
  type Kind,
  NO_CONTACTS,
  type Right,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { extended, newAccount, type TestAccount, withDevice } from './accounts.ts';
import { ask } from './asking.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  checkpointAt,
  completeEntry,
  frozen,
  newRecoverable,
  recovered,
  signing,
  testKit,
  UNDO,
} from './recoverable.ts';
import { answer } from './responses.ts';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { NOW, seeded, type TestDevice } from './world.ts';

export async function judging(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone', {
    rights: ['answer', 'pay', 'admit'],
  });
  const shop = await newAccount(memory, 'shop@example.com');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const thawed = async (account: TestAccount) =>
    extended(account, (await createThaw(account.crypto, signing(account, laptop), phone.kid)).jws);
  const allowed = async (account: TestAccount, rights: Right[]) =>
    extended(
      account,
      (await createRightsChange(account.crypto, signing(account, laptop), phone.kid, rights)).jws,
    );

  const input = {
    response: async (known: TestAccount, now: TestAccount, device: TestDevice, kind: Kind) => {
      const request = await ask(`judged ${kind}`, shop, alice, { sealed: false, kind });
      const { statement } = await answer('judged', known, shop, request, undefined, { device });
      return {
        of: 'response',
        request: request.statement.jws,
        account_log: now.log.entries,
        epoch_private_keys: shop.epochs,
        response: statement.jws,
      };
    },
    contact: async (known: TestAccount, now: TestAccount, device: TestDevice) => {
      const contact = { name: shop.log.name, identity: shop.log.identity };
      const change = await createContact(
        webCrypto,
        device.signer,
        known.log,
        NO_CONTACTS,
        contact,
        'allow',
        NOW,
      );
      return { of: 'contact', entries: now.log.entries, changes: [change.jws] };
    },
    invitation: async (
      known: TestAccount,
      now: TestAccount,
      device: TestDevice,
      rights: Right[] = ['answer'],
    ) => {
      // Sealed to the epoch as it is: who signs while it is frozen does not wait for a new one.
      const log = { ...alice.log, head: known.log.head };
      const { statement } = await createInvitation(seeded('judged'), device.signer, log, {
        use: 'admit',
        rights,
        lifetime: 600,
        now: NOW,
      });
      return {
        of: 'invitation',
        invitation: statement.jws,
        entries: now.log.entries,
        epoch_private_keys: now.epochs,
      };
    },
  };
  const good = (name: string, comment: string, made: object) => vectors.push(valid(name, comment, made));
  const bad = (name: string, comment: string, code: ErrorCode, made: object) =>
    vectors.push(invalid(name, comment, code, made));

  const stopped = await frozen(alice, laptop, phone.kid);
  const again = await thawed(stopped);
  const twice = await thawed(await frozen(again, laptop, phone.kid));
  for (const what of ['response', 'contact', 'invitation'] as const) {
    const make = (known: TestAccount, now: TestAccount) =>
      what === 'response' ? input.response(known, now, phone, 'login') : input[what](known, now, phone);
    bad(
      `${what}-frozen`,
      'made and read while its device is frozen',
      'device-frozen',
      await make(stopped, stopped),
    );
    bad(
      `${what}-frozen-then`,
      'made while it was frozen, read when it is thawed',
      'device-frozen',
      await make(stopped, again),
    );
    bad(
      `${what}-frozen-first`,
      'made in the first of two freezes',
      'device-frozen',
      await make(stopped, twice),
    );
    good(`${what}-thawed`, 'made when it was thawed', await make(again, again));
    good(`${what}-between`, 'made between two freezes', await make(again, twice));
    good(`${what}-before`, 'made before the freeze, read after it', await make(alice, again));
    const before = await make(alice, stopped);
    if (what === 'contact')
      good(`${what}-before-frozen`, 'made before the freeze: a change stays good', before);
    else bad(`${what}-before-frozen`, 'made before the freeze, read in it', 'device-frozen', before);
  }

  const less = await allowed(alice, ['admit']);
  const more = await allowed(less, ['answer', 'pay', 'admit']);
  for (const kind of ['login', 'payment'] as const) {
    const make = (known: TestAccount, now: TestAccount) => input.response(known, now, phone, kind);
    bad(`${kind}-without-right`, 'without the right, then', 'device-not-entitled', await make(less, more));
    bad(
      `${kind}-right-taken`,
      'with the right, which was taken since',
      'device-not-entitled',
      await make(alice, less),
    );
    good(`${kind}-right-given`, 'with the right that it was given', await make(more, more));
    good(`${kind}-right-kept`, 'with the right then and now, and not between', await make(alice, more));
  }
  bad(
    'contact-without-right',
    'a change without the right, then',
    'device-not-entitled',
    await input.contact(less, more, phone),
  );
  good('contact-right-taken', 'a change with the right, then', await input.contact(alice, less, phone));
  const knocking = await allowed(alice, ['answer', 'pay']);
  const admitting = await allowed(knocking, ['answer', 'admit']);
  bad(
    'invitation-without-admit',
    'without the right to admit, then',
    'device-not-entitled',
    await input.invitation(knocking, admitting, phone),
  );
  bad(
    'invitation-without-right',
    'giving a right that it had not, then',
    'device-not-entitled',
    await input.invitation(less, more, phone, ['pay']),
  );
  good(
    'invitation-right-given',
    'giving a right that it was given',
    await input.invitation(more, more, phone, ['pay']),
  );

  const waiting = await recovered(alice, kit);
  const found = waiting.devices[2]!;
  const [from, till] = [await checkpointAt(waiting, kit, 0), await checkpointAt(waiting, kit, UNDO)];
  const whole = await extended(waiting, await completeEntry(waiting, found, from, till));
  bad(
    'response-on-probation',
    'on probation',
    'device-on-probation',
    await input.response(waiting, waiting, found, 'login'),
  );
  bad(
    'response-on-probation-then',
    'on probation then',
    'log-invalid',
    await input.response(waiting, whole, found, 'login'),
  );
  good('response-after-probation', 'after its probation', await input.response(whole, whole, found, 'login'));
  bad(
    'contact-on-probation',
    'a change on probation',
    'device-unknown',
    await input.contact(waiting, waiting, found),
  );
  bad(
    'contact-on-probation-then',
    'on probation then',
    'device-unknown',
    await input.contact(waiting, whole, found),
  );
  bad(
    'invitation-on-probation-then',
    'an invitation, on probation then',
    'device-unknown',
    await input.invitation(waiting, whole, found),
  );
  return {
    description: `Statements of ${ALICE} that name a \`head\`: a response, contacts, or an invitation (\`of\`), with the members that those have in the files of their kinds.`,
    spec: 'device-log.md#judging',
    vectors,
  };
}
