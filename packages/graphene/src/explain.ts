/**
 * Operations in words, before anybody signs them: one sentence for each, and a line for every field. The lines
 * come from the table of operations, so that a field that is signed cannot be left unsaid.
 * @module
 */
import type { AnyCodec, AnyFields } from './codec.ts';
import { authorityChange } from './explain-authority.ts';
import { type Facts, proposedOperations } from './explain-facts.ts';
import { restrictionWords } from './explain-restrictions.ts';
import { TITLES } from './explain-titles.ts';
import { AMOUNTS } from './explain-units.ts';
import { Wording } from './explain-values.ts';
import * as groups from './field-groups.ts';
import { OPERATIONS, type Operation, type OperationFields, type ProposedOperation } from './operations.ts';
import { feePayer } from './required-authorities.ts';

export interface Line {
  /** At most 64 bytes. */
  readonly name: string;
  readonly value: string;
}

/** An operation in words: all of them fit the rules of what a device may show. */
export interface Explained {
  readonly title: string;
  readonly lines: readonly Line[];
}

/**
 * Explains operations.
 * @throws `transaction-invalid` where an account, an asset or an approved proposal is not among the facts
 */
export function explainOperations(operations: readonly Operation[], facts: Facts): Explained[] {
  return explainInOrder(operations, new Wording(facts));
}

/** Each as the ones before it leave the accounts. */
function explainInOrder(operations: readonly Operation[], wording: Wording): Explained[] {
  let now = wording;
  return operations.map((operation) => {
    const explained = explain(operation, now);
    if (operation.name === 'account_update') now = afterUpdate(now, operation.value);
    return explained;
  });
}

function afterUpdate(wording: Wording, update: OperationFields<'account_update'>): Wording {
  const { account: id, owner, active } = update;
  const before = wording.accountNow(id);
  const after = { ...before, owner: owner ?? before.owner, active: active ?? before.active };
  return new Wording(wording.facts, new Map([...wording.changed, [id, after]]));
}

function explain(operation: Operation, wording: Wording): Explained {
  const title = (TITLES[operation.name] as (value: unknown, wording: Wording) => string)(
    operation.value,
    wording,
  );
  const lines = Object.entries(OPERATIONS[operation.name].codec.fields as AnyFields).flatMap(
    ([field, codec]) => {
      const value = (operation.value as Record<string, unknown>)[field];
      return special(operation, field, value, wording) ?? linesOf(codec, field, value, operation, wording);
    },
  );
  return { title, lines };
}

/** Fields that say more than their own value does. */
function special(operation: Operation, field: string, value: unknown, wording: Wording): Line[] | undefined {
  if (field === 'fee') {
    const payer = feePayer([
      OPERATIONS[operation.name].number,
      operation.value as unknown as Record<string, unknown>,
    ]);
    return [
      { name: 'Fee', value: `${wording.amount(value as groups.Asset)}, paid by ${wording.account(payer)}` },
    ];
  }
  if (operation.name === 'account_update' && (field === 'owner' || field === 'active')) {
    return authorityLines(operation.value, field, wording);
  }
  if (operation.name === 'proposal_create' && field === 'proposed_ops') {
    return proposedLines(
      (value as readonly ProposedOperation[]).map(({ op }) => op),
      'Proposed',
      wording,
    );
  }
  if (operation.name === 'proposal_update' && field === 'proposal') {
    return approvedLines(operation.value, wording);
  }
  if (operation.name === 'custom_authority_create' && field === 'operation_type') {
    return [{ name: words(field), value: operationKind(operation.value.operation_type) }];
  }
  if (operation.name === 'custom_authority_create' && field === 'restrictions') {
    const { operation_type, restrictions } = operation.value;
    return [{ name: words(field), value: restrictionWords(restrictions, operation_type, wording) }];
  }
  if (operation.name === 'custom_authority_update' && field === 'restrictions_to_add') {
    const { restrictions_to_add } = operation.value;
    return [{ name: words(field), value: restrictionWords(restrictions_to_add, undefined, wording) }];
  }
  return undefined;
}

/** Before and after, and what differs. */
function authorityLines(
  update: OperationFields<'account_update'>,
  field: 'owner' | 'active',
  wording: Wording,
): Line[] {
  const after = update[field];
  if (after === undefined) return [];
  const before = wording.accountNow(update.account)[field];
  const name = words(field);
  return [
    { name: `${name} before`, value: wording.authority({ address_auths: [], ...before }) },
    { name: `${name} after`, value: wording.authority(after) },
    { name: `${name} changes`, value: authorityChange(before, after, wording.facts) },
  ];
}

function approvedLines(update: OperationFields<'proposal_update'>, wording: Wording): Line[] {
  const { facts } = wording;
  const adds = [update.active_approvals_to_add, update.owner_approvals_to_add, update.key_approvals_to_add];
  const needed = adds.some((approvals) => approvals.length > 0);
  const proposed =
    needed || facts.proposals?.has(update.proposal) ? proposedOperations(facts, update.proposal) : [];
  return [
    { name: 'Proposal', value: wording.object(update.proposal) },
    ...proposedLines(proposed, 'In it', wording),
  ];
}

