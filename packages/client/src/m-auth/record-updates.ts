/**
 * Where records of M-AUTH are changed, as an interface.
 * @module
 */
import type { Commit } from '@countersign/core/m-auth';

export interface RecordUpdates<Record> {
  /**
   * Puts what `apply` makes of a record in its place: atomically, also between processes, and durable when it is
   * fulfilled. False where there is no such record, or `apply` gives undefined: then nothing has changed.
   */
  update(id: string, apply: (record: Record) => Record | undefined): Promise<boolean>;
}

/** Changes that nothing waits for. */
export async function noteAll<Record>(
  records: RecordUpdates<Record>,
  notes: readonly Commit<Record>[],
): Promise<void> {
  for (const note of notes) await records.update(note.id, (record) => note.apply(record));
}
