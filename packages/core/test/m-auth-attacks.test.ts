/**
 * Whoever carries the bytes of M-AUTH, the demultiplexer itself included, and does with them what they like.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, GATE_MS } from '../src/m-auth.ts';
import { webNoise } from '../src/noise-web.ts';
import {
  attemptAt,
  frameOf,
  type Line,
  newPair,
  type Played,
  play,
  signOn,
  signOnOf,
} from './m-auth-world.ts';

/** The messages of a sign-on, in order, with what must come of each one’s loss or change. */
const MESSAGES = [
  { name: 'AuthValidate', from: 'validator', number: 1 },
  { name: 'the validator’s handshake', from: 'validator', number: 2 },
  { name: 'the context', from: 'interface', number: 1 },
  { name: 'the acknowledgement', from: 'validator', number: 3 },
  { name: 'the result', from: 'interface', number: 2 },
  { name: 'the last', from: 'validator', number: 4 },
] as const;

type Message = (typeof MESSAGES)[number];

const at =
  ({ from, number }: Message, then: (bytes: Uint8Array) => Uint8Array[]): Line =>
  (bytes, by, n) =>
    by === from && n === number ? then(bytes) : [bytes];

/** Out means: neither side believes in a success that the other does not. */
function judge(message: Message, played: Played): void {
  const decided = message.name === 'the result' || message.name === 'the last';
  assert.equal(played.granted, decided, JSON.stringify([played.denied, played.end]));
  if (message.name !== 'the last') assert.notEqual(played.end?.outcome, 'granted');
}

describe('one bit turned', () => {
  for (const message of MESSAGES) {
    test(`in ${message.name}: out, with the alarm on the side that reads it`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (which) => {
          const { host, device } = await newPair();
          const played = await signOn([host], device, {
            line: at(message, (bytes) => {
              const bent = Uint8Array.from(bytes);
              // behind the length and the type, which are for whoever parses frames
              const bit = 24 + (which % ((bytes.length - 3) * 8));
              bent[bit >> 3]! ^= 1 << (bit & 7);
              try {
                frameOf(bent);
              } catch {
                return [];
              }
              return [bent];
            }),
          });
          judge(message, played);
          const seen = played.validatorAlarm || played.denied?.alarm === true;
          // a version that is turned is no frame; the last message decides nothing
          if (message.name !== 'AuthValidate' && message.name !== 'the last') assert.ok(seen);
          assert.ok((await signOn([host], device, { passcode: '654321' })).granted, 'and the pair lives on');
        }),
        { numRuns: process.env.SLOW === '1' ? 300 : 12 },
      );
    });
  }
});

describe('a message', () => {
  for (const message of MESSAGES) {
    test(`dropped: ${message.name}`, async () => {
      const { host, device } = await newPair();
      judge(message, await signOn([host], device, { line: at(message, () => []) }));
      const next = await signOn([host], device, { passcode: '654321' });
      assert.equal(next.end?.outcome, 'granted', 'and the next sign-on is not disturbed');
    });

    test(`doubled: ${message.name}`, async () => {
      const { host, device } = await newPair();
      const played = await signOn([host], device, { line: at(message, (bytes) => [bytes, bytes]) });
      // what comes after the answer that was due is too late to do harm; before it, it ends everything
      if (played.granted)
        assert.ok(played.interfaceEvents.filter(({ kind }) => kind === 'granted').length === 1);
      else assert.notEqual(played.end?.outcome, 'granted');
      assert.equal(host.record.step, played.granted ? 1 : 0);
      assert.equal((await signOn([host], device, { passcode: '654321' })).end?.outcome, 'granted');
    });

    test(`delayed beyond every window: ${message.name}`, async () => {
      const { host, device } = await newPair();
      let time = 0;
      const played = await signOn([host], device, {
        now: () => time,
        line: at(message, (bytes) => {
          time = 300_000;
          return [bytes];
        }),
      });
      judge(message, played);
      assert.equal((await signOn([host], device, { passcode: '654321' })).end?.outcome, 'granted');
    });
  }

  test('that comes before the one it follows ends it', async () => {
    const { host, device } = await newPair();
    let held: Uint8Array | undefined;
    const played = await signOn([host], device, {
      line: (bytes, from, number) => {
        if (from !== 'validator' || number > 2) return [bytes];
        if (number === 2) return [bytes, held!];
        held = bytes;
        return [];
      },
    });
    assert.equal(played.granted, false);
    assert.notEqual(played.end?.outcome, 'granted');
  });
});

