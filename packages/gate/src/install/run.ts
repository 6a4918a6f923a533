/**
 * Programs of the system, run as root.
 * @module
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/core';

/**
 * Runs one to its end, in a session of its own: what ends ours must not end it halfway.
 * @throws `usage` where it fails
 */
export async function run(program: string, words: readonly string[]): Promise<void> {
  const first = await ended(program, words);
  // A terminal that goes away just then hits it before it has a session of its own, and has done anything.
  const { status, said } = first.signal === 'SIGHUP' ? await ended(program, words) : first;
  if (status !== 0) throw new CountersignError('usage', `${program} failed: ${said.trim()}`);
}

async function ended(program: string, words: readonly string[]) {
  const child = spawn(program, words, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, said };
}

/** What one prints; nothing where it is not there, or fails. */
export async function ask(program: string, words: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...words], { encoding: 'utf8' })).stdout;
  } catch {
    return '';
  }
}
