/**
 * The interfaces that a validator knows: the person’s own list, from which they pick. Nothing that a server sends
 * adds to it, or picks from it.
 * @module
 */
import { CountersignError, decodeBase64url, encodeBase64url } from '@countersign/core';
import {
  ERASE_TOKEN_BYTES,
  jsonBytes,
  MAX_RECORD_BYTES,
  parseValidatorRecord,
  type ValidatorRecord,
} from '@countersign/core/m-auth';
import type { NoiseCrypto, NoiseKey } from '@countersign/core/noise';
import type { StateStore } from '../state-store.ts';
import type { RecordUpdates } from './record-updates.ts';
import type { SignOnRules } from './rules.ts';

const KIND = 'm-auth interface';
const OWN_KIND = 'm-auth validator';
const KEY_KIND = 'm-auth key';
const ERASE_KEY = 'erase token';
const MAX_LABEL = 64;
/** Of a name as JSON writes it: with the largest record, rules still have some room. */
const MAX_LABEL_BYTES = 192;

/** Where a validator’s static keys are, one for each pair, by their public half in base64url. */
export interface PairKeys {
  create(): Promise<NoiseKey>;
  load(publicKey: string): Promise<NoiseKey | undefined>;
  forget(publicKey: string): Promise<void>;
}

/** Keys as bytes in a state store, which must seal them. */
export class StatePairKeys implements PairKeys {
  readonly #state: StateStore;
  readonly #crypto: NoiseCrypto;

  constructor(state: StateStore, crypto: NoiseCrypto) {
    this.#state = state;
    this.#crypto = crypto;
  }

  async create(): Promise<NoiseKey> {
    const secret = this.#crypto.randomBytes(32);
    const key = await this.#crypto.importKey(secret);
    await this.#state.update(KEY_KIND, encodeBase64url(key.publicKey), () => encodeBase64url(secret));
    return key;
  }

  async load(publicKey: string): Promise<NoiseKey | undefined> {
    const secret = await this.#state.get<string>(KEY_KIND, publicKey);
    return secret === undefined ? undefined : this.#crypto.importKey(decodeBase64url(secret));
  }

  forget(publicKey: string): Promise<void> {
    return this.#state.delete(KEY_KIND, publicKey);
  }
}

export interface KnownInterface {
  /** What the person calls it. No two are alike. */
  readonly label: string;
  readonly record: ValidatorRecord;
  readonly rules?: SignOnRules;
}

export class ValidatorBook implements RecordUpdates<ValidatorRecord> {
  readonly keys: PairKeys;
  readonly #state: StateStore;
  readonly #crypto: Pick<NoiseCrypto, 'randomBytes'>;

  constructor(state: StateStore, keys: PairKeys, crypto: Pick<NoiseCrypto, 'randomBytes'>) {
    this.#state = state;
    this.keys = keys;
    this.#crypto = crypto;
  }

  /** @throws `record-invalid` */
  async list(): Promise<KnownInterface[]> {
    const all = await this.#state.list<KnownInterface>(KIND);
    return all.map(([, one]) => checked(one)).sort((a, b) => (a.label < b.label ? -1 : 1));
  }

  /** By its label, to the letter. @throws `interface-unknown` */
  async find(label: string): Promise<KnownInterface> {
    const found = (await this.list()).find((one) => one.label === label);
    if (found !== undefined) return found;
    throw new CountersignError('interface-unknown', `no interface is called “${label}” here`, {
      hint: '`countersign validator list` names them; `countersign validator add` adds one',
    });
  }

  /** @throws `interface-exists`, `input-invalid` */
  async checkLabel(label: string): Promise<string> {
    const tooLong = label.length > MAX_LABEL || jsonBytes(label) - 2 > MAX_LABEL_BYTES;
    if (label.length === 0 || tooLong || label.trim() !== label) {
      throw new CountersignError('input-invalid', `a name has 1 to ${MAX_LABEL} characters`);
    }
    if ((await this.list()).some((one) => one.label === label)) {
      throw new CountersignError('interface-exists', `an interface is called “${label}” already`, {
        hint: 'give this one another name by --name',
      });
    }
    return label;
  }

  async add(label: string, record: ValidatorRecord): Promise<void> {
    await this.#state.update<KnownInterface>(KIND, record.id, () => ({ label, record }));
  }

  /** @throws `input-invalid` where there are too many for the 2 KB that a pair may take */
  async setRules(id: string, rules: SignOnRules | undefined): Promise<void> {
    await this.#change(id, ({ label, record }) => {
      if (rules === undefined) return { label, record };
      // Sign-ons add to the record, and must not be what makes it too large.
      const grown = { ...record, step: Number.MAX_SAFE_INTEGER, pending: [record.id, record.id] };
      if (jsonBytes({ label, record: grown, rules }) > MAX_RECORD_BYTES) {
        throw new CountersignError('input-invalid', 'more rules than there is room for: name fewer');
      }
      return { label, record, rules };
    });
  }

  update(id: string, apply: (record: ValidatorRecord) => ValidatorRecord | undefined): Promise<boolean> {
    return this.#change(id, (one) => {
      const record = apply(one.record);
      return record === undefined ? undefined : { ...one, record };
    });
  }

  async remove({ record }: KnownInterface): Promise<void> {
    await this.#state.delete(KIND, record.id);
    await this.keys.forget(record.key);
  }

  /** The token of this validator’s erase statement: drawn once. */
  async eraseMaster(): Promise<Uint8Array> {
    const drawn = encodeBase64url(this.#crypto.randomBytes(ERASE_TOKEN_BYTES));
    return decodeBase64url(await this.#state.update<string>(OWN_KIND, ERASE_KEY, (old) => old ?? drawn));
  }

  async #change(id: string, apply: (one: KnownInterface) => KnownInterface | undefined): Promise<boolean> {
    const unchanged = new Error('unchanged');
    try {
      await this.#state.update<KnownInterface>(KIND, id, (old) => {
        const next = old === undefined ? undefined : apply(checked(old));
        // a store leaves things as they are where the change throws
        if (next === undefined) throw unchanged;
        return next;
      });
      return true;
    } catch (error) {
      if (error === unchanged) return false;
      throw error;
    }
  }
}

function checked(one: KnownInterface): KnownInterface {
  return { ...one, record: parseValidatorRecord(one.record) };
}
