import type { AccountEvent } from '../store.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Statements } from './statements.ts';

/** What a part of the store works with. */
export interface Part {
  readonly sql: Statements;
  readonly writes: GroupCommit;
  /** Keeps an event of an account, within a piece of a commit. */
  record(event: Omit<AccountEvent, 'id'>, accountId: number): AccountEvent;
}