describe('replayed', () => {
  test('every recorded byte, on the same passcode before and after: out', async () => {
    const { host, device } = await newPair();
    const recorded = (await signOn([host], device)).sent;
    for (const passcode of ['123456', '999999']) {
      const attempt = attemptAt([host], passcode);
      for (const { from, bytes } of recorded) {
        if (from === 'interface' || attempt.over) continue;
        const step = await attempt.receive(frameOf(bytes), 1);
        assert.notEqual(step.event?.kind, 'granted');
        assert.equal(step.commit, undefined);
      }
      assert.ok(attempt.over);
    }
  });

  test('every recorded byte of the interface, to the validator: out, and no success', async () => {
    const { host, device } = await newPair();
    const old = device.record;
    const recorded = (await signOn([host], device)).sent;
    for (const record of [device.record, old]) {
      const signing = signOnOf({ ...device, record }, '123456');
      await signing.start(0);
      for (const { from, bytes } of recorded) {
        if (from === 'validator' || signing.over) continue;
        const step = await signing.receive(frameOf(bytes), 1);
        assert.notEqual(step.event?.kind, 'context');
        assert.equal(step.commit, undefined);
      }
    }
  });

  test('a handshake recorded in an attempt that failed, on the same step and passcode: out', async () => {
    const { host, device } = await newPair();
    const recorded = (await signOn([host], device, { answer: 'nothing' })).sent;
    const attempt = attemptAt([host], '123456');
    let frames: readonly Uint8Array[] = [];
    for (const { from, bytes } of recorded) {
      if (from === 'validator') frames = (await attempt.receive(frameOf(bytes), 1)).send;
    }
    // the first message can be replayed where the passcode is drawn again; nobody can read what answers it
    assert.equal(frames.length, 1);
    const signing = signOnOf(device, '123456');
    await signing.start(0);
    const step = await signing.receive(frameOf(frames[0]!), 1);
    assert.deepEqual(step.event, { kind: 'ended', end: { outcome: 'forged' }, alarm: true });
    const junk = encodeFrame({ kind: 'transport', body: webNoise.randomBytes(272) });
    assert.equal((await attempt.receive(frameOf(junk), 2)).event?.kind, 'denied');
  });
});

describe('a fake', () => {
  test('interface, that does not have the keys: the validator’s alarm', async () => {
    const [real, fake] = [await newPair(), await newPair()];
    // the demultiplexer sends the validator to an interface of its own, which has seen the passcode
    const step = await signOnOf(real.device, '123456').start(0);
    const attempt = attemptAt([fake.host], '123456');
    assert.equal((await attempt.receive(frameOf(step.send[0]!), 0)).event?.kind, 'denied');
    for (const body of [new Uint8Array(0), webNoise.randomBytes(304), webNoise.randomBytes(32)]) {
      const signing = signOnOf(real.device, '123456');
      await signing.start(0);
      const answer = await signing.receive({ kind: 'handshake', body }, 0);
      assert.deepEqual(answer.event, { kind: 'ended', end: { outcome: 'forged' }, alarm: true });
    }
  });

  test('interface with a passcode of its own invention: the real one has no such sign-on', async () => {
    const { host, device } = await newPair();
    const played = await play({
      attempt: attemptAt([host], '111111'),
      hosts: [host],
      signOn: signOnOf(device, '222222'),
      device,
    });
    assert.equal(played.end?.outcome, 'not-recognised');
    assert.equal(played.granted, false);
  });

  test('notice that the record is old: the validator’s alarm, as of a fake', async () => {
    const { device } = await newPair();
    const signing = signOnOf(device, '123456');
    await signing.start(0);
    const step = await signing.receive({ kind: 'stale', body: new Uint8Array(16) }, 0);
    assert.deepEqual(step.event, { kind: 'ended', end: { outcome: 'forged' }, alarm: true });
  });

  test('validator, that knows all but the key: the interface’s alarm', async () => {
    const { host, device } = await newPair();
    const key = await webNoise.generateKey();
    const thief = { key, record: device.record };
    const played = await play({
      attempt: attemptAt([host], '123456'),
      hosts: [host],
      signOn: signOnOf(thief, '123456'),
      device: thief,
    });
    assert.equal(played.denied?.why, 'forged');
    assert.ok(played.denied?.alarm);
  });

  test('validator, that knows all but the ratchet: the demultiplexer has no such tag', async () => {
    const { host, device } = await newPair();
    const thief = { ...device, record: { ...device.record, ratchet: 'A'.repeat(43) } };
    const step = await signOnOf(thief, '123456').start(0);
    const announced = frameOf(attemptAt([host], '123456').request(new Uint8Array(16), 0));
    const sent = frameOf(step.send[0]!);
    assert.ok(announced.kind === 'request' && sent.kind === 'validate');
    assert.ok(!announced.tags.some((tag) => tag.toHex() === sent.tag.toHex()));
  });

  test('validator with the host’s stolen disk can begin, and say nothing', async () => {
    const { host, device } = await newPair();
    // KK: with the interface’s private key, `es` and `ss` can be computed without the validator’s (KCI)
    const stolen = await webNoise.importKey(
      Uint8Array.fromBase64(host.record.secret, { alphabet: 'base64url' }),
    );
    const forger = {
      publicKey: device.key.publicKey,
      dh: async (peer: Uint8Array) =>
        peer.toHex() === stolen.publicKey.toHex()
          ? stolen.dh(device.key.publicKey)
          : new Uint8Array(32).fill(9),
    };
    const played = await play({
      attempt: attemptAt([host], '123456'),
      hosts: [host],
      signOn: signOnOf({ key: forger, record: device.record }, '123456'),
      device: { key: forger, record: device.record },
    });
    assert.ok(
      played.interfaceEvents.some(({ kind }) => kind === 'shown'),
      'the first message passes',
    );
    assert.equal(played.granted, false);
    assert.equal(played.end?.outcome, 'forged');
  });
});

test('the demultiplexer sees tags that are all new in each attempt and each step', async () => {
  const { host, device } = await newPair();
  const seen = new Set<string>();
  let count = 0;
  for (let i = 0; i < 20; i++) {
    const passcode = String(100_000 + i);
    const frame = frameOf(attemptAt([host], passcode).request(new Uint8Array(16), 0));
    assert.ok(frame.kind === 'request');
    assert.equal(frame.tags.length, 16);
    assert.equal(frame.lifetime, GATE_MS);
    for (const tag of frame.tags) seen.add(tag.toHex());
    count += frame.tags.length;
    if (i % 2 === 0) assert.ok((await signOn([host], device, { passcode })).granted);
  }
  assert.equal(seen.size, count);
});
