/**
 * ES256 signatures that the vector files already hold. WebCrypto draws a new one each time; an old one that
 * still verifies is as good, and keeps the files as they are.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Signatures by signing input; those made in this run are added, so that one statement has one signature. */
export type Memory = Map<string, string[]>;

const COMPACT_JWS = /^([\w-]+)\.([\w-]*)\.([\w-]+)$/;

/** All signatures in the vector files of a folder. */
export function readMemory(folder: URL): Memory {
  const memory: Memory = new Map();
  if (!existsSync(folder)) return memory;
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.json')) collect(JSON.parse(readFileSync(new URL(name, folder), 'utf8')), memory);
  }
  return memory;
}

export function remember(memory: Memory, input: string, signature: string): void {
  memory.set(input, [...(memory.get(input) ?? []), signature]);
}

function collect(value: unknown, memory: Memory): void {
  if (typeof value === 'string') {
    const [, header, payload, signature] = COMPACT_JWS.exec(value) ?? [];
    if (header === undefined || payload === undefined || signature === undefined) return;
    const input = `${header}.${payload}`;
    remember(memory, input, signature);
    // a statement may carry another
    collect(parsed(payload), memory);
  } else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) collect(child, memory);
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  } catch {
    return undefined;
  }
}
