/**
 * A confirmation through the real broker: the signed request, its delivery to a waiting device, the signed
 * answer, and the waiting enquirer who is woken and verifies it.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { Connections, expectJson } from './connection.ts';
import { Devices } from './devices.ts';
import type { Times } from './load.ts';
import type { Population } from './population.ts';
import { type Question, verifyAnswer } from './questions.ts';
import { type ServerProcess, startServer } from './server-process.ts';

const BROKER = fileURLToPath(import.meta.resolve('../packages/broker/src/main.ts'));

/** The broker as an operator runs it, on a folder that may hold a database already. */
export function startBroker(data: string): Promise<ServerProcess> {
  return startServer(BROKER, ['serve', '--data', data, '--port', '0']);
}

export class Ours implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly #devices: Devices;
  readonly #connections: Connections;

  private constructor(server: ServerProcess, devices: Devices) {
    this.server = server;
    this.#devices = devices;
    this.#connections = new Connections(server.port);
  }

  static async start(data: string, population: Population): Promise<Ours> {
    const server = await startBroker(data);
    const devices = new Devices();
    await devices.open(server, population.accounts);
    return new Ours(server, devices);
  }

  readonly confirm = async (question: Question): Promise<Times> => {
    const asker = await this.#connections.take();
    const answerer = await this.#connections.take();
    const { hash, request } = question;
    const delivery = this.#devices.delivery(hash);
    const started = performance.now();
    expectJson(await asker.call('POST', '/v1/requests', question.post), 201);
    const poll = asker.call('GET', `/v1/requests/${hash}?wait=60`);
    if ((await delivery) !== request.statement.jws) throw new Error('another request was delivered');
    const answered = performance.now();
    const taken = answerer.call('POST', `/v1/requests/${hash}/response`, question.answer);
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
    this.#devices.closeAll();
    this.#connections.closeAll();
    await this.server[Symbol.asyncDispose]();
  }
}
