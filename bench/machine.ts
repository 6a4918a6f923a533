/**
 * What a figure was measured on.
 * @module
 */
import { cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly sqlite: string;
  readonly openssl: string;
}

export function describeMachine(): Machine {
  const { sqlite, openssl } = process.versions;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    sqlite: sqlite ?? 'unknown',
    openssl,
  };
}
