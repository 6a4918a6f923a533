/**
 * The edge to the person: text on a terminal, JSON for scripts, questions where somebody can answer them.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { CountersignError } from '@countersign/core';
import { createLogUpdate } from 'log-update';
import { read } from 'read';

export interface Terminal {
  /** Somebody can be asked. */
  readonly canAsk: boolean;
  print(text: string): void;
  /** To the person only: progress, warnings. Never on standard output. */
  tell(text: string): void;
  ask(prompt: string): Promise<string>;
  /** Asks with a prompt that is drawn anew, say with the time that is left; rejected when the signal comes first. */
  askUntil(prompt: () => string, signal: AbortSignal): Promise<string>;
  askSecret(prompt: string): Promise<string>;
  /** A line that is drawn anew until it is stopped. */
  countdown(line: () => string): { stop(): void };
}

const REDRAW_MS = 500;

export const processTerminal: Terminal = {
  canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
  print: (text) => void process.stdout.write(`${text}\n`),
  tell: (text) => void process.stderr.write(`${text}\n`),
  ask: (prompt) => read({ prompt, output: process.stderr }),
  askUntil,
  async askSecret(prompt) {
    const typed = await read({ prompt, silent: true, output: process.stderr });
    process.stderr.write('\n');
    return typed;
  },
  countdown(line) {
    if (process.stderr.isTTY !== true) return { stop() {} };
    const update = createLogUpdate(process.stderr);
    const draw = () => update(line());
    const timer = setInterval(draw, REDRAW_MS);
    draw();
    let stopped = false;
    return {
      stop() {
        if (stopped) return;
        stopped = true;
        clearInterval(timer);
        update.clear();
        update.done();
      },
    };
  },
};

async function askUntil(prompt: () => string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const timer = setInterval(() => {
    lines.setPrompt(prompt());
    lines.prompt(true);
  }, REDRAW_MS);
  try {
    return await lines.question(prompt(), { signal });
  } finally {
    clearInterval(timer);
    lines.close();
  }
}

/** The passphrase that seals this validator: from a file, from the environment, or typed. */
export async function passphrase(
  terminal: Terminal,
  variables: NodeJS.ProcessEnv,
  fresh: boolean,
): Promise<string> {
  const file = variables.COUNTERSIGN_PASSPHRASE_FILE;
  const given =
    file === undefined ? variables.COUNTERSIGN_PASSPHRASE : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (given === undefined && !terminal.canAsk) {
    throw new CountersignError(
      'passphrase-needed',
      'the validator is sealed with a passphrase, and nobody can be asked',
      {
        hint: 'set COUNTERSIGN_PASSPHRASE_FILE to a file that holds it, readable by this user only',
      },
    );
  }
  const typed =
    given ??
    (await terminal.askSecret(
      fresh ? 'New passphrase for this validator: ' : 'Passphrase of this validator: ',
    ));
  if (given === undefined && fresh && (await terminal.askSecret('Once more: ')) !== typed) {
    throw new CountersignError('passphrase-wrong', 'the two passphrases differ', {
      hint: 'nothing was made; try again',
    });
  }
  if (!fresh || typed.length > 0) return typed;
  throw new CountersignError('passphrase-needed', 'an empty passphrase seals nothing', {
    hint: 'nothing was made; is the variable, or the file that it names, empty?',
  });
}
