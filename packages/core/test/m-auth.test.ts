import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  drawSignOnPasscode,
  formatPasscodeCode,
  GATE_MS,
  type InterfaceRecord,
  MAX_RECORD_BYTES,
  parseInterfaceRecord,
  parseValidatorRecord,
  readPasscode,
} from '../src/m-auth.ts';
import { webNoise } from '../src/noise-web.ts';
import {
  attemptAt,
  CONTEXT,
  copyOf,
  type Device,
  frameOf,
  type Host,
  type Line,
  newPair,
  type Played,
  play,
  signOn,
  signOnOf,
} from './m-auth-world.ts';
import { refused } from './refused.ts';

let host: Host;
let device: Device;
before(async () => {
  ({ host, device } = await newPair());
});

function isGranted(played: Played): void {
  assert.ok(played.granted, JSON.stringify([played.denied, played.end]));
  assert.equal(played.end?.outcome, 'granted');
}

/** Nobody was let in, and nobody believes so. */
function isOut(played: Played, why?: string, outcome?: string): void {
  assert.equal(played.granted, false);
  assert.notEqual(played.end?.outcome, 'granted');
  if (why !== undefined) assert.equal(played.denied?.why, why);
  if (outcome !== undefined) assert.equal(played.end?.outcome, outcome);
}

