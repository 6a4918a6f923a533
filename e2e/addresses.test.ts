/** An account’s e-mail addresses: proven by a code, and told what becomes of its devices, by a real mail server. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { beginRecovery, MemoryKeyStore, MemoryStateStore, newRecovery } from '@countersign/client';
import { webCrypto } from '@countersign/core/webcrypto';
import { type MailServer, startMailServer } from './mail-server.ts';
import {
  addDevice,
  makeParty,
  newcomer,
  type Party,
  refused,
  startTestBroker,
  type TestBroker,
  TestClock,
} from './parties.ts';
import { countersign, startBrokerProcess, temporaryFolder } from './processes.ts';

const clock = new TestClock();
let smtp: MailServer;
let home: TestBroker;
let serial = 0;

before(async () => {
  smtp = await startMailServer();
  home = await startTestBroker(clock, { mail: { url: smtp.url, from: 'notices@broker.example' } });
});
after(async () => {
  await home[Symbol.asyncDispose]();
  await smtp[Symbol.asyncDispose]();
});

const codeIn = (mail: string) => /^(\d{6}) is the code/m.exec(mail)![1]!;
/** Another code than the right one. */
const notIt = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

async function owner(): Promise<{ alice: Party; code: string; mailbox: string }> {
  const { code, provision } = await newRecovery(webCrypto, home.broker.context.publicKey, 3 * 86_400);
  const name = `alice${++serial}@example.com`;
  const alice = await makeParty(home.origin, name, clock, 'EdDSA', provision);
  return { alice, code, mailbox: `alice${serial}@mail.example` };
}

async function told() {
  const made = await owner();
  const { addresses } = made.alice.device;
  await addresses.add(made.mailbox);
  await addresses.confirm(made.mailbox, codeIn(await smtp.mailTo(made.mailbox)));
  return { ...made, seen: smtp.mails.length };
}

describe('an address', () => {
  test('is told only once the code came back that was sent there', async () => {
    const { alice, mailbox } = await owner();
    const { addresses } = alice.device;
    await addresses.add(mailbox);
    const sent = codeIn(await smtp.mailTo(mailbox));
    assert.deepEqual(await addresses.list(), []);
    await assert.rejects(addresses.confirm(mailbox, notIt(sent)), refused('code-wrong'));
    await assert.rejects(addresses.confirm(`other-${mailbox}`, sent), refused('address-refused'));
    await addresses.confirm(mailbox, sent);
    assert.deepEqual(
      (await addresses.list()).map(({ address }) => address),
      [mailbox],
    );
    await assert.rejects(addresses.confirm(mailbox, sent), refused('address-refused'));
  });

  test('is given five tries, and the right code does not help after them', async () => {
    const { alice, mailbox } = await owner();
    const { addresses } = alice.device;
    await addresses.add(mailbox);
    const sent = codeIn(await smtp.mailTo(mailbox));
    for (let i = 0; i < 5; i++) {
      await assert.rejects(addresses.confirm(mailbox, notIt(sent)), refused('code-wrong'));
    }
    await assert.rejects(addresses.confirm(mailbox, sent), refused('address-refused'));
  });

  test('is not flooded with codes, whoever asks for them', async () => {
    const mailbox = 'somebody@mail.example';
    for (let i = 0; i < 3; i++) await (await owner()).alice.device.addresses.add(mailbox);
    const { alice } = await owner();
    await assert.rejects(alice.device.addresses.add(mailbox), refused('too-often'));
    assert.equal(smtp.mails.filter(({ to }) => to === mailbox).length, 3);
  });

  test('that no mail reaches is refused', async () => {
    const { alice, mailbox } = await owner();
    smtp.refuse = true;
    await assert.rejects(alice.device.addresses.add(mailbox), refused('address-refused'));
    smtp.refuse = false;
    for (const none of ['nobody', 'a@b\nto: c@d.example', '']) {
      await assert.rejects(alice.device.addresses.add(none), refused('input-invalid'));
    }
  });

  test('is the business of devices that may let others in', async () => {
    const { alice, mailbox } = await told();
    const phone = await addDevice(alice, 'a phone', ['answer']);
    await assert.rejects(phone.device.addresses.remove(mailbox), refused('device-not-entitled'));
    await assert.rejects(phone.device.addresses.add(mailbox), refused('device-not-entitled'));
    assert.equal((await phone.device.addresses.list()).length, 1);
  });

  test('hears of its own removal', async () => {
    const { alice, mailbox, seen } = await told();
    await alice.device.addresses.remove(mailbox);
    assert.match(await smtp.mailTo(mailbox, seen), /An address was removed/);
    assert.deepEqual(await alice.device.addresses.list(), []);
    await assert.rejects(alice.device.addresses.remove(mailbox), refused('address-refused'));
  });
});

