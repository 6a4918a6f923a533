import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeBase64url } from '../src/base64url.ts';
import {
  erasedFrame,
  eraseFrame,
  formatEraseStatement,
  formatPairLink,
  isErased,
  isErasedBy,
  isErasedByFrame,
  type JoinEvent,
  MAX_RECORD_BYTES,
  type OfferEvent,
  PAIRING_MS,
  PairJoin,
  PairOffer,
  pairEraseToken,
  parseEraseStatement,
  parseInterfaceRecord,
  parsePairLink,
  parseValidatorRecord,
} from '../src/m-auth.ts';
import { webNoise } from '../src/noise-web.ts';
import { drawPin } from '../src/secret-code.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { frameOf, goodLine, type Line, signOn } from './m-auth-world.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const NAMES = { account: 'alice', host: 'server.example', services: ['login', 'sshd', 'screen lock'] };
const MASTER = new Uint8Array(16).fill(5);

interface Options {
  readonly shown?: string;
  readonly typed?: string;
  readonly line?: Line;
  readonly now?: () => number;
  readonly confirm?: boolean;
  readonly offer?: PairOffer;
}

async function pair(options: Options = {}) {
  const shown = options.shown ?? drawPin(webCrypto);
  const { line = goodLine, now = () => 0, confirm = true, typed = shown } = options;
  const offer = options.offer ?? new PairOffer({ crypto: webNoise, code: shown, names: NAMES, opened: 0 });
  const key = await webNoise.generateKey();
  const link = { code: typed, addresses: ['server.example:7421'] };
  const join = new PairJoin({ crypto: webNoise, link, key, name: 'Alice’s phone', eraseMaster: MASTER });
  const up: Uint8Array[] = [];
  const down: Uint8Array[] = [];
  const counts = { validator: 0, interface: 0 };
  const offerEvents: OfferEvent[] = [];
  const joinEvents: JoinEvent[] = [];
  const send = (from: 'validator' | 'interface', frames: readonly Uint8Array[]) => {
    for (const bytes of frames) (from === 'validator' ? up : down).push(...line(bytes, from, ++counts[from]));
  };
  const onOffer = (step: Awaited<ReturnType<PairOffer['receive']>>) => {
    if (step.event !== undefined) offerEvents.push(step.event);
    send('interface', step.send);
    if (step.keep !== undefined) onOffer(offer.settle(true));
    return step.close;
  };
  const onJoin = (step: Awaited<ReturnType<PairJoin['receive']>>) => {
    if (step.event !== undefined) joinEvents.push(step.event);
    send('validator', step.send);
    if (step.event?.kind === 'offered') onJoin(join.confirm(confirm));
    if (step.keep !== undefined) onJoin(join.settle(true, now()));
  };
  let closed = false;
  onJoin(await join.start(now()));
  for (;;) {
    const one = up.shift();
    if (one !== undefined) {
      if (!offer.over && !closed) closed = onOffer(await offer.receive(frameOf(one), now()));
      continue;
    }
    const other = down.shift();
    if (other === undefined) break;
    if (!join.over) onJoin(await join.receive(frameOf(other), now()));
  }
  if (!offer.over) onOffer(offer.closed());
  if (!join.over) onJoin(join.closed());
  const paired = offerEvents.find((event) => event.kind === 'paired');
  const joined = joinEvents.find((event) => event.kind === 'paired');
  const failed = offerEvents.find((event) => event.kind === 'failed');
  return { offer, join, key, shown, offerEvents, joinEvents, paired, joined, failed };
}