describe('a sign-on', () => {
  test('with the right passcode in time lets in, and both sides move to the same new step', async () => {
    const ratchet = host.record.ratchet;
    isGranted(await signOn([host], device));
    assert.equal(host.record.ratchet, device.record.ratchet);
    assert.notEqual(host.record.ratchet, ratchet);
    assert.equal(host.record.step, device.record.step);
    assert.equal(host.record.before, undefined);
  });

  test('goes the same way with a record that keeps nothing of what its keys give', async () => {
    const { key, shared, ...bare } = host.record;
    assert.ok(key !== undefined && shared !== undefined);
    host.record = bare;
    isGranted(await signOn([host], device));
    assert.equal(host.record.shared, undefined);
    host.record = { ...host.record, key, shared };
    isGranted(await signOn([host], device));
  });

  test('with a record whose kept values are not those of its keys is out', async () => {
    const { record } = host;
    for (const kept of ['key', 'shared'] as const) {
      host.record = { ...host.record, [kept]: record.ratchet };
      isOut(await signOn([host], device), 'forged', 'not-recognised');
      host.record = { ...host.record, [kept]: record[kept]! };
    }
    isGranted(await signOn([host], device));
  });

  test('shows the person the whole context', async () => {
    const played = await signOn([host], device);
    const shown = played.validatorEvents.find((event) => event.kind === 'context');
    assert.deepEqual(shown?.message.context, CONTEXT);
  });

  test('takes the last tick of the gate, and no tick more', async () => {
    isGranted(await signOn([host], device, { now: () => GATE_MS - 1 }));
    const late = await signOn([host], device, { now: () => GATE_MS });
    isOut(late, 'unanswered', 'not-recognised');
  });

  test('whose first message comes in time and whose second is a tick late is out', async () => {
    let time = GATE_MS - 1;
    const played = await signOn([host], device, {
      now: () => time,
      line: (bytes, from, number) => {
        if (from === 'validator' && number === 2) time = GATE_MS;
        return [bytes];
      },
    });
    isOut(played, 'unanswered');
  });

  test('with another passcode reaches nobody', async () => {
    const attempt = attemptAt([host], '123456');
    isOut(
      await play({ attempt, hosts: [host], signOn: signOnOf(device, '123457'), device }),
      'forged',
      'not-recognised',
    );
  });

  test('that the person denies, or reports as fraud, is out', async () => {
    isOut(await signOn([host], device, { answer: 'deny' }), 'denied', 'answered');
    const fraud = await signOn([host], device, { answer: 'fraud' });
    isOut(fraud, 'fraud', 'answered');
    assert.ok(fraud.denied?.alarm);
  });

  test('that nobody answers inside the acknowledgement window is out', async () => {
    const attempt = attemptAt([host], '123456', { acknowledgeSeconds: 30 });
    let time = 5;
    const signing = signOnOf(device, '123456');
    const played = await play({
      attempt,
      hosts: [host],
      device,
      signOn: signing,
      now: () => time,
      answer: 'accept',
      line: (bytes, from, number) => {
        if (from === 'validator' && number === 3) time += 30_000;
        return [bytes];
      },
    });
    isOut(played, 'unacknowledged', 'unknown');
  });

  test('asks the approvers after the person, and one rejection ends it', async () => {
    const change = { approvals: { needed: 2, withinMs: 60_000 } };
    isGranted(await signOn([host], device, { change, approvers: [true, true] }));
    isOut(await signOn([host], device, { change, approvers: [true, false] }), 'approver', 'refused');
    isOut(await signOn([host], device, { change, approvers: [true] }), 'lost', 'unknown');
    isGranted(await signOn([host], device));
  });

  test('whose approvers do not answer in time ends at that time, and both sides say so', async () => {
    let time = 0;
    const attempt = attemptAt([host], '123456', { approvals: { needed: 2, withinMs: 60_000 } });
    const validator = signOnOf(device, '123456');
    const [validate, first] = (await validator.start(time)).send;
    await attempt.receive(frameOf(validate!), time);
    const shaken = await attempt.receive(frameOf(first!), time);
    await validator.receive(frameOf(shaken.send[0]!), time);
    const { commit } = validator.answer('accept', 'person', time);
    device.record = commit!.apply(device.record)!;
    const accepted = validator.settle(true, time);
    const asked = await attempt.receive(frameOf(accepted.send[0]!), time);
    assert.equal(asked.event?.kind, 'acknowledged');
    await validator.receive(frameOf(asked.send[0]!), time);
    attempt.approve(true, time);
    time = 59_999;
    const alive = attempt.tick(time);
    assert.ok(!alive.over && alive.event === undefined, 'one of two, and time is left');
    time = 60_000;
    const late = attempt.approve(true, time);
    assert.ok(late.over && late.event?.kind === 'denied' && late.event.why === 'approval-late');
  });

  test('hands over a secret to those who pass, and to nobody else', async () => {
    const secret = () => ({ name: 'Wi-Fi', value: 'correct horse battery' });
    const passed = await signOn([host], device, { change: { secret } });
    assert.deepEqual(passed.end, { outcome: 'granted', secret: secret() });
    for (const { bytes } of passed.sent) assert.ok(!Buffer.from(bytes).includes('battery'));
    const denied = await signOn([host], device, { change: { secret }, answer: 'deny' });
    assert.deepEqual(denied.end, { outcome: 'answered', answer: 'deny' });
  });

  test('of a service that the pair is not for is refused before anybody is asked', async () => {
    const change = { context: { ...CONTEXT, service: 'sudo' } };
    const played = await signOn([host], device, { change });
    isOut(played, 'denied', 'mismatch');
    assert.ok(played.validatorAlarm);
    assert.ok(!played.validatorEvents.some(({ kind }) => kind === 'context'));
  });

  test('of a disabled account is as one of an account that is unknown', async () => {
    const off: Host = { record: { ...host.record, disabled: true } };
    const attempts = [attemptAt([off], '123456'), attemptAt([], '123456'), attemptAt([host], '123456')];
    const lengths = attempts.map((attempt) => attempt.request(new Uint8Array(16), 0).length);
    assert.equal(new Set(lengths).size, 1);
    isOut(
      await play({ attempt: attempts[0]!, hosts: [off], signOn: signOnOf(device, '123456'), device }),
      'forged',
      'not-recognised',
    );
  });

  test('that the interface takes back while the person reads ends with its word, and no other word then is its', async () => {
    const begun = async () => {
      const [attempt, validator] = [attemptAt([host], '123456'), signOnOf(device, '123456')];
      const [validate, first] = (await validator.start(0)).send;
      await attempt.receive(frameOf(validate!), 0);
      const { send } = await attempt.receive(frameOf(first!), 0);
      assert.equal((await validator.receive(frameOf(send[0]!), 0)).event?.kind, 'context');
      return { attempt, validator };
    };
    const { attempt, validator } = await begun();
    const { send, event, over } = attempt.withdraw();
    assert.ok(over && event?.kind === 'denied' && event.why === 'withdrawn' && event.pair === host.record.id);
    const end = { outcome: 'refused', reason: 'withdrawn' } as const;
    const told = await validator.receive(frameOf(send[0]!), 0);
    assert.deepEqual(told.event, { kind: 'ended', end, alarm: false });
    // of another sign-on
    const other = await (await begun()).validator.receive(frameOf(send[0]!), 0);
    assert.deepEqual(other.event, { kind: 'ended', end: { outcome: 'forged' }, alarm: true });
  });

  test('of an account that is disabled in its midst is out', async () => {
    const { host, device } = await newPair();
    const played = await signOn([host], device, {
      line: (bytes, from, number) => {
        if (from === 'validator' && number === 3) host.record = { ...host.record, disabled: true };
        return [bytes];
      },
    });
    isOut(played, 'superseded', 'refused');
  });

  test('lets one record serve several services of a host', async () => {
    for (const service of ['login', 'screen lock']) {
      isGranted(await signOn([host], device, { change: { context: { ...CONTEXT, service } } }));
    }
  });

  test('finds its pair among several of one account', async () => {
    const phone = await newPair();
    const laptop = await newPair();
    for (const { device } of [phone, laptop]) {
      isGranted(await signOn([phone.host, laptop.host], device));
    }
  });
});

