/**
 * Random acts on a device log, entitled ones and not; and their real, signed entries.
 * @module
 */
import fc from 'fast-check';
import { type CheckpointPayload, CheckpointStatement } from '../src/checkpoint.ts';
import type { DeviceLog } from '../src/device-log.ts';
import { isFrozen } from '../src/device-log.ts';
import {
  DeviceStatement,
  GenesisEntry,
  LOG_ENTRIES,
  MAX_UNDO,
  MIN_UNDO,
  RecoveryProof,
  type RecoveryProvision,
  RIGHTS,
  type Right,
} from '../src/log-entries.ts';
import { extendLog, replayLog } from '../src/replay.ts';
import { keyFingerprint, signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { BROKER, NOW, newDevice, type TestDevice } from './fixtures.ts';
import {
  type Act,
  counting,
  type Glimpse,
  type Model,
  type Proof,
  type Provision,
  predict,
  type Reason,
} from './log-model.ts';

const NAME = 'alice@example.com';
/** Keys of devices and of codes: one pool, so that one may be tried for the other. */
const DEVICES = 24;
const CODES = 4;
const STRANGER = DEVICES + CODES;
const UNDO = 7200;
/** What a sealed box holds is nothing that a replay looks at. */
const BOX = 'AAAA';

/** Where a random log begins. */
export interface Beginning {
  readonly model: Model;
  readonly log: DeviceLog;
  /** The log after each of its entries. */
  readonly past: readonly DeviceLog[];
}

/** What was drawn at random; what it comes to depends on the log that it meets. */
export interface Draw {
  readonly what: Act['what'];
  readonly author: 'apt' | 'counting' | 'any' | 'code' | 'old code' | 'stranger';
  readonly by: number;
  readonly forged: boolean;
  readonly follows: boolean;
  readonly target: 'apt' | 'any' | 'self' | 'waiting';
  readonly whom: number;
  readonly reason: Reason;
  readonly rights: Right[];
  /** Whether the rights are kept to those that the author has. */
  readonly modest: boolean;
  readonly key: 'new' | 'known' | 'code' | 'same';
  readonly word: 'good' | 'forged' | 'foreign';
  readonly proof: 'none' | 'good' | 'other code' | 'other place' | 'other device';
  readonly sealed: 'exact' | 'one less' | 'one more';
  readonly n: number;
  readonly glimpse: 'good' | 'before' | 'foreign' | 'other broker' | 'later';
  readonly gap: number;
  readonly undo: number;
  readonly broker: number;
}

const mostly = <T>(weight: number, usual: T, ...others: T[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));

/** Acts, most of which somebody may do, so that logs become long and odd. */
export const draws: fc.Arbitrary<Draw[]> = fc.array(
  fc.record<Draw>({
    what: fc.constantFrom(
      'device-add',
      'device-add',
      'device-add',
      'device-revoke',
      'device-thaw',
      'device-thaw',
      'device-rights',
      'device-rotate',
      'device-freeze',
      'epoch',
      'recovery',
      'recovery-complete',
      'recovery-complete',
      'recovery-set',
    ),
    author: mostly<Draw['author']>(12, 'apt', 'counting', 'any', 'code', 'old code', 'stranger'),
    by: fc.nat(),
    forged: mostly(30, false, true),
    follows: mostly(40, true, false),
    target: mostly<Draw['target']>(5, 'apt', 'any', 'self', 'waiting'),
    whom: fc.nat(),
    reason: fc.constantFrom<Reason>('retired', 'lost', 'undone'),
    rights: fc.subarray([...RIGHTS], { minLength: 1 }),
    modest: mostly(4, true, false),
    key: mostly<Draw['key']>(12, 'new', 'known', 'code', 'same'),
    word: mostly<Draw['word']>(20, 'good', 'forged', 'foreign'),
    proof: mostly<Draw['proof']>(5, 'good', 'none', 'none', 'other code', 'other place', 'other device'),
    sealed: mostly<Draw['sealed']>(12, 'exact', 'one less', 'one more'),
    n: mostly(20, 1, 0, 2),
    glimpse: mostly<Draw['glimpse']>(16, 'good', 'before', 'foreign', 'other broker', 'later'),
    gap: mostly(4, 0, -1, 1, UNDO, -UNDO),
    undo: fc.constantFrom(UNDO, UNDO, UNDO, UNDO - 1, UNDO + 1, MIN_UNDO, MAX_UNDO),
    broker: mostly(6, 0, 1),
  }),
  { maxLength: 40, size: 'max' },
);

/** What a draw comes to on a log. */
export function actOf(model: Model, draw: Draw): Act {
  const { devices, code, length, epoch } = model;
  const keys = [...devices.keys()];
  const pick = (among: readonly number[], n: number) =>
    among.length === 0 ? STRANGER : among[n % among.length]!;
  const here = keys.filter((key) => devices.get(key)!.gone === undefined);
  const waiting = here.filter((key) => devices.get(key)!.waiting !== undefined);
  const frozen = here.filter((key) => devices.get(key)!.frozen);
  const current = code?.key ?? DEVICES;
  const oldCode = DEVICES + ((current - DEVICES + 1) % CODES);
  const what = draw.author === 'apt' ? instead(draw.what, waiting, frozen, code) : draw.what;
  const able = (right: Right) => counting(model).filter((key) => devices.get(key)!.rights.includes(right));
  // A frozen device may go by itself, undo a recovery, or thaw itself: tried often.
  const goes = draw.by % 3 === 0 && frozen.length > 0;
  const apt: Record<Act['what'], readonly number[]> = {
    'device-add': able('admit'),
    'device-revoke': goes ? frozen : able('admit'),
    'device-freeze': able('admit'),
    'device-thaw': goes ? frozen : able('admit'),
    'device-rights': able('admit'),
    'device-rotate': counting(model),
    epoch: able('admit'),
    recovery: [current],
    'recovery-complete': waiting,
    'recovery-set': able('recover'),
  };
  const by = {
    apt: pick(apt[what], draw.by),
    counting: pick(counting(model), draw.by),
    any: pick(keys, draw.by),
    code: current,
    'old code': oldCode,
    stranger: STRANGER,
  }[draw.author];
  const whom = {
    apt:
      what === 'device-thaw' || (what === 'device-revoke' && goes)
        ? pick(frozen, draw.by)
        : // One that retired, or was rotated, may have been lost all the same.
          pick(what === 'device-revoke' && draw.reason === 'lost' ? keys : here, draw.whom),
    any: pick(keys, draw.whom),
    self: by,
    waiting: pick(waiting, 0),
  }[draw.target];
  const unused = Array.from({ length: DEVICES }, (_, key) => key).find((key) => !devices.has(key)) ?? 0;
  const device = { new: unused, known: pick(keys, draw.whom), code: current, same: by }[draw.key];
  const proof: Proof | undefined =
    draw.proof === 'none'
      ? undefined
      : {
          code: draw.proof === 'other code' ? oldCode : current,
          device: draw.proof === 'other device' ? pick(keys, draw.whom) : by,
          here: draw.proof !== 'other place',
        };
  const base = { by, forged: draw.forged, follows: draw.follows };
  const { word } = draw;
  const within = draw.rights.filter((right) => devices.get(by)?.rights.includes(right));
  const rights = draw.modest && within.length > 0 ? within : draw.rights;
  switch (what) {
    case 'device-add':
    case 'recovery':
      return { ...base, what, device, word, rights };
    case 'device-revoke':
      return { ...base, what, whom, reason: draw.reason, proof };
    case 'device-thaw':
      return { ...base, what, whom, proof };
    case 'device-freeze':
      return { ...base, what, whom };
    case 'device-rights':
      return { ...base, what, whom, rights, proof };
    case 'device-rotate':
      return { ...base, what, device, word };
    case 'epoch': {
      const exact = counting(model);
      const to = { exact, 'one less': exact.slice(1), 'one more': [...exact, pick(keys, draw.whom)] }[
        draw.sealed
      ];
      return { ...base, what, n: epoch + draw.n, to: [...new Set(to)] };
    }
    case 'recovery-complete': {
      const began = devices.get(by)?.waiting ?? length - 1;
      const entry = { good: began, before: began - 1, later: length - 1 } as Record<string, number>;
      const from: Glimpse = {
        broker: (code?.broker ?? 0) ^ (draw.glimpse === 'other broker' ? 1 : 0),
        entry: Math.max(0, entry[draw.glimpse] ?? began),
        time: NOW,
        foreign: draw.glimpse === 'foreign',
      };
      const honest = { broker: code?.broker ?? 0, entry: length - 1, foreign: false };
      const to = { ...honest, time: NOW + (code?.undo ?? UNDO) + draw.gap };
      // The doubtful one may be the second as well.
      return draw.whom % 2 === 0
        ? { ...base, what, from, to }
        : { ...base, what, from: { ...honest, time: from.time }, to: { ...from, time: to.time } };
    }
    case 'recovery-set': {
      const key = draw.key === 'known' ? pick(keys, draw.whom) : oldCode;
      return { ...base, what, provision: { key, broker: draw.broker, undo: draw.undo } };
    }
  }
}

/** What is tried in the place of an act that nobody is there for. */
function instead(
  what: Act['what'],
  waiting: readonly number[],
  frozen: readonly number[],
  code: Provision | undefined,
): Act['what'] {
  if (what === 'device-thaw' && frozen.length === 0) return 'device-freeze';
  if (what === 'recovery-complete' && waiting.length === 0) return instead('recovery', waiting, frozen, code);
  return what === 'recovery' && code === undefined ? 'recovery-set' : what;
}

/** Real keys and logs for the numbers of a model. */
export class LogWorld {
  readonly #keys: readonly TestDevice[];
  readonly #brokers: readonly TestDevice[];
  readonly #words = new Map<string, Promise<string>>();

  private constructor(keys: readonly TestDevice[], brokers: readonly TestDevice[]) {
    this.#keys = keys;
    this.#brokers = brokers;
  }

  static async make(): Promise<LogWorld> {
    const some = (count: number) => Promise.all(Array.from({ length: count }, () => newDevice()));
    return new LogWorld(await some(STRANGER + 1), await some(2));
  }

  kid(key: number): string {
    return this.#keys[key]!.kid;
  }

  /** Logs with and without a code, of one device or three, with all rights or with few. */
  async beginnings(): Promise<Beginning[]> {
    const code = { key: DEVICES, broker: 0, undo: UNDO };
    const made: Beginning[] = [];
    for (const [rights, provision] of [
      [[...RIGHTS], code],
      [[...RIGHTS], undefined],
      [['admit', 'answer', 'recover'], code],
    ] as const) {
      const devices = new Map([[0, { rights: [...rights] }]]);
      const model = { devices, epoch: 0, holders: [0], code: provision, length: 1 };
      const { signer, opener, kid } = this.#keys[0]!;
      const { jws } = await signStatement(webCrypto, GenesisEntry, signer, {
        sub: NAME,
        iat: NOW,
        seq: 0,
        device: { sig: signer.publicKey, enc: opener.publicKey, name: 'Device 0', rights: [...rights] },
        epoch: { n: 0, key: opener.publicKey, sealed: { [kid]: BOX } },
        ...(provision === undefined ? {} : { recovery: this.#provision(provision) }),
      });
      const log = await replayLog(webCrypto, [jws]);
      const lone = { model, log, past: [log] };
      made.push(lone, await this.#withMore(lone, [...rights]));
    }
    return made;
  }

  /** With a device that may as much as the first, and one that may only answer. */
  async #withMore(lone: Beginning, rights: Right[]): Promise<Beginning> {
    const base = { by: 0, forged: false, follows: true, what: 'device-add', word: 'good' } as const;
    let at = lone;
    for (const act of [
      { ...base, device: 1, rights },
      { ...base, device: 2, rights: ['answer'] },
    ] satisfies Act[]) {
      const log = await extendLog(webCrypto, at.log, [await this.entryOf(at.log, act)]);
      at = { model: predict(at.model, act)!, log, past: [...at.past, log] };
    }
    return at;
  }

  /** The entry that an act comes to. */
  async entryOf(log: DeviceLog, act: Act): Promise<string> {
    const kind = LOG_ENTRIES.find(({ typ }) => typ === `countersign-${act.what}+jwt`)!;
    const { signer } = this.#keys[act.by]!;
    const { hash } = log.head;
    const other = log.hashes.at(-2) ?? log.identity;
    const seq = log.head.seq + (act.follows ? 1 : 2);
    const place = { sub: log.name, iat: NOW, seq, prev: act.follows || other === hash ? hash : other };
    const sign = act.forged ? this.#keys[STRANGER - (act.by === STRANGER ? 1 : 0)]!.signer.sign : signer.sign;
    const payload = { ...place, ...(await this.#members(log, act, place)) };
    return (await signStatement(webCrypto, kind, { ...signer, sign }, payload as never)).jws;
  }

  async #members(log: DeviceLog, act: Act, place: { seq: number; prev: string }): Promise<object> {
    const proven = async (proof: Proof | undefined) =>
      proof === undefined ? {} : { proof: await this.#proof(log, proof, place) };
    switch (act.what) {
      case 'device-add':
        return { device: await this.#word(log, act.device, act.word), rights: act.rights, sealed: BOX };
      case 'recovery':
        return { device: await this.#word(log, act.device, act.word), rights: act.rights };
      case 'device-rotate':
        return { device: await this.#word(log, act.device, act.word), sealed: BOX };
      case 'device-revoke':
        return { kid: this.kid(act.whom), reason: act.reason, ...(await proven(act.proof)) };
      case 'device-thaw':
        return { kid: this.kid(act.whom), ...(await proven(act.proof)) };
      case 'device-freeze':
        return { kid: this.kid(act.whom) };
      case 'device-rights':
        return { kid: this.kid(act.whom), rights: act.rights, ...(await proven(act.proof)) };
      case 'epoch': {
        const sealed = Object.fromEntries(act.to.map((key) => [this.kid(key), BOX]));
        return { epoch: { n: act.n, key: this.#keys[act.n % DEVICES]!.opener.publicKey, sealed } };
      }
      case 'recovery-complete':
        return { from: await this.#glimpse(log, act.from), to: await this.#glimpse(log, act.to) };
      case 'recovery-set':
        return { recovery: this.#provision(act.provision) };
    }
  }

  #provision({ key, broker, undo }: Provision): RecoveryProvision {
    const keyOf = ({ signer }: TestDevice) => signer.publicKey;
    return { key: keyOf(this.#keys[key]!), undo, broker: keyOf(this.#brokers[broker]!) };
  }

  #word(log: DeviceLog, key: number, word: 'good' | 'forged' | 'foreign'): Promise<string> {
    const name = [log.identity, key, word].join();
    let made = this.#words.get(name);
    if (made === undefined) {
      made = this.#signWord(log, key, word);
      this.#words.set(name, made);
    }
    return made;
  }

  async #signWord(log: DeviceLog, key: number, word: 'good' | 'forged' | 'foreign'): Promise<string> {
    const { signer, opener } = this.#keys[key]!;
    const other = this.#keys[(key + 1) % DEVICES]!.signer;
    const { jws } = await signStatement(webCrypto, DeviceStatement, word === 'forged' ? other : signer, {
      sub: NAME,
      sub_id:
        word === 'foreign'
          ? log.identity.replace(/./, (letter) => (letter === 'A' ? 'B' : 'A'))
          : log.identity,
      iat: NOW,
      sig: signer.publicKey,
      enc: opener.publicKey,
      name: `Device ${key}`,
    });
    return jws;
  }

  async #proof(log: DeviceLog, proof: Proof, { seq, prev }: { seq: number; prev: string }): Promise<string> {
    const at = proof.here ? seq : seq + 1;
    const payload = { sub_id: log.identity, seq: at, prev, kid: this.kid(proof.device) };
    return (await signStatement(webCrypto, RecoveryProof, this.#keys[proof.code]!.signer, payload)).jws;
  }

  async #glimpse(log: DeviceLog, { broker, entry, time, foreign }: Glimpse): Promise<string> {
    const hash = foreign ? log.identity : log.hashes[entry]!;
    const head = { seq: foreign ? log.head.seq : entry, hash };
    const payload: CheckpointPayload = { iss: BROKER, sub: NAME, sub_id: log.identity, iat: time, head };
    return (await signStatement(webCrypto, CheckpointStatement, this.#brokers[broker]!.signer, payload)).jws;
  }

  /** A model in the words of a log. */
  async described({ devices, epoch, holders, code, length }: Model) {
    const { key, broker, undo } = (code && this.#provision(code)) ?? {};
    return {
      devices: Object.fromEntries(
        [...devices].map(([one, { rights, gone, frozen, waiting }]) => [
          this.kid(one),
          {
            rights: [...rights].sort(),
            gone: gone ?? 'here',
            frozen: frozen ?? false,
            waiting: waiting !== undefined,
          },
        ]),
      ),
      epoch,
      holders: holders.map((one) => this.kid(one)).sort(),
      code:
        code === undefined
          ? undefined
          : [await keyFingerprint(webCrypto, key!), undo, await keyFingerprint(webCrypto, broker!)],
      length,
    };
  }
}

/** A log in the same words. */
export async function describedLog({ devices, epoch, recovery, head }: DeviceLog) {
  return {
    devices: Object.fromEntries(
      [...devices.values()].map((device) => [
        device.kid,
        {
          rights: [...device.rights].sort(),
          gone: device.revokedAt?.reason ?? 'here',
          frozen: isFrozen(device),
          waiting: device.probation === true,
        },
      ]),
    ),
    epoch: epoch.n,
    holders: Object.keys(epoch.sealed).sort(),
    code:
      recovery === undefined
        ? undefined
        : [
            await keyFingerprint(webCrypto, recovery.key),
            recovery.undo,
            await keyFingerprint(webCrypto, recovery.broker),
          ],
    length: head.seq + 1,
  };
}
