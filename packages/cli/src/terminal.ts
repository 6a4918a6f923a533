/**
 * The edge to the person: text on a terminal, JSON for scripts, prompts where somebody can answer them.
 * @module
 */
import { styleText } from 'node:util';
import { read } from 'read';

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
  print: (text) => void process.stdout.write(`${text}\n`),
  tell: (text) => void process.stderr.write(`${text}\n`),
  style: (format, text) => styleText(format, text, { stream: process.stdout }),
  ask: (prompt) => read({ prompt, output: process.stderr }),
  async askSecret(prompt) {
    const typed = await read({ prompt, silent: true, output: process.stderr });
    process.stderr.write('\n');
    return typed;
  },
};