describe('two sign-ons at once', () => {
  test('on one interface: each passcode opens its own, and the other is not disturbed', async () => {
    const { host, device } = await newPair();
    const [one, two] = [attemptAt([host], '111111'), attemptAt([host], '222222')];
    isGranted(await play({ attempt: one, hosts: [host], signOn: signOnOf(device, '111111'), device }));
    two.refresh([host.record]);
    isGranted(await play({ attempt: two, hosts: [host], signOn: signOnOf(device, '222222'), device }));
  });

  test('crossed by a malicious demultiplexer: both out, with the alarm, and both can be tried again', async () => {
    const { host, device } = await newPair();
    for (const [opened, typed] of [
      ['111111', '222222'],
      ['222222', '111111'],
    ] as const) {
      const attempt = attemptAt([host], opened);
      const played = await play({ attempt, hosts: [host], signOn: signOnOf(device, typed), device });
      isOut(played, 'forged');
      assert.ok(played.denied?.alarm);
    }
    for (const passcode of ['333333', '444444']) isGranted(await signOn([host], device, { passcode }));
  });

  test('on two hosts with crossed passcodes: neither knows the other’s, and both can still succeed', async () => {
    const [here, there] = [await newPair(), await newPair()];
    const tagsOf = ({ host }: { host: Host }, passcode: string) => {
      const frame = frameOf(attemptAt([host], passcode).request(new Uint8Array(16), 0));
      return frame.kind === 'request' ? frame.tags.map((tag) => tag.toHex()) : [];
    };
    const first = await signOnOf(here.device, '222222').start(0);
    const frame = frameOf(first.send[0]!);
    assert.ok(frame.kind === 'validate');
    assert.ok(!tagsOf(here, '111111').includes(frame.tag.toHex()));
    assert.ok(!tagsOf(there, '222222').includes(frame.tag.toHex()));
    isGranted(await signOn([here.host], here.device, { passcode: '111111' }));
    isGranted(await signOn([there.host], there.device, { passcode: '222222' }));
  });

  test('that were both shown before one was granted: one is in, the other is out', async () => {
    const { host, device } = await newPair();
    const start = { ...device, record: device.record };
    const [one, two] = [attemptAt([host], '111111'), attemptAt([host], '222222')];
    const [first, second] = [signOnOf(device, '111111'), signOnOf(start, '222222')];
    for (const [attempt, signing] of [
      [one, first],
      [two, second],
    ] as const) {
      for (const bytes of (await signing.start(0)).send) {
        const { send } = await attempt.receive(frameOf(bytes), 0);
        for (const answer of send) await signing.receive(frameOf(answer), 0);
      }
    }
    const accept = (signing: typeof first) => {
      const { commit } = signing.answer('accept', 'person', 0);
      const next = commit!.apply(device.record);
      if (next !== undefined) device.record = next;
      return signing.settle(next !== undefined, 0).send;
    };
    const grant = async (attempt: typeof one, frames: readonly Uint8Array[]) => {
      const { commit } = await attempt.receive(frameOf(frames[0]!), 0);
      const next = commit!.apply(host.record);
      if (next !== undefined) host.record = next;
      return attempt.settle(next !== undefined, 0).event?.kind;
    };
    const [yes, no] = [accept(first), accept(second)];
    assert.equal(await grant(one, yes), 'granted');
    assert.equal(await grant(two, no), 'denied');
  });
});

