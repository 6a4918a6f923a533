/**
 * Tests and demos start our programs by the thousand, and half of what a start takes is to compile their sources:
 * whatever is started after this finds them compiled, of an earlier run too.
 * @module
 */
import { fileURLToPath } from 'node:url';

export function compileOnce(): void {
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL('../node_modules/.cache/compiled', import.meta.url),
  );
}
