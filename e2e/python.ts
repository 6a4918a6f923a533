/**
 * A Python of the tests' own, with the packages that a test needs.
 * @module
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Finished } from './processes.ts';

/** Runs a program to its end. */
export function run(program: string, ...args: string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { encoding: 'utf8', timeout: 300_000, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : error.code;
        if (typeof status === 'number') resolve({ status, stdout, stderr });
        else reject(error);
      },
    );
  });
}

/**
 * Makes a Python in a folder.
 * @param what is to be had in it, in words
 * @param requirements a file, as pip takes it
 * @returns its program; and why, where there can be none
 */
export async function makePython(
  folder: string,
  what: string,
  requirements: string,
  ...options: string[]
): Promise<{ readonly python: string; readonly missing?: string }> {
  const python = join(folder, 'venv', 'bin', 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', '--disable-pip-version-check'];
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', join(folder, 'venv')]],
    [python, [...pip, ...options, '-r', requirements]],
  ];
  for (const [program, args] of steps) {
    try {
      const { status, stdout, stderr } = await run(program, ...args);
      if (status === 0) continue;
      return { python, missing: `no Python with ${what}: ${`${stdout}${stderr}`.trim().split('\n').at(-1)}` };
    } catch (error) {
      return { python, missing: `no Python: ${(error as Error).message}` };
    }
  }
  return { python };
}