describe('a copied validator database', () => {
  test('fails after the next success, with the alarm on the interface; its holder is told that it is old', async () => {
    const { host, device } = await newPair();
    const thief = copyOf(device);
    isGranted(await signOn([host], device));
    const played = await signOn([host], thief);
    isOut(played, 'old-ratchet', 'stale');
    assert.ok(played.denied?.alarm && played.validatorAlarm);
    const next = await signOn([host], device);
    isGranted(next);
    const shown = next.validatorEvents.find((event) => event.kind === 'context');
    assert.equal(shown?.message.alarms, 1);
  });

  test('that is used first: the owner’s next sign-on fails, with the alarm on both sides', async () => {
    const { host, device } = await newPair();
    isGranted(await signOn([host], copyOf(device)));
    const played = await signOn([host], device);
    isOut(played, 'old-ratchet', 'stale');
    assert.ok(played.denied?.alarm && played.validatorAlarm);
  });

  test('that is used first and keeps back its last message: the owner’s validator finds it out', async () => {
    const { host, device } = await newPair();
    const thief = copyOf(device);
    const stolen = await signOn([host], thief, {
      line: (bytes, from, n) => (from === 'validator' && n === 4 ? [] : [bytes]),
    });
    assert.ok(stolen.granted);
    const played = await signOn([host], device);
    isOut(played, 'copied', 'copied');
    assert.ok(played.denied?.alarm && played.validatorAlarm);
  });

  test('of fourteen steps ago still raises the alarm; an older one only fails', async () => {
    const { host, device } = await newPair();
    const thief = copyOf(device);
    for (let i = 0; i < 14; i++) isGranted(await signOn([host], device));
    isOut(await signOn([host], copyOf(thief)), 'old-ratchet');
    isGranted(await signOn([host], device));
    isOut(await signOn([host], thief), 'forged', 'not-recognised');
  });
});

describe('lost messages', () => {
  test('the result: the person is in, and the next sign-on goes on from the step before', async () => {
    const { host, device } = await newPair();
    const played = await signOn([host], device, {
      line: (bytes, from, n) => (from === 'interface' && n === 2 ? [] : [bytes]),
    });
    assert.ok(played.granted);
    assert.equal(played.end?.outcome, 'unknown');
    isGranted(await signOn([host], device));
    assert.equal(host.record.ratchet, device.record.ratchet);
    isGranted(await signOn([host], device));
  });

  test('the last: costs nothing', async () => {
    const { host, device } = await newPair();
    isGranted(
      await signOn([host], device, {
        line: (bytes, from, n) => (from === 'validator' && n === 4 ? [] : [bytes]),
      }),
    );
    assert.ok(host.record.before !== undefined);
    isGranted(await signOn([host], device));
    assert.equal(host.record.before, undefined);
  });

  test('the step before is worth nothing in an attempt that was open when it was retired', async () => {
    const { host, device } = await newPair();
    const thief = copyOf(device);
    const lost: Line = (bytes, from, n) => (from === 'validator' && n === 4 ? [] : [bytes]);
    isGranted(await signOn([host], device, { line: lost }));
    const { granted } = host.record.before!;
    thief.record = { ...thief.record, pending: [granted] };
    // opened now, and not told that the owner's validator speaks in the newest channel meanwhile
    const attempt = attemptAt([host], '222222');
    isOut(await signOn([host], device, { answer: 'deny' }), 'denied');
    const played = await play({ attempt, hosts: [host], signOn: signOnOf(thief, '222222'), device: thief });
    isOut(played, 'superseded', 'refused');
    assert.equal(host.record.step, 1);
  });

  test('the step before is gone as soon as the validator has spoken in a channel of the new one', async () => {
    const { host, device } = await newPair();
    const thief = copyOf(device);
    isGranted(
      await signOn([host], device, {
        line: (bytes, from, n) => (from === 'validator' && n === 4 ? [] : [bytes]),
      }),
    );
    isOut(await signOn([host], device, { answer: 'deny' }), 'denied');
    assert.equal(host.record.before, undefined);
    isOut(await signOn([host], thief), 'old-ratchet', 'stale');
  });
});

