/**
 * A refusal as the chain says it: its name, and a sentence. Names are those of the chain's exceptions.
 * @module
 */
export class ChainError extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** @throws ChainError `assert_exception`, as the chain's own checks do */
export function check(holds: unknown, message: string, name = 'assert_exception'): asserts holds {
  if (!holds) throw new ChainError(name, message);
}
