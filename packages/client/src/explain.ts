import { CountersignError } from '@countersign/core';

/** What to tell a person, in English: what went wrong, and what to do next. Switch on the code in other languages. */
export function explain(error: unknown): string {
  if (error instanceof CountersignError) return [error.message, error.hint].filter(Boolean).join('. ');
  return error instanceof Error ? error.message : String(error);
}
