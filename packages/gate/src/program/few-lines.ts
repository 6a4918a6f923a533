/**
 * A log in which a flood is counted instead of told: whoever may cause a line must not drown the others.
 * @module
 */

/** How many lines a second are told. */
const TOLD = 5;
const SECOND_MS = 1000;

/**
 * @param tell writes a line
 * @param more is told each second how many lines were not
 */
export function fewLines<T>(tell: (line: T) => void, more: (untold: number) => void): (line: T) => void {
  let told = 0;
  let untold = 0;
  setInterval(() => {
    if (untold > 0) more(untold);
    told = 0;
    untold = 0;
  }, SECOND_MS).unref();
  return (line) => {
    if (++told > TOLD) untold++;
    else tell(line);
  };
}
