/**
 * Authorities in words, and what changes from one to the next.
 * @module
 */
import { accountFacts, type FactAuthority, type Facts } from './explain-facts.ts';

/** `threshold 2 of: alice weight 1, BTS6MR… weight 1`. */
export function authorityWords(authority: FactAuthority, facts: Facts): string {
  const listed = [...members(authority, facts)].map(([who, weight]) => `${who} weight ${weight}`);
  const sum = [...members(authority, facts).values()].reduce((total, weight) => total + weight, 0);
  const words = `threshold ${authority.weight_threshold} of: ${listed.join(', ') || 'nobody'}`;
  return sum < authority.weight_threshold ? `${words}; can never be reached` : words;
}

/** What is added, taken away, and weighed otherwise; undefined where nothing is. */
export function authorityChange(before: FactAuthority, after: FactAuthority, facts: Facts): string {
  const [old, now] = [members(before, facts), members(after, facts)];
  const changes: string[] = [];
  if (before.weight_threshold !== after.weight_threshold) {
    changes.push(`threshold ${before.weight_threshold} becomes ${after.weight_threshold}`);
  }
  for (const [who, weight] of now) {
    const was = old.get(who);
    if (was === undefined) changes.push(`adds ${who} weight ${weight}`);
    else if (was !== weight) changes.push(`weight of ${who} ${was} becomes ${weight}`);
  }
  for (const who of old.keys()) {
    if (!now.has(who)) changes.push(`takes away ${who}`);
  }
  return changes.join('; ') || 'nothing';
}

/** Members by the words for them; keys and addresses say what they are. */
function members(authority: FactAuthority, facts: Facts): Map<string, number> {
  return new Map([
    ...authority.account_auths.map(
      ([id, weight]) => [`account ${accountFacts(facts, id).name}`, weight] as const,
    ),
    ...authority.key_auths.map(([key, weight]) => [`key ${key}`, weight] as const),
    ...(authority.address_auths ?? []).map(([address, weight]) => [`address ${address}`, weight] as const),
  ]);
}
