/**
 * A host for tests: its records, a demultiplexer on real sockets, a system interface; and people with validators.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@countersign/client';
import {
  type ContextAnswer,
  joinPair,
  type ShownContext,
  type SignOnResult,
  signOn,
} from '@countersign/client/m-auth';
import { connectSocket, nodeNoise } from '@countersign/client/node';
import { PairJoin, type ValidatorRecord } from '@countersign/core/m-auth';
import type { NoiseCrypto, NoiseKey } from '@countersign/core/noise';
import { webCrypto } from '@countersign/core/webcrypto';
import { DEFAULT_LIMITS, Demultiplexer } from '../src/demultiplexer/demultiplexer.ts';
import { listen } from '../src/demultiplexer/listen.ts';
import { type ReadBootTime, systemBootTime } from '../src/grants/boot-time.ts';
import { enrol } from '../src/host/enrol.ts';
import { HostRecords } from '../src/host/host-records.ts';
import { SystemInterface, type SystemInterfaceOptions } from '../src/sign-on/system-interface.ts';

export const HOST = 'host1.example';
const CONNECT_MS = 8000;

export async function startHost(
  options: Partial<SystemInterfaceOptions> = {},
  time: ReadBootTime = systemBootTime,
) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-gate-'));
  const path = join(folder, 'interfaces.sock');
  const records = new HostRecords(join(folder, 'data'), time);
  let port = 0;
  let stop = async () => {};
  const demultiplexer = {
    async start() {
      const running = new Demultiplexer({
        limits: { ...DEFAULT_LIMITS, opening: 300 },
        monotonic: () => performance.now(),
      });
      const listening = await listen(running, {
        validators: { host: '127.0.0.1', port },
        interfaces: { path },
        peerOf: () => 'uid 0',
      });
      port = listening.port;
      stop = async () => {
        await listening.close();
        await running.drain(0);
      };
    },
    stop: () => stop(),
  };
  await demultiplexer.start();
  const parts = { records, demultiplexer: { path }, noise: nodeNoise, crypto: webCrypto, host: HOST };
  const { crypto: _, ...common } = parts;
  const gate = new SystemInterface({ ...common, ...options });
  return {
    folder,
    records,
    gate,
    demultiplexer,
    get port() {
      return port;
    },
    connect: () => connect(port),
    /** Pairs a user with a new validator. */
    async pair(
      user: string,
      name = `${user}’s phone`,
      services: readonly string[] = ['*'],
      crypto: NoiseCrypto = nodeNoise,
    ): Promise<Validator> {
      const enrolling = await enrol({ ...parts, user, services });
      const key = await nodeNoise.importKey(nodeNoise.randomBytes(32));
      const join = new PairJoin({
        crypto,
        link: { code: enrolling.code, addresses: [`127.0.0.1:${port}`] },
        key,
        name,
        eraseMaster: nodeNoise.randomBytes(16),
      });
      let kept: ValidatorRecord | undefined;
      const end = await joinPair(
        join,
        await connect(port),
        systemClock,
        async () => true,
        async (record) => {
          kept = record;
        },
      );
      const enrolled = await enrolling.result;
      if (end.outcome !== 'paired' || enrolled.outcome !== 'paired' || kept === undefined) {
        throw new Error(`not paired: ${end.outcome}, ${enrolled.outcome}`);
      }
      return new Validator(kept, key, () => port);
    },
    async [Symbol.asyncDispose]() {
      await gate.close();
      await demultiplexer.stop();
      records.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A person’s validator, which keeps its record in memory. */
export class Validator {
  record: ValidatorRecord;
  readonly key: NoiseKey;
  readonly #port: () => number;

  constructor(record: ValidatorRecord, key: NoiseKey, port: () => number) {
    this.record = record;
    this.key = key;
    this.#port = port;
  }

  async signOn(
    passcode: string,
    answer: (shown: ShownContext) => Promise<ContextAnswer> | ContextAnswer = () => ACCEPT,
  ): Promise<SignOnResult> {
    const parts = {
      crypto: nodeNoise,
      clock: systemClock,
      record: this.record,
      key: this.key,
      passcode,
      duplex: await connect(this.#port()),
      records: {
        update: async (_id: string, apply: (record: ValidatorRecord) => ValidatorRecord | undefined) => {
          const next = apply(this.record);
          this.record = next ?? this.record;
          return next !== undefined;
        },
      },
    };
    return signOn(parts, { answer: async (shown) => answer(shown) });
  }
}

export const ACCEPT: ContextAnswer = { answer: 'accept', by: 'person' };

const connect = (port: number) => connectSocket({ port, host: '127.0.0.1' }, CONNECT_MS);
