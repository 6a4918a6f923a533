/**
 * A real `countersign-gated`, on the core of the servers.
 * @module
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { spawnOnServerCore, type Usage, watch } from '../server-process.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/gate/src/demultiplexer/main.ts', import.meta.url));

export interface DemultiplexerProcess extends Usage {
  readonly port: number;
  /** Where system interfaces find it. */
  readonly interfaces: string;
}

export async function startDemultiplexer(folder: string): Promise<DemultiplexerProcess> {
  const interfaces = join(folder, 'interfaces.sock');
  const child = spawnOnServerCore([
    ...[process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM, '--listen', '127.0.0.1:0'],
    // all of the load comes from one machine
    ...['--interfaces', interfaces, '--drain', '0', '--per-second', '1000000'],
  ]);
  const usage = watch(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const { event, port } = JSON.parse(line) as { event: string; port: number };
  if (event !== 'listening') throw new Error(`the demultiplexer did not start: ${line}`);
  return { ...usage, port, interfaces };
}
