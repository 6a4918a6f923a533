/**
 * Templates of sessions: those that come along, and those that were saved, each with its version.
 * @module
 */
import type { StateStore } from '@countersign/client';
import type { SessionField } from '@countersign/core/session-terms';
import { say } from '../kit/words.ts';

export interface Template {
  readonly name: string;
  readonly version: number;
  readonly fields: readonly SessionField[];
}

const KIND = 'session-template';

export function builtIn(): Template[] {
  return (
    [
      ['template.phone', 'number'],
      ['template.customer', 'text'],
      ['template.birth', 'date'],
    ] as const
  ).map(([word, type]) => ({ name: say(word), version: 1, fields: [{ name: say(word), type }] }));
}

export async function templates(state: StateStore): Promise<Template[]> {
  const saved = await state.list<Template>(KIND);
  return [...builtIn(), ...saved.map(([, template]) => template)];
}

/** Saves fields under the first one's name; a template of that name gets a new version. */
export async function saveTemplate(state: StateStore, fields: readonly SessionField[]): Promise<Template> {
  const { name } = fields[0]!;
  const known = builtIn().find((one) => one.name === name)?.version ?? 0;
  return state.update<Template>(KIND, name, (old) => ({
    name,
    version: (old?.version ?? known) + 1,
    fields,
  }));
}
