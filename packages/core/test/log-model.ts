/**
 * A model of a device log: who may do what, in as few words as it can be said. Keys are numbers, and nothing is
 * signed. What the replay does with real entries must be what this says.
 * @module
 */
import { RIGHTS, type Right } from '../src/log-entries.ts';

export interface ModelDevice {
  readonly rights: readonly Right[];
  readonly gone?: string;
  readonly frozen?: true;
  /** Number of the entry that let it in by the code, while that can be undone. */
  readonly waiting?: number;
}

export interface Provision {
  /** Key of the code; which broker measures the time; for how long, in seconds. */
  readonly key: number;
  readonly broker: number;
  readonly undo: number;
}

export interface Model {
  /** By key, the ones that went too. */
  readonly devices: ReadonlyMap<number, ModelDevice>;
  readonly epoch: number;
  /** Keys of the devices that the epoch is sealed to. */
  readonly holders: readonly number[];
  readonly code: Provision | undefined;
  /** Number of entries. */
  readonly length: number;
}

/** The broker's word for an entry of this log, or of another. */
export interface Glimpse {
  readonly broker: number;
  readonly entry: number;
  readonly time: number;
  readonly foreign: boolean;
}

export interface Proof {
  readonly code: number;
  readonly device: number;
  /** For the entry's own place in the log. */
  readonly here: boolean;
}

export type Reason = 'retired' | 'lost' | 'undone';

/** Something that somebody tries. */
export type Act = {
  /** Key that the entry names; `forged` where another has signed. */
  readonly by: number;
  readonly forged: boolean;
  /** Whether it follows the newest entry. */
  readonly follows: boolean;
} & (
  | { what: 'device-add' | 'recovery'; device: number; word: 'good' | 'forged' | 'foreign'; rights: Right[] }
  | { what: 'device-revoke'; whom: number; reason: Reason; proof: Proof | undefined }
  | { what: 'device-thaw'; whom: number; proof: Proof | undefined }
  | { what: 'device-freeze'; whom: number }
  | { what: 'device-rights'; whom: number; rights: Right[]; proof: Proof | undefined }
  | { what: 'device-rotate'; device: number; word: 'good' | 'forged' | 'foreign' }
  | { what: 'epoch'; n: number; to: number[] }
  | { what: 'recovery-complete'; from: Glimpse; to: Glimpse }
  | { what: 'recovery-set'; provision: Provision }
);

const here = (device: ModelDevice | undefined): device is ModelDevice =>
  device !== undefined && device.gone === undefined;
const counts = (device: ModelDevice | undefined): device is ModelDevice =>
  here(device) && !device.frozen && device.waiting === undefined;

/** Keys of the devices that count. */
export function counting({ devices }: Model): number[] {
  return [...devices.keys()].filter((key) => counts(devices.get(key)));
}

