/**
 * Validators that make the load: real ones, by the client library, with their records in memory.
 * @module
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { systemClock } from '@countersign/client';
import { type ByteDuplex, signOn } from '@countersign/client/m-auth';
import { takeFrame, type ValidatorRecord } from '@countersign/core/m-auth';
import { sodiumNoise } from '../../packages/gate/src/sodium-noise.ts';
import type { Pair } from './pairs.ts';
import { duplexOf, duplexTo, hear, inboxOf } from './wire.ts';

export async function open(port: number, localAddress?: string): Promise<Socket> {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...from });
  await once(socket, 'connect');
  return socket;
}

/** A sign-on with a server that speaks the protocol alone. @returns the bytes that went by, of either side */
export async function signOnAtProtocol(
  port: number,
  pairs: readonly Pair[],
): Promise<{ host: number; validator: number }> {
  const socket = await open(port);
  const incoming = inboxOf(socket);
  let seen: Uint8Array = new Uint8Array();
  for await (const chunk of incoming) {
    seen = Buffer.concat([seen, chunk]);
    const frame = takeFrame(seen)?.frame;
    if (frame === undefined) continue;
    if (frame.kind !== 'request') throw new Error('no announcement');
    const { pair, passcode } = hear(frame.bucket);
    socket.on('error', () => socket.destroy());
    await answer(pairs[pair]!, passcode, duplexOf(socket, incoming));
    return { host: socket.bytesRead, validator: socket.bytesWritten };
  }
  throw new Error('the host had no pair to spare');
}

/** A gate that the daemon has opened, and its passcode. */
export interface OpenGate {
  readonly pair: Pair;
  readonly passcode: string;
  readonly over: Promise<string>;
}

export async function openGate(port: number, byUser: ReadonlyMap<string, Pair>): Promise<OpenGate> {
  const socket = await open(port);
  socket.setEncoding('latin1');
  let text = '';
  const shown = Promise.withResolvers<void>();
  const over = Promise.withResolvers<string>();
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.includes('\n')) shown.resolve();
  });
  socket.on('close', () => {
    shown.resolve();
    over.resolve(text.split('\n')[1] ?? '');
  });
  socket.on('error', shown.reject);
  await shown.promise;
  const [user = '', passcode = ''] = text.split('\n')[0]!.split(' ');
  const pair = byUser.get(user);
  if (pair === undefined) throw new Error(`no gate: ${text}`);
  return { pair, passcode, over: over.promise };
}

/** A sign-on through the demultiplexer, to the moment at which the host's program knows. */
export async function signOnAtDaemon(
  daemon: number,
  demultiplexer: number,
  byUser: ReadonlyMap<string, Pair>,
): Promise<void> {
  const { pair, passcode, over } = await openGate(daemon, byUser);
  await answer(pair, passcode, duplexTo({ port: demultiplexer, host: '127.0.0.1', noDelay: true }));
  const outcome = await over;
  if (outcome !== 'granted') throw new Error(`not granted: ${outcome}`);
}

/** @throws Error where it is not granted */
export async function answer(pair: Pair, passcode: string, duplex: ByteDuplex): Promise<void> {
  const records = {
    async update(_id: string, apply: (record: ValidatorRecord) => ValidatorRecord | undefined) {
      const next = apply(pair.record);
      pair.record = next ?? pair.record;
      return next !== undefined;
    },
  };
  const { end } = await signOn(
    {
      crypto: sodiumNoise,
      clock: systemClock,
      records,
      record: pair.record,
      key: pair.key,
      passcode,
      duplex,
    },
    { answer: async () => ({ answer: 'accept', by: 'person' }) },
  );
  if (end.outcome !== 'granted') throw new Error(`not granted: ${end.outcome}`);
}
