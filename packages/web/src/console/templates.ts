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
  /** It was saved here, and can be removed. */
  readonly own?: true;
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
  const saved = (await state.list<Template>(KIND)).map(([, template]) => ({
    ...template,
    own: true as const,
  }));
  const replaced = new Set(saved.map(({ name }) => name));
  return [...builtIn().filter(({ name }) => !replaced.has(name)), ...saved];
}

/** Saves fields under a name, in this browser; a template of that name, also one that came along, gets a new version. */
export async function saveTemplate(
  state: StateStore,
  name: string,
  fields: readonly SessionField[],
): Promise<Template> {
  const known = builtIn().find((one) => one.name === name)?.version ?? 0;
  return state.update<Template>(KIND, name, (old) => ({
    name,
    version: (old?.version ?? known) + 1,
    fields,
  }));
}

/** Removes a saved template; what it replaced is there again. */
export async function removeTemplate(state: StateStore, name: string): Promise<void> {
  await state.delete(KIND, name);
}
