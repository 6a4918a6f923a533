/**
 * A press: busy while its work is under way, and in words where that failed.
 * @module
 */
import { useState } from 'preact/hooks';

export interface Press {
  readonly busy: boolean;
  /** What went wrong; empty, if nothing did. */
  readonly failure: string;
  /** Does the work of one press. @returns whether it was done */
  press(work: () => unknown): Promise<boolean>;
  /** Says what went wrong, or by an empty text that nothing did. */
  fail(failure: string): void;
}

/** @param explain a failure, in the person's language; an empty text for what is none */
export function usePress(explain: (error: unknown) => string): Press {
  const [busy, setBusy] = useState(false);
  const [failure, fail] = useState('');
  const press = async (work: () => unknown) => {
    setBusy(true);
    fail('');
    try {
      await work();
      return true;
    } catch (error) {
      fail(explain(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, failure, press, fail };
}