describe('pairing', () => {
  test('gives each side the other’s key, one ratchet and the names; a sign-on follows', async () => {
    const { paired, joined, key } = await pair();
    assert.ok(paired !== undefined && joined !== undefined);
    const [host, device] = [{ record: paired.record }, { record: joined.record, key }];
    assert.equal(paired.record.ratchet, joined.record.ratchet);
    assert.equal(paired.record.peer, joined.record.key);
    assert.equal(paired.record.validator, 'Alice’s phone');
    assert.deepEqual(
      [joined.record.account, joined.record.host, joined.record.services],
      [NAMES.account, NAMES.host, NAMES.services],
    );
    assert.ok((await signOn([host], device)).granted);
    for (const record of [parseInterfaceRecord(host.record), parseValidatorRecord(device.record)]) {
      assert.ok(JSON.stringify(record).length <= MAX_RECORD_BYTES);
    }
  });

  test('with another code finds nobody', async () => {
    const played = await pair({ typed: drawPin(webCrypto) });
    assert.equal(played.paired, undefined);
    assert.deepEqual(played.joinEvents, [{ kind: 'failed', why: 'not-recognised', alarm: false }]);
  });

  test('is once: a used code is worth nothing', async () => {
    const { offer, shown } = await pair();
    const again = await pair({ offer, shown });
    assert.equal(again.paired, undefined);
    assert.equal(again.joined, undefined);
  });

  test('is for ten minutes, and no tick more', async () => {
    assert.ok((await pair({ now: () => PAIRING_MS - 1 })).paired !== undefined);
    const late = await pair({ now: () => PAIRING_MS });
    assert.equal(late.paired, undefined);
    assert.equal(late.failed?.why, 'expired');
  });

  test('that the person does not confirm leaves nothing', async () => {
    const { paired, joined, failed } = await pair({ confirm: false });
    assert.deepEqual([paired, joined, failed?.why], [undefined, undefined, 'declined']);
  });

  test('whose connection breaks before the code was tried goes on with the same code', async () => {
    const line: Line = (bytes, from, number) => (from === 'interface' && number === 1 ? [] : [bytes]);
    const { offer, shown, offerEvents } = await pair({ line });
    assert.deepEqual(offerEvents, [{ kind: 'interrupted' }]);
    assert.ok((await pair({ offer, shown })).paired !== undefined);
  });

  test('by one who saw the tag and does not know the code: out, with the alarm, and the code is used up', async () => {
    const line: Line = (bytes, from, number) => {
      if (from !== 'validator' || number !== 3) return [bytes];
      const bent = Uint8Array.from(bytes);
      bent[bent.length - 1]! ^= 1;
      return [bent];
    };
    const { failed, paired, joined, offer } = await pair({ line });
    assert.deepEqual([paired, joined], [undefined, undefined]);
    assert.deepEqual(failed, { kind: 'failed', why: 'forged', alarm: true });
    assert.ok(offer.over);
  });

  test('with a bit turned in any message gives no pair that one side believes in and the other does not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('validator' as const, 'interface' as const),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        async (side, message, which) => {
          const line: Line = (bytes, from, number) => {
            if (from !== side || number !== message) return [bytes];
            const bent = Uint8Array.from(bytes);
            const bit = 24 + (which % ((bytes.length - 3) * 8));
            bent[bit >> 3]! ^= 1 << (bit & 7);
            try {
              frameOf(bent);
              return [bent];
            } catch {
              return [];
            }
          };
          const { paired, joined, joinEvents } = await pair({ line });
          if (side === 'interface' && message === 3) {
            // the last word, bent: the validator knows that it does not know
            assert.ok(paired !== undefined);
            assert.deepEqual(joinEvents.at(-1), { kind: 'failed', why: 'unknown', alarm: false });
          } else if ((side === 'interface' && message === 4) || (side === 'validator' && message > 4)) {
            assert.ok(paired !== undefined && joined !== undefined);
          } else assert.equal(joined, undefined);
        },
      ),
      { numRuns: Math.min(RUNS.numRuns, 300) },
    );
  });

  test('does not put the code, a name or a static key on the line', async () => {
    const sent: Uint8Array[] = [];
    const line: Line = (bytes) => {
      sent.push(bytes);
      return [bytes];
    };
    const { paired, joined, shown } = await pair({ line });
    const all = Buffer.concat(sent);
    for (const text of [shown, shown.replaceAll('-', ''), 'alice', 'server.example', 'phone']) {
      assert.ok(!all.includes(text), text);
    }
    for (const key of [paired!.record.peer, joined!.record.peer]) {
      assert.ok(!all.includes(Buffer.from(key, 'base64url')));
    }
  });
});

