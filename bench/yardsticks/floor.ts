/**
 * A confirmation through the floor: the very same signed bytes, but nothing is delivered to a device; the
 * answer follows as soon as the enquirer waits.
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connections, expectJson } from '../connection.ts';
import type { Times } from '../load.ts';
import type { Population } from '../population.ts';
import { type Question, verifyAnswer } from '../questions.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const SCRIPT = fileURLToPath(import.meta.resolve('./floor-server.ts'));

export class Floor implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly #connections: Connections;

  private constructor(server: ServerProcess) {
    this.server = server;
    this.#connections = new Connections(server.port);
  }

  static async start(folder: string, { enquirers, accounts }: Population): Promise<Floor> {
    const keys = [...enquirers, ...accounts].map(({ kid, signer }) => [kid, signer.publicKey]);
    const keyFile = join(folder, 'floor-keys.json');
    await writeFile(keyFile, JSON.stringify(Object.fromEntries(keys)));
    return new Floor(await startServer(SCRIPT, [join(folder, 'floor.db'), keyFile]));
  }

  readonly confirm = async (question: Question): Promise<Times> => {
    const asker = await this.#connections.take();
    const answerer = await this.#connections.take();
    const started = performance.now();
    const { id } = expectJson<{ id: number }>(await asker.call('POST', '/requests', question.post), 201);
    const poll = asker.call('GET', `/requests/${id}`);
    const answered = performance.now();
    const taken = answerer.call('POST', `/requests/${id}/response`, question.answer);
    const state = await poll;
    const woken = performance.now();
    await verifyAnswer(question, expectJson<{ response: string }>(state, 200).response);
    const verified = performance.now();
    expectJson(await taken, 200);
    this.#connections.give(asker);
    this.#connections.give(answerer);
    return { whole: verified - started, acceptToWoken: woken - answered };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.closeAll();
    await this.server[Symbol.asyncDispose]();
  }
}