describe('what an address is told', () => {
  test('that a recovery began, until when it can be undone, and nothing that opens anything', async () => {
    const { alice, code, mailbox, seen } = await told();
    const { name, identity, broker } = alice.device.session.keys;
    const stores = {
      keyStore: new MemoryKeyStore(),
      state: new MemoryStateStore(),
      crypto: webCrypto,
      clock,
    };
    // The broker counts from when it heard of it, the device from the broker's first word of it.
    using _ = clock.stop();
    const { until } = await beginRecovery({ name, identity, broker }, code, { deviceName: 'x' }, stores);
    const mail = await smtp.mailTo(mailbox, seen);
    assert.match(mail, /^From: notices@broker\.example/m);
    assert.ok(mail.includes(name));
    assert.ok(mail.includes(new Date(until * 1000).toUTCString()), mail);
    assert.doesNotMatch(mail, /https?:/);
    assert.ok(!mail.includes(code));
  });

  test('that a device was let in, frozen, and shown out', async () => {
    const { alice, mailbox, seen } = await told();
    const phone = await addDevice(alice, 'a phone', ['answer']);
    assert.match(await smtp.mailTo(mailbox, seen), /A new device was let in/);
    const kid = await phone.device.session.kid();
    let mark = smtp.mails.length;
    await alice.device.devices.freeze(kid);
    assert.match(await smtp.mailTo(mailbox, mark), /A device was frozen/);
    mark = smtp.mails.length;
    await alice.device.devices.revoke(kid, 'lost');
    assert.match(await smtp.mailTo(mailbox, mark), /A device was shown out/);
  });
});

test('an address hears of a PIN that was used, and came again, once an hour', async () => {
  const { alice, mailbox, seen } = await told();
  const link = await alice.device.devices.invite('admit');
  await newcomer(clock).knock(link);
  for (let i = 0; i < 3; i++) await assert.rejects(newcomer(clock).knock(link), refused('pin-used'));
  assert.match(await smtp.mailTo(mailbox, seen), /A PIN for a new device was tried a second time/);
  // One more only where the clock comes to the next hour meanwhile.
  const { notices } = await alice.device.devices.door();
  const hours = Math.floor(notices[0]!.newest / 3600) - Math.floor(notices[0]!.first / 3600) + 1;
  assert.equal(notices[0]!.count, 3);
  assert.ok(smtp.mails.slice(seen).filter(({ to }) => to === mailbox).length <= hours);
});

test('a broker without a mail server says so', async () => {
  await using plain = await startTestBroker(clock);
  const alice = await makeParty(plain.origin, 'alice@example.com', clock);
  await assert.rejects(alice.device.addresses.add('alice@mail.example'), refused('address-refused'));
});

test('from the command line, through a broker of its own process', async () => {
  await using folder = await temporaryFolder();
  const mark = smtp.mails.length;
  await using broker = await startBrokerProcess(`${folder.path}/broker`, {
    args: ['--smtp', smtp.url, '--mail-from', 'notices@broker.example'],
  });
  try {
    const must = async (...words: string[]) => {
      const { status, stdout, stderr } = await countersign(`${folder.path}/alice`, words);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    await must('account', 'create', 'alice@example.com', '--broker', broker.origin);
    const mailbox = 'alice@mail.example';
    await must('account', 'address', 'add', mailbox);
    const code = codeIn(await smtp.mailTo(mailbox, mark));
    await must('account', 'address', 'confirm', mailbox, code);
    assert.match(await must('account', 'address', 'list'), /^alice@mail\.example {2}since /);
    await must('account', 'address', 'remove', mailbox);
    assert.match(await must('account', 'address', 'list'), /No address is told/);
    assert.ok(!broker.log().includes(mailbox), 'the log names no address');
  } finally {
    await broker.stop();
  }
});
