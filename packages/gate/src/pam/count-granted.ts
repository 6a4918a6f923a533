/**
 * Asks a daemon how many attempts of login programs it has granted: by it an administrator’s command sees that
 * somebody came in.
 * @module
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeFrame } from './frames.ts';

/** What a daemon may take, in ms: the connection itself may have to start it. */
const WAIT_MS = 10_000;
const ASK = encodeFrame('C', '');

/** @returns the number since the daemon began; nothing where none answers, or none that counts */
export async function countGranted(path: string): Promise<number | undefined> {
  const socket = connect(path);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.setTimeout(WAIT_MS, () => socket.destroy());
  socket.write(ASK);
  await once(socket, 'close').catch(() => {});
  const [, digits] = /^C[\s\S]{2}(\d{1,15})$/.exec(Buffer.concat(chunks).toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
