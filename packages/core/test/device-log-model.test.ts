import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64url } from '../src/base64url.ts';
import { activeDevices, type Device, type DeviceLog } from '../src/device-log.ts';
import { CountersignError } from '../src/errors.ts';
import { LOG_ENTRIES } from '../src/log-entries.ts';
import { extendLog, replayLog } from '../src/replay.ts';
import { parseStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { actOf, type Beginning, type Draw, describedLog, draws, LogWorld } from './log-acts.ts';
import { type Act, counting, predict } from './log-model.ts';
import { payloadOf } from './tamper.ts';

/** The same each time, unless another is asked for; fast-check prints it with the path to what failed. */
const SEED = Number(process.env.SEED ?? 20_270_115);
const RUNS = { numRuns: process.env.SLOW === '1' ? 2000 : 150, seed: SEED };

let world: LogWorld;
let beginnings: Beginning[];
before(async () => {
  world = await LogWorld.make();
  beginnings = await world.beginnings();
});

const somewhere = fc.nat({ max: 5 });

/** One act on a log and on its model, which must agree. */
async function step(at: Beginning, act: Act): Promise<Beginning> {
  const entry = await world.entryOf(at.log, act);
  const expected = predict(at.model, act);
  let log: DeviceLog;
  try {
    log = await extendLog(webCrypto, at.log, [entry]);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    assert.equal(expected, undefined, `the replay refuses, with ${error.code}: ${JSON.stringify(act)}`);
    return at;
  }
  assert.ok(expected !== undefined, `the replay takes ${JSON.stringify(act)}`);
  assert.deepEqual(await describedLog(log), await world.described(expected));
  return { model: expected, log, past: [...at.past, log] };
}

async function play(begin: Beginning, all: readonly Draw[]): Promise<Beginning> {
  let at = begin;
  for (const draw of all) at = await step(at, actOf(at.model, draw));
  return at;
}

describe('whatever anybody tries on a device log', () => {
  test('the replay takes and refuses what the model does, and finds the same devices', async () => {
    const taken = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(somewhere, draws, async (where, all) => {
        const { log } = await play(beginnings[where]!, all);
        for (const entry of log.entries) {
          const { typ } = await parseStatement(webCrypto, LOG_ENTRIES, entry);
          taken.set(typ, (taken.get(typ) ?? 0) + 1);
        }
        assert.deepEqual(await replayLog(webCrypto, log.entries), log);
      }),
      RUNS,
    );
    // A model that refuses everything would agree with a replay that does.
    for (const { typ } of LOG_ENTRIES)
      assert.ok((taken.get(typ) ?? 0) > RUNS.numRuns / 10, `${typ} is hardly tried`);
  });

  test('every device that counts was let in by a chain of devices that might, or by the code in its time', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, draws, async (where, all) => {
        const { log, past } = await play(beginnings[where]!, all);
        for (const { kid } of activeDevices(log)) await vouch(past, kid, log.head.seq);
      }),
      { ...RUNS, numRuns: RUNS.numRuns / 2 },
    );
  });

  test('those who may not let in let nobody in, and nobody gains a right by them', async () => {
    await fc.assert(
      fc.asyncProperty(somewhere, draws, draws, async (where, honest, all) => {
        const begin = await play(beginnings[where]!, honest);
        const trusted = counting(begin.model).filter((key) =>
          begin.model.devices.get(key)!.rights.some((right) => right === 'admit' || right === 'recover'),
        );
        let at = begin;
        for (const draw of all) {
          const act = actOf(at.model, draw);
          const entitled = trusted.includes(act.by) || at.model.code?.key === act.by;
          // A recovery that was begun before ends when nobody undoes it, whoever they are.
          if (!entitled && act.what !== 'recovery-complete' && !hasHelp(act, at)) at = await step(at, act);
        }
        const before = new Map(activeDevices(begin.log).map((device) => [device.kid, device]));
        for (const device of activeDevices(at.log)) {
          const old = await oneOf(before, at.log, device);
          assert.ok(old !== undefined, `${device.name} came in`);
          assert.deepEqual(device.rights, old.rights);
        }
      }),
      RUNS,
    );
  });
});

/** Whether an act carries the proof of the code, which those who may not let in have not. */
function hasHelp(act: Act, { model }: Beginning): boolean {
  return 'proof' in act && act.proof?.code === model.code?.key;
}

/** Which of some devices this one is, by its own or by earlier keys. */
async function oneOf(
  some: ReadonlyMap<string, Device>,
  log: DeviceLog,
  device: Device,
): Promise<Device | undefined> {
  if (some.has(device.kid)) return some.get(device.kid);
  const { typ, kid } = await parseStatement(webCrypto, LOG_ENTRIES, log.entries[device.addedAt.seq]!);
  return typ.includes('rotate') && kid !== device.kid ? oneOf(some, log, log.devices.get(kid)!) : undefined;
}

/**
 * Follows who let a device in, back to the first entry. Of the replay it takes only who counted with which rights
 * before an entry; that the entry is of a kind that lets somebody in, and by whom, it reads for itself.
 * @param past the log after each of its entries
 */
async function vouch(past: readonly DeviceLog[], kid: string, until: number): Promise<void> {
  const { entries } = past.at(-1)!;
  for (let seq = until; seq >= 0; seq--) {
    const { typ, kid: by, payload } = await parseStatement(webCrypto, LOG_ENTRIES, entries[seq]!);
    const kind = typ.slice('countersign-'.length, -'+jwt'.length);
    if (kind === 'genesis') {
      assert.equal(by, kid, 'nobody let it in');
      return;
    }
    const inner = (payload as { device?: unknown }).device;
    if (typeof inner !== 'string' || kidOf(inner) !== kid) continue;
    const earlier = past[seq - 1]!;
    const signer = activeDevices(earlier).find((device) => device.kid === by);
    switch (kind) {
      case 'device-add': {
        const given = (payload as { rights: string[] }).rights;
        for (const right of ['admit', ...given]) {
          assert.ok(
            (signer?.rights as string[] | undefined)?.includes(right),
            `${by} gave ${right} to ${kid}`,
          );
        }
        return vouch(past, by, seq - 1);
      }
      case 'device-rotate':
        assert.ok(signer !== undefined, `${by} took the keys of ${kid}`);
        // New sealing keys of the same device say nothing of how it came in.
        return by === kid ? vouch(past, kid, seq - 1) : vouch(past, by, seq - 1);
      case 'recovery': {
        const end = await endOfProbation(past, kid, seq);
        assert.ok(end !== undefined, `the recovery of ${kid} never ended`);
        return;
      }
      default:
        assert.fail(`${kind} lets nobody in`);
    }
  }
}

/** Where a device signed that its probation was over, with words of the broker that are the undo period apart. */
async function endOfProbation(
  past: readonly DeviceLog[],
  kid: string,
  began: number,
): Promise<number | undefined> {
  const { entries } = past.at(-1)!;
  for (let seq = began + 1; seq < entries.length; seq++) {
    const { typ, kid: by } = await parseStatement(webCrypto, LOG_ENTRIES, entries[seq]!);
    if (by !== kid || !typ.includes('recovery-complete')) continue;
    const { from, to } = payloadOf(entries[seq]!);
    const [first, second] = [payloadOf(from), payloadOf(to)];
    const { undo } = past[began]!.recovery!;
    return first.head.seq >= began && second.head.seq >= began && second.iat - first.iat >= undo
      ? seq
      : undefined;
  }
  return undefined;
}

function kidOf(jws: string): string {
  return JSON.parse(new TextDecoder().decode(decodeBase64url(jws.split('.')[0]!))).kid;
}
