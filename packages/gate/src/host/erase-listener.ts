/**
 * Lets a lost validator's pairs be killed over the network: the host announces them at the demultiplexer, and whoever
 * sends a pair's erase statement ends it. spec/m-auth.md#erasing.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeBase64url } from '@countersign/core';
import {
  encodeFrame,
  erasedFrame,
  type InterfaceRecord,
  isErasedByFrame,
  MAX_TAGS,
  takeFrame,
  type ValidateFrame,
} from '@countersign/core/m-auth';
import type { NoiseCrypto } from '@countersign/core/noise';
import { AnnouncedConnection } from '../sign-on/announced-connection.ts';
import type { DemultiplexerAt } from '../sign-on/way-to-demultiplexer.ts';
import type { HostRecords } from './host-records.ts';

export interface EraseOptions {
  readonly records: HostRecords;
  readonly demultiplexer: DemultiplexerAt;
  readonly noise: NoiseCrypto;
  readonly erased: (user: string, record: InterfaceRecord) => void;
  readonly signal: AbortSignal;
}

/** How often it is looked whether there are other pairs to announce, in ms. */
const LOOK_MS = 2000;
const LIFETIME_MS = 600_000;

/** Listens until it is told to stop. */
export async function listenForErasures(options: EraseOptions): Promise<void> {
  const chunks: Promise<void>[] = [];
  while (!options.signal.aborted) {
    const wanted = Math.ceil(tagsOf(options.records).length / MAX_TAGS);
    while (chunks.length < wanted) chunks.push(listenForChunk(options, chunks.length));
    await pause(LOOK_MS, options.signal);
  }
  await Promise.all(chunks);
}

/** One connection announces as many pairs as a frame has room for. */
async function listenForChunk(options: EraseOptions, chunk: number): Promise<void> {
  const { records, demultiplexer, signal } = options;
  const bucket = records.bucketOf(`\u0000erase ${chunk}`);
  while (!signal.aborted) {
    const tags = chunkOf(records, chunk);
    if (tags.length === 0) {
      await pause(LOOK_MS, signal);
      continue;
    }
    let used = false;
    const frame = encodeFrame({ kind: 'request', purpose: 'erase', lifetime: LIFETIME_MS, bucket, tags });
    const connection = new AnnouncedConnection(demultiplexer, () => (used ? undefined : frame));
    const end = () => {
      used = true;
      connection.close();
    };
    signal.addEventListener('abort', end, { once: true });
    // With other pairs it is another request.
    const watch = setInterval(() => {
      if (String(chunkOf(records, chunk)) !== String(tags)) end();
    }, LOOK_MS);
    try {
      await connection.start();
      const came = await firstFrame(connection, () => {
        used = true;
      });
      const id = came && erase(options, came);
      if (id !== undefined) connection.write(erasedFrame(options.noise, { id }, came!));
    } catch {
      // The demultiplexer is away: it is looked for again.
      await pause(LOOK_MS, signal);
    } finally {
      clearInterval(watch);
      signal.removeEventListener('abort', end);
      end();
    }
  }
}

async function firstFrame(
  connection: AnnouncedConnection,
  begun: () => void,
): Promise<ValidateFrame | undefined> {
  let seen: Uint8Array = new Uint8Array();
  for await (const chunk of connection.incoming) {
    begun();
    seen = Buffer.concat([seen, chunk as Buffer]);
    const found = takeFrame(seen);
    if (found !== undefined) return found.frame.kind === 'validate' ? found.frame : undefined;
  }
  return undefined;
}

/** @returns the pair that is gone now */
function erase({ records, noise, erased }: EraseOptions, frame: ValidateFrame): string | undefined {
  for (const { user, record } of pairsOf(records)) {
    if (!isErasedByFrame(noise, record, frame)) continue;
    if (!records.removePair(record.id)) continue;
    erased(user, record);
    return record.id;
  }
  return undefined;
}

function pairsOf(records: HostRecords): { user: string; record: InterfaceRecord }[] {
  return records.users().flatMap(({ user, pairs }) => pairs.map((record) => ({ user, record })));
}

/** Each once: the demultiplexer refuses a request that has one twice, and records of before may. */
function tagsOf(records: HostRecords): string[] {
  return [...new Set(pairsOf(records).map(({ record }) => record.erase.tag))];
}

function chunkOf(records: HostRecords, chunk: number): Uint8Array[] {
  return tagsOf(records)
    .slice(chunk * MAX_TAGS, (chunk + 1) * MAX_TAGS)
    .map((tag) => decodeBase64url(tag));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
