/**
 * Values of single fields in words: amounts with their asset, names in the place of ids, times and units.
 * @module
 */
import { isDisplayLine } from '@countersign/core';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { authorityWords } from './explain-authority.ts';
import { type AccountFacts, accountFacts, assetFacts, type Facts } from './explain-facts.ts';
import { UNITS } from './explain-units.ts';
import type { Asset, Authority, MemoData, Price } from './field-groups.ts';
import { formatTime } from './field-types.ts';
import { readPlainMemo } from './memo.ts';
import { quoteText } from './outside-text.ts';

/** Longer bytes stand as their digest. */
const BYTES_SHOWN = 128;
const ACCOUNT_NAME = /^[a-z0-9.-]{1,63}$/;
const SYMBOL = /^[A-Z0-9.]{1,16}$/;
/** All zeros behind a prefix: what the chain writes for no key. */
const NOBODY = /^([A-Z0-9]+?)1{33}4T1Anm$/;

const OBJECTS: Readonly<Record<string, string>> = {
  '1.4': 'settlement',
  '1.5': 'committee member',
  '1.6': 'witness',
  '1.7': 'order',
  '1.8': 'debt position',
  '1.9': 'object',
  '1.10': 'proposal',
  '1.12': 'withdrawal permission',
  '1.13': 'vesting balance',
  '1.14': 'worker',
  '1.15': 'balance',
  '1.16': 'hashed time lock',
  '1.17': 'custom authority',
  '1.18': 'ticket',
  '1.19': 'liquidity pool',
  '1.20': 'fund',
  '1.21': 'credit offer',
  '1.22': 'credit deal',
};

const VOTES = ['committee', 'witness', 'worker'];

/** Words for values, by what is known of the ids in them. */
export class Wording {
  readonly facts: Facts;

  /** Accounts that operations before change. */
  readonly changed: ReadonlyMap<string, AccountFacts>;

  constructor(facts: Facts, changed: ReadonlyMap<string, AccountFacts> = new Map()) {
    this.facts = facts;
    this.changed = changed;
  }

  accountNow(id: string): AccountFacts {
    return this.changed.get(id) ?? accountFacts(this.facts, id);
  }

  account(id: string): string {
    return name(accountFacts(this.facts, id).name, ACCOUNT_NAME);
  }

  symbol(id: string): string {
    return name(assetFacts(this.facts, id).symbol, SYMBOL);
  }

  /** Of an account, an asset, or anything else that has an id. */
  object(id: string): string {
    const kind = id.slice(0, id.lastIndexOf('.'));
    if (kind === '1.2') return this.account(id);
    if (kind === '1.3') return this.symbol(id);
    const known = this.facts.objects?.get(id);
    const words = `${OBJECTS[kind] ?? 'object'} ${id}`;
    return known === undefined ? words : `${words} (${quoteText(known)})`;
  }

  amount({ amount, asset_id }: Asset): string {
    return this.units(amount, asset_id);
  }

  /** A count of an asset's smallest unit. */
  units(amount: bigint, assetId: string): string {
    return `${decimal(amount, assetFacts(this.facts, assetId).precision)} ${this.symbol(assetId)}`;
  }

  price({ base, quote }: Price): string {
    return `${this.amount(base)} for ${this.amount(quote)}`;
  }

  authority(authority: Authority): string {
    return authorityWords(authority, this.facts);
  }

  memo(memo: MemoData): string {
    const prefix = NOBODY.exec(memo.from)?.[1];
    const text = prefix === undefined ? this.facts.readMemo?.(memo) : readPlainMemo(memo, prefix);
    const said = text === undefined ? `cannot be read here, ${bytesWords(memo.message)}` : quoteText(text);
    return `${said}, from key ${keyWords(memo.from)} to key ${keyWords(memo.to)}, nonce ${memo.nonce}`;
  }

  /** A value of a field without parts. */
  leaf(shape: string, field: string, value: unknown): string {
    if (shape.startsWith('id(') || shape === 'object id') return this.object(value as string);
    if (shape.startsWith('bytes')) return bytesWords(value as string);
    switch (shape) {
      case 'text':
        return quoteText(value as string);
      case 'time':
        return timeWords(value as number);
      case 'bool':
        return value === true ? 'yes' : 'no';
      case 'public key':
        return keyWords(value as string);
      case 'vote id':
        return this.#vote(value as string);
      case 'no extensions':
      case 'nothing':
        return 'nothing';
      default:
        return typeof value === 'number' ? (UNITS[field]?.(value) ?? String(value)) : String(value);
    }
  }

  #vote(vote: string): string {
    const [kind, number] = vote.split(':') as [string, string];
    const known = this.facts.objects?.get(vote);
    const words = `${VOTES[Number(kind)] ?? `kind ${kind}`} ${number}`;
    return known === undefined ? words : `${words} (${quoteText(known)})`;
  }
}

function name(text: string, plain: RegExp): string {
  return plain.test(text) && isDisplayLine(text) ? text : quoteText(text);
}

/** Exactly, without zeros at the end. */
export function decimal(amount: bigint, precision: number): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(precision + 1, '0');
  const whole = precision === 0 ? digits : digits.slice(0, -precision);
  const fraction = precision === 0 ? '' : digits.slice(-precision).replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

export function timeWords(seconds: number): string {
  return `${formatTime(seconds).replace('T', ' ')} UTC`;
}

export function keyWords(key: string): string {
  return NOBODY.test(key) ? 'nobody’s' : key;
}

export function bytesWords(hex: string): string {
  const length = hex.length / 2;
  if (length === 0) return '0 bytes';
  return length <= BYTES_SHOWN
    ? `${length} bytes ${hex}`
    : `${length} bytes with the SHA-256 ${bytesToHex(sha256(hexToBytes(hex)))}`;
}