describe('records', () => {
  test('of either side take at most 2 KB, whatever they hold', async () => {
    const services = Array.from({ length: 12 }, (_, i) => `${'"'.repeat(15)}${i + 10}`);
    const names = { account: '\\'.repeat(32), host: 'h'.repeat(128), services };
    const { host, device } = await newPair(undefined, names);
    const { account, host: name } = names;
    const context = { ...CONTEXT, account, host: name, service: services[0]! };
    for (let i = 0; i < 16; i++) isGranted(await signOn([host], device, { change: { context } }));
    await signOn([host], device, {
      change: { context },
      line: (bytes, from, n) => (from === 'validator' && n === 4 ? [] : [bytes]),
    });
    const full32 = host.record.ratchet;
    const full: InterfaceRecord = {
      ...host.record,
      validator: 'ü'.repeat(32),
      key: full32,
      shared: full32,
      disabled: true,
      step: Number.MAX_SAFE_INTEGER,
      failed: Number.MAX_SAFE_INTEGER,
      alarms: Number.MAX_SAFE_INTEGER,
    };
    const there = {
      ...device.record,
      step: Number.MAX_SAFE_INTEGER,
      addresses: Array.from({ length: 4 }, (_, i) => `wss://${`${i}`.repeat(170)}.com`),
      pending: [full.id, full.id],
    };
    const sizes = [parseInterfaceRecord(full), parseValidatorRecord(there)].map((record) =>
      Buffer.byteLength(JSON.stringify(record)),
    );
    for (const size of sizes) assert.ok(size <= MAX_RECORD_BYTES, `${size} bytes`);
    // what is twice as long in JSON as by itself
    for (const longer of [
      { account: '"'.repeat(64) },
      { validator: '"'.repeat(64) },
      { services: ['"'.repeat(32)] },
    ]) {
      assert.throws(() => parseInterfaceRecord({ ...full, ...longer }), refused('record-invalid'));
    }
    const [usual, usualThere] = [host.record, device.record].map((record) => JSON.stringify(record).length);
    assert.ok(usual! > 500 && usualThere! > 300);
  });
});

describe('a passcode', () => {
  test('is six digits, never one that is taken', () => {
    const taken = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const drawn = drawSignOnPasscode(webNoise, taken);
      assert.match(drawn, /^\d{6}$/);
      assert.ok(!taken.has(drawn));
      taken.add(drawn);
    }
  });

  test('is read as typed and as scanned, and nothing else is', () => {
    for (const text of ['123456', ' 123 456 ', '123-456', formatPasscodeCode('123456')]) {
      assert.equal(readPasscode(text), '123456');
    }
    for (const text of [
      '',
      '12345',
      '1234567',
      'abcdef',
      '１２３４５６',
      'CSGATE:',
      'OTHER:123456',
      '123456?at=evil',
    ]) {
      assert.equal(readPasscode(text), undefined, text);
    }
  });
});
