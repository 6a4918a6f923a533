/**
 * Restrictions of custom authorities in words.
 * @module
 */
import type { Restriction } from './custom-authority-operations.ts';
import type { Wording } from './explain-values.ts';
import { fieldNames, OPERATIONS, type OperationName } from './operations.ts';
import { quoteText } from './outside-text.ts';

/** `restriction::function_type`, by its numbers. */
const FUNCTIONS = ['=', '≠', 'less than', 'at most', 'more than', 'at least', 'in', 'not in', 'has all of'];
const MORE_FUNCTIONS = ['has none of', 'where', 'one of', 'is of kind'];

export function restrictionWords(
  restrictions: readonly Restriction[],
  operationType: number | undefined,
  wording: Wording,
): string {
  const fields = operationType === undefined ? [] : fieldsOf(operationType);
  return restrictions.map((one) => restriction(one, fields, wording)).join('; ') || 'none';
}

function restriction(
  { member_index, restriction_type, argument }: Restriction,
  fields: readonly string[],
  wording: Wording,
): string {
  const field = fields[member_index]?.replaceAll('_', ' ');
  const member = field === undefined ? `field ${member_index}` : `field ${member_index} (${field})`;
  const how = [...FUNCTIONS, ...MORE_FUNCTIONS][restriction_type] ?? `function ${restriction_type}`;
  return `${member} ${how} ${argumentWords(argument, wording)}`;
}

function argumentWords({ name, value }: Restriction['argument'], wording: Wording): string {
  const inner = (all: unknown) => `[${restrictionWords(all as Restriction[], undefined, wording)}]`;
  const kind = name.replaceAll('_', ' ');
  if (name === 'restrictions') return inner(value);
  if (name === 'alternatives') return `any of ${(value as unknown[]).map(inner).join(' or ') || 'none'}`;
  if (name === 'variant_assert') {
    const [index, all] = value as [bigint, unknown];
    return `kind ${index} ${inner(all)}`;
  }
  if (Array.isArray(value)) return `${kind} {${value.map((item) => single(item, wording)).join(', ')}}`;
  return name === 'void' ? 'nothing' : `${kind} ${single(value, wording)}`;
}

/** Ids by their names; all else as it stands, texts in quotes. */
function single(value: unknown, wording: Wording): string {
  if (typeof value !== 'string') return String(value);
  return /^1\.\d+\.\d+$/.test(value) ? wording.object(value) : quoteText(value);
}

function fieldsOf(operationType: number): readonly string[] {
  const found = Object.entries(OPERATIONS).find(([, entry]) => entry.number === operationType);
  return found === undefined ? [] : fieldNames(found[0] as OperationName);
}
