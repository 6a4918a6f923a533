/**
 * Tells a story on a terminal: what is done, the command, and its own output as it comes.
 * @module
 */
import { stripVTControlCharacters, styleText } from 'node:util';
import { countersign, type Finished, type RunOptions } from '../processes.ts';

const style = (format: Parameters<typeof styleText>[0], text: string) =>
  styleText(format, text, { stream: process.stdout });

let step = 0;

/** One line that says what happens next. */
export function say(text: string): void {
  step++;
  process.stdout.write(`\n${style('cyan', `${step}. ${text}`)}\n`);
}

export function note(text: string): void {
  process.stdout.write(`${style('dim', text)}\n`);
}

/** Runs a command as somebody, showing it and what it prints; it must end with the expected status. */
export async function act(
  who: { name: string; profile: string },
  words: readonly string[],
  { expect = 0, shownAs, ...options }: RunOptions & { expect?: number; shownAs?: string } = {},
): Promise<Finished> {
  const shown = shownAs ?? words.map((word) => (/[\s"]/.test(word) ? JSON.stringify(word) : word)).join(' ');
  process.stdout.write(`${style('bold', `${who.name}$`)} countersign ${shown}\n`);
  const finished = await countersign(who.profile, words, {
    ...options,
    // A prompt that is drawn anew moves the cursor, and would draw over what is told here.
    onOutput: (text) => process.stdout.write(stripVTControlCharacters(text).replace(/^(?=.)/gm, '    ')),
  });
  if (finished.status !== expect) {
    throw new Error(`expected exit status ${expect}, got ${finished.status}`);
  }
  return finished;
}

/** A fingerprint that a command printed after a label. */
export function printed(output: string, label: string): string {
  const found = new RegExp(`\\b${label}\\s+([A-Z2-7-]{34})`).exec(output)?.[1];
  if (found === undefined) throw new Error(`no ${label} was printed`);
  return found;
}
