/**
 * The edge to the person: text on a terminal, JSON for scripts, prompts where somebody can answer them.
 * @module
 */
import { styleText } from 'node:util';
import { CountersignError } from '@countersign/core';
import { type Options, read } from 'read';
import { wrapProse } from './prose.ts';

export interface Terminal {
  /** Somebody sees what is written. */
  readonly isTerminal: boolean;
  /** Somebody can be asked. */
  readonly canAsk: boolean;
  print(text: string): void;
  /** To the person only: progress, hints. Never on standard output. */
  tell(text: string): void;
  style(format: Parameters<typeof styleText>[0], text: string): string;
  ask(prompt: string): Promise<string>;
  /** What is typed is not shown. */
  askSecret(prompt: string): Promise<string>;
}

export const processTerminal: Terminal = {
  isTerminal: process.stdout.isTTY === true,
  canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
  print: (text) => writeTo(process.stdout, text),
  tell: (text) => writeTo(process.stderr, text),
  style: (format, text) => styleText(format, text, { stream: process.stdout }),
  ask: (prompt) => readLine({ prompt, output: process.stderr }),
  async askSecret(prompt) {
    const typed = await readLine({ prompt, silent: true, output: process.stderr });
    process.stderr.write('\n');
    return typed;
  },
};

/** @throws `usage` where the person leaves, by Ctrl-C or Ctrl-D */
async function readLine(options: Options<string>): Promise<string> {
  const left = Promise.withResolvers<never>();
  // After Ctrl-D, `read` stays silent, and there is nothing else to wait for.
  process.once('beforeExit', left.reject);
  try {
    return await Promise.race([read(options), left.promise]);
  } catch (cause) {
    process.stderr.write('\n');
    throw new CountersignError('usage', 'nothing was typed', { cause });
  } finally {
    process.off('beforeExit', left.reject);
  }
}

function writeTo(stream: typeof process.stdout | typeof process.stderr, text: string): void {
  stream.write(`${stream.isTTY && stream.columns > 0 ? wrapProse(text, stream.columns) : text}\n`);
}
