/**
 * What goes to and fro in a sign-on, in bytes, as it was seen on the wire of `protocol-server.ts`.
 * @module
 */
import { once } from 'node:events';
import { open } from './sign-ons.ts';

/** What the host says, and what comes back, write by write, before it speaks again. */
export const EXCHANGE: readonly { readonly host: number; readonly validator: readonly number[] }[] = [
  // announced; the tag and its proof, the first message of the handshake
  { host: 280, validator: [36, 51] },
  // the context; the answer
  { host: 307, validator: [275] },
  // the result; done
  { host: 275, validator: [275] },
];

/** Whether a sign-on still says as much. @throws Error otherwise */
export function checkExchange({ host, validator }: { host: number; validator: number }): void {
  const sum = (all: readonly number[]) => all.reduce((before, one) => before + one, 0);
  const said = {
    host: sum(EXCHANGE.map((one) => one.host)),
    validator: sum(EXCHANGE.flatMap((one) => one.validator)),
  };
  if (said.host === host && said.validator === validator) return;
  throw new Error(
    `a sign-on says ${host} and ${validator} bytes, and not ${said.host} and ${said.validator}`,
  );
}

/** A validator's side of it. */
export async function exchange(port: number): Promise<void> {
  const socket = await open(port);
  socket.on('error', () => socket.destroy());
  let turn = 0;
  let due = EXCHANGE[0]!.host;
  socket.on('data', (chunk) => {
    due -= chunk.length;
    if (due > 0) return;
    for (const length of EXCHANGE[turn]!.validator) socket.write(Buffer.alloc(length, turn));
    due = EXCHANGE[++turn]?.host ?? 0;
  });
  await once(socket, 'end');
  socket.end();
}