describe('the link for pairing', () => {
  test('comes back as it was', () => {
    const link = {
      code: drawPin(webCrypto),
      addresses: ['server.example:7421', 'wss://server.example/gate?a=b', '[2001:db8::1]:7421'],
    };
    assert.deepEqual(parsePairLink(formatPairLink(link)), link);
  });

  test('of any other form is refused', () => {
    const code = drawPin(webCrypto);
    for (const bad of [
      '',
      `countersign-pair:${code}`,
      `countersign:${code}?at=a:1`,
      `countersign-pair:${code}?at=a:1&to=b:1`,
      `countersign-pair:${code}?at=a`,
      `countersign-pair:${code}?at=a:0`,
      `countersign-pair:${code}?at=a:65536`,
      `countersign-pair:${code}?at=wss%3A%2F%2Fa%2F%22`,
      `countersign-pair:${code}?at=http%3A%2F%2Fa`,
      `countersign-pair:${code}?at=a:1?at=b:1`,
      `countersign-pair:${code}?at=a:1&at=a:2&at=a:3&at=a:4&at=a:5`,
    ]) {
      assert.throws(() => parsePairLink(bad), refused('link-invalid'), bad);
    }
    assert.throws(() => parsePairLink('countersign-pair:ABCD?at=a:1'), refused('code-wrong'));
  });
});

describe('an erase statement', () => {
  test('for all, or for the pair, kills the pair that it is of, and no other', async () => {
    const [here, there] = [(await pair()).paired!.record, (await pair()).paired!.record];
    const all = parseEraseStatement(formatEraseStatement({ scope: 'all', token: MASTER }));
    assert.ok(isErasedBy(webNoise, here, all) && isErasedBy(webNoise, there, all));
    const token = pairEraseToken(webNoise, MASTER, here.id);
    const one = parseEraseStatement(formatEraseStatement({ scope: 'pair', token }).toLowerCase());
    assert.ok(isErasedBy(webNoise, here, one));
    assert.ok(!isErasedBy(webNoise, there, one));
    const frame = frameOf(eraseFrame(webNoise, token));
    assert.ok(frame.kind === 'validate');
    assert.ok(isErasedByFrame(webNoise, here, frame));
    assert.ok(!isErasedByFrame(webNoise, there, frame));
    assert.ok(!isErasedByFrame(webNoise, here, { ...frame, proof: new Uint8Array(16) }));
    assert.ok(!isErasedByFrame(webNoise, here, { ...frame, purpose: 'sign-on' }));
  });

  test('is confirmed by the word of the host of that pair, and by no other', async () => {
    const [here, there] = [(await pair()).paired!.record, (await pair()).paired!.record];
    const token = pairEraseToken(webNoise, MASTER, here.id);
    const sent = frameOf(eraseFrame(webNoise, token));
    assert.ok(sent.kind === 'validate');
    const mine = { id: here.id, erase: encodeBase64url(token) };
    const word = frameOf(erasedFrame(webNoise, here, sent));
    assert.ok(word.kind === 'erased' && isErased(webNoise, mine, word));
    // whoever carries the frame knows all but the pair
    for (const other of [
      frameOf(erasedFrame(webNoise, there, sent)),
      frameOf(erasedFrame(webNoise, here, { proof: new Uint8Array(16) })),
      { kind: 'erased', body: sent.proof } as const,
      { ...word, kind: 'stale' } as const,
      sent,
    ]) {
      assert.ok(!isErased(webNoise, mine, other));
    }
  });

  test('of another validator, or of another form, kills nothing', async () => {
    const { record } = (await pair()).paired!;
    const other = { scope: 'all', token: new Uint8Array(16).fill(6) } as const;
    assert.ok(!isErasedBy(webNoise, record, other));
    const text = formatEraseStatement(other);
    for (const bad of [
      '',
      text.slice(0, -1),
      `${text}A`,
      text.replace('all', 'none'),
      `${text}:x`,
      text.replace('-erase', ''),
    ]) {
      assert.throws(() => parseEraseStatement(bad), refused('erase-invalid'), bad);
    }
  });
});