function proposedLines(operations: readonly Operation[], where: string, wording: Wording): Line[] {
  if (operations.length === 0) return where === 'Proposed' ? [{ name: where, value: 'nothing' }] : [];
  return explainInOrder(operations, wording).flatMap(({ title, lines }, place) => {
    const mark = `${where} ${place + 1}`;
    return [
      { name: mark, value: title },
      ...lines.map((line) => ({ ...line, name: within(mark, line.name) })),
    ];
  });
}

/** `Proposed 1, Fee`; of what is proposed inside of it, `Proposed 1.2, Fee`. */
function within(mark: string, name: string): string {
  const inner = /^(?:Proposed|In it) ([0-9.]+)(.*)$/.exec(name);
  return inner === null ? `${mark}, ${name}` : `${mark}.${inner[1]}${inner[2]}`;
}

function operationKind(number: number): string {
  const found = Object.entries(OPERATIONS).find(([, entry]) => entry.number === number);
  return found === undefined ? `${number} (unknown)` : found[0];
}

function linesOf(
  codec: AnyCodec,
  field: string,
  value: unknown,
  operation: Operation,
  wording: Wording,
): Line[] {
  const { shape } = codec;
  const whole = wholeWords(codec, value, wording);
  if (whole !== undefined) return [{ name: words(field), value: whole }];
  switch (shape.kind) {
    case 'optional':
      return value === undefined ? [] : linesOf(shape.of, field, value, operation, wording);
    case 'struct':
    case 'extension':
      return Object.entries(shape.fields).flatMap(([inner, of]) => {
        const part = (value as Record<string, unknown>)[inner];
        return part === undefined ? [] : linesOf(of, inner, part, operation, wording);
      });
    case 'list':
      if (isStruct(shape.of) && (value as unknown[]).length > 0) {
        return (value as unknown[]).flatMap((item, place) =>
          linesOf(shape.of, field, item, operation, wording).map((line) => ({
            ...line,
            name: `${words(field)} ${place + 1}, ${line.name.toLowerCase()}`,
          })),
        );
      }
      return [{ name: words(field), value: inline(codec, field, value, operation, wording) }];
    case 'leaf':
      if (shape.name === 'no extensions') return [];
      return [{ name: words(field), value: inline(codec, field, value, operation, wording) }];
    default:
      return [{ name: words(field), value: inline(codec, field, value, operation, wording) }];
  }
}

function isStruct({ shape }: AnyCodec): boolean {
  return shape.kind === 'struct';
}

/** Groups of fields that have words as a whole. */
function wholeWords(codec: AnyCodec, value: unknown, wording: Wording): string | undefined {
  if (codec === (groups.asset as AnyCodec)) return wording.amount(value as groups.Asset);
  if (codec === (groups.price as AnyCodec)) return wording.price(value as groups.Price);
  if (codec === (groups.authority as AnyCodec)) return wording.authority(value as groups.Authority);
  if (codec === (groups.memoData as AnyCodec)) return wording.memo(value as groups.MemoData);
  return undefined;
}

/** A value in one run of words. */
function inline(
  codec: AnyCodec,
  field: string,
  value: unknown,
  operation: Operation,
  wording: Wording,
): string {
  const { shape } = codec;
  const whole = wholeWords(codec, value, wording);
  if (whole !== undefined) return whole;
  const some = (items: readonly string[]) => items.join(', ') || 'none';
  switch (shape.kind) {
    case 'leaf':
      if (typeof value === 'bigint') return bareAmount(field, value, operation, wording);
      return wording.leaf(shape.name, field, value);
    case 'optional':
      return value === undefined ? 'none' : inline(shape.of, field, value, operation, wording);
    case 'list':
    case 'set':
      return some((value as unknown[]).map((item) => inline(shape.of, field, item, operation, wording)));
    case 'map':
    case 'pair':
      return some(
        (shape.kind === 'map' ? (value as [unknown, unknown][]) : [value as [unknown, unknown]]).map(
          ([key, item]) =>
            `${inline(shape.key, field, key, operation, wording)} ${inline(shape.of, field, item, operation, wording)}`,
        ),
      );
    case 'struct':
    case 'extension':
      return `(${Object.entries(shape.fields)
        .filter(([inner]) => (value as Record<string, unknown>)[inner] !== undefined)
        .map(([inner, of]) => {
          const part = (value as Record<string, unknown>)[inner];
          return `${words(inner).toLowerCase()} ${inline(of, inner, part, operation, wording)}`;
        })
        .join(', ')})`;
    case 'variant': {
      const { name, value: inner } = value as { name: string; value: unknown };
      const of = shape.fields[name]!;
      const kind = words(name).toLowerCase();
      const bare = of.shape.kind === 'leaf' && of.shape.name === 'nothing';
      return bare ? kind : `${kind} ${inline(of, name, inner, operation, wording)}`;
    }
    case 'nested':
      return inline(shape.of(), field, value, operation, wording);
  }
}

/** A count without its asset beside it. */
function bareAmount(field: string, value: bigint, operation: Operation, wording: Wording): string {
  const where = AMOUNTS[operation.name]?.[field];
  if (where === undefined) return value.toString();
  if ('unknown' in where) return `${value} of ${where.unknown}`;
  const id = 'id' in where ? where.id : (operation.value as unknown as Record<string, string>)[where.field]!;
  return wording.units(value, id);
}

/** `amount_to_sell` as `Amount to sell`. */
function words(field: string): string {
  const spaced = field.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
