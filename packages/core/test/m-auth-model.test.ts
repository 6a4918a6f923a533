/**
 * The ratchet of M-AUTH against a model of it: an owner, a thief who copies the owner's database when they like and
 * keeps to no rule, and a line that loses messages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RETIRED_STEPS } from '../src/m-auth-record.ts';
import { copyOf, type Device, newPair, type Played, signOn } from './m-auth-world.ts';

type Who = 'owner' | 'thief';
type Action = { readonly copy: true } | { readonly who: Who; readonly lost: number };

/** Messages 1 to 6 of a sign-on; 7 is none. */
const ORDER = [
  { from: 'validator', number: 1 },
  { from: 'validator', number: 2 },
  { from: 'interface', number: 1 },
  { from: 'validator', number: 3 },
  { from: 'interface', number: 2 },
  { from: 'validator', number: 4 },
] as const;

interface Side {
  at: number;
  pending: number[];
}

/** What the specification says, with numbers for secrets. */
class Model {
  current = 0;
  before: { at: number; granted: number } | undefined;
  retired: number[] = [];
  #next = 1;

  run(side: Side, lost: number, cheats: boolean): { granted: boolean; alarm: boolean; moved: boolean } {
    const nothing = { granted: false, alarm: false, moved: false };
    const isBefore = this.before?.at === side.at;
    if (side.at !== this.current && !isBefore) {
      // a step that is over is known for a while; without its first message nobody knows who it was
      return { ...nothing, alarm: lost !== 1 && this.retired.includes(side.at) };
    }
    if (lost <= 3) return nothing;
    const unconfirmed = isBefore ? this.before!.granted : undefined;
    if (unconfirmed !== undefined && !cheats && !side.pending.includes(unconfirmed)) {
      return { ...nothing, alarm: true };
    }
    const attempt = this.#next++;
    side.pending = [...(unconfirmed === undefined ? [] : [unconfirmed]), attempt];
    if (lost === 4) return nothing;
    this.#retire(isBefore ? this.current : this.before?.at);
    this.before = { at: side.at, granted: attempt };
    this.current = attempt;
    if (lost === 5) return { ...nothing, granted: true };
    side.at = this.current;
    side.pending = [];
    if (lost === 6) return { granted: true, alarm: false, moved: true };
    this.#retire(this.before.at);
    this.before = undefined;
    return { granted: true, alarm: false, moved: true };
  }

  #retire(step: number | undefined): void {
    if (step !== undefined) this.retired = [step, ...this.retired].slice(0, RETIRED_STEPS);
  }
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ copy: true } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      who: fc.constantFrom<Who>('owner', 'owner', 'thief'),
      lost: fc.constantFrom(7, 7, 7, 1, 2, 3, 4, 5, 6),
    }),
  },
);

test('the ratchet does what its model does, and after a thief was let in the owner never is without an alarm', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 24 }), async (actions) => {
      const { host, device } = await newPair();
      const devices: Record<Who, Device> = { owner: device, thief: copyOf(device) };
      const sides: Record<Who, Side> = { owner: { at: 0, pending: [] }, thief: { at: 0, pending: [] } };
      const model = new Model();
      // who was let in since the copy was made, and not noticed
      let unnoticed = new Set<Who>();
      for (const [index, one] of actions.entries()) {
        if ('copy' in one) {
          devices.thief = copyOf(devices.owner);
          sides.thief = structuredClone(sides.owner);
          unnoticed = new Set();
          continue;
        }
        const { who, lost } = one;
        const device = devices[who];
        const granted = host.record.before?.granted;
        if (who === 'thief' && granted !== undefined)
          device.record = { ...device.record, pending: [granted] };
        const expected = model.run(sides[who], lost, who === 'thief');
        const dropped = ORDER[lost - 1];
        const played: Played = await signOn([host], device, {
          passcode: String(100_000 + index),
          line: (bytes, from, number) => (from === dropped?.from && number === dropped.number ? [] : [bytes]),
        });
        const alarm = played.validatorAlarm || played.denied?.why === 'old-ratchet';
        assert.deepEqual(
          { granted: played.granted, alarm, moved: played.end?.outcome === 'granted' },
          expected,
          JSON.stringify([index, one, played.denied, played.end]),
        );
        if (expected.alarm) unnoticed = new Set();
        if (expected.granted) unnoticed.add(who);
        assert.ok(!(expected.granted && who === 'owner' && unnoticed.has('thief')));
      }
    }),
    { numRuns: process.env.SLOW === '1' ? 2000 : 60 },
  );
});