/** What is so after an act; nothing where it is refused. */
export function predict(model: Model, act: Act): Model | undefined {
  const { devices, code, length } = model;
  const self = devices.get(act.by);
  const byCode = self === undefined && code?.key === act.by;
  if (!act.follows || act.forged || !(byCode || here(self))) return undefined;

  const may = (...rights: readonly Right[]) =>
    counts(self) && rights.every((right) => self.rights.includes(right));
  const isNew = (key: number) => !devices.has(key) && code?.key !== key;
  const room = [...devices.values()].filter(here).length < 20;
  const undecided = [...devices.values()].some((one) => here(one) && one.waiting !== undefined);
  const proven = (proof: Proof | undefined) =>
    proof?.here === true && proof.code === code?.key && proof.device === act.by;
  const anyMay = (all: Model['devices'], right: Right, among: typeof counts) =>
    [...all.values()].some((one) => among(one) && one.rights.includes(right));
  const isIn = (one: ModelDevice | undefined): one is ModelDevice => here(one) && one.waiting === undefined;
  const takesLast = (after: Model['devices']) =>
    (
      [
        ['admit', counts],
        ['recover', counts],
        ['admit', isIn],
      ] as const
    ).some(([right, among]) => anyMay(devices, right, among) && !anyMay(after, right, among));

  const set = (key: number, device: ModelDevice) => new Map([...devices, [key, device]]);
  const next = (changed: Partial<Model>): Model => ({ ...model, ...changed, length: length + 1 });

  switch (act.what) {
    case 'device-add': {
      const good = may('admit', ...act.rights) && room && act.word === 'good' && isNew(act.device);
      return good
        ? next({
            devices: set(act.device, { rights: act.rights }),
            holders: [...model.holders, act.device],
          })
        : undefined;
    }
    case 'device-revoke': {
      const whom = devices.get(act.whom);
      const late = act.reason === 'lost' && (whom?.gone === 'retired' || whom?.gone === 'rotated');
      if (late)
        return may('admit') ? next({ devices: set(act.whom, { ...whom!, gone: 'lost' }) }) : undefined;
      if (!here(whom) || !(act.by === act.whom || whom.waiting !== undefined || may('admit')))
        return undefined;
      const after = set(act.whom, { ...whom, gone: act.reason });
      return takesLast(after) && !proven(act.proof) ? undefined : next({ devices: after });
    }
    case 'device-freeze': {
      const whom = devices.get(act.whom);
      if (!here(whom) || whom.frozen || !(byCode || act.by === act.whom || may('admit'))) return undefined;
      const after = set(act.whom, { ...whom, frozen: true });
      const forGood = code === undefined && !anyMay(after, 'admit', counts);
      return forGood && anyMay(devices, 'admit', counts) ? undefined : next({ devices: after });
    }
    case 'device-thaw': {
      const whom = devices.get(act.whom);
      if (!here(whom) || !whom.frozen) return undefined;
      const itself = act.by === act.whom && whom.waiting === undefined && proven(act.proof);
      const { frozen: _, ...warm } = whom;
      return itself || (act.by !== act.whom && may('admit'))
        ? next({ devices: set(act.whom, warm) })
        : undefined;
    }
    case 'device-rights': {
      const whom = devices.get(act.whom);
      if (!may('admit') || !here(whom)) return undefined;
      if (!may(...act.rights.filter((right) => !whom.rights.includes(right)))) return undefined;
      const after = set(act.whom, { ...whom, rights: act.rights });
      return takesLast(after) && !proven(act.proof) ? undefined : next({ devices: after });
    }
    case 'device-rotate': {
      if (!may() || act.word !== 'good') return undefined;
      const holders = [...model.holders.filter((key) => key !== act.by), act.device];
      if (act.device === act.by) return next({ holders });
      if (!isNew(act.device)) return undefined;
      const after = new Map(set(act.by, { ...self!, gone: 'rotated' }));
      return next({ devices: after.set(act.device, { rights: self!.rights }), holders });
    }
    case 'epoch': {
      const all = counting(model);
      const exact = act.to.length === all.length && all.every((key) => act.to.includes(key));
      return may('admit') && act.n === model.epoch + 1 && exact
        ? next({ epoch: act.n, holders: all })
        : undefined;
    }
    case 'recovery': {
      const good = byCode && !undecided && room && act.word === 'good' && isNew(act.device);
      return good ? next({ devices: set(act.device, { rights: act.rights, waiting: length }) }) : undefined;
    }
    case 'recovery-complete': {
      if (!here(self) || self.waiting === undefined || self.frozen) return undefined;
      const { waiting, ...whole } = self;
      const fits = ({ broker, entry, foreign }: Glimpse) =>
        broker === code!.broker && !foreign && entry >= waiting && entry < length;
      const over = act.to.time - act.from.time >= code!.undo;
      return fits(act.from) && fits(act.to) && over ? next({ devices: set(act.by, whole) }) : undefined;
    }
    case 'recovery-set': {
      const { key, broker, undo } = act.provision;
      const keeps = code !== undefined && broker === code.broker && undo >= code.undo;
      const good = may('recover') && (keeps || may(...RIGHTS)) && !undecided && !devices.has(key);
      return good ? next({ code: act.provision }) : undefined;
    }
  }
}
