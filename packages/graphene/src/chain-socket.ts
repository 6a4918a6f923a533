/**
 * One connection to one node of a chain: JSON-RPC over WebSocket, as Graphene's nodes serve it.
 * @module
 */
import { CountersignError } from '@countersign/core';
import * as v from 'valibot';

export type ApiName = 'login' | 'database' | 'network_broadcast' | 'history';

const Failure = v.looseObject({
  message: v.optional(v.string(), ''),
  data: v.optional(v.looseObject({ name: v.optional(v.string()), message: v.optional(v.string()) })),
});
const Message = v.union([
  v.looseObject({ id: v.number(), result: v.unknown(), error: v.optional(v.undefined()) }),
  v.looseObject({ id: v.number(), error: Failure }),
  v.looseObject({ method: v.literal('notice'), params: v.tuple([v.number(), v.unknown()]) }),
]);

/** A node takes no longer for an answer, in ms. */
const ANSWER_MS = 15_000;
const CONNECT_MS = 10_000;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What a chain says of a transaction that it does not take. */
export class ChainRefusal extends CountersignError {
  /** The chain's own name, `tx_missing_active_auth`; empty where the node tells none. */
  readonly chainError: string;

  constructor(name: string, message: string) {
    super('chain-refused', name === '' ? message : `the chain refuses it: ${name}: ${message}`);
    this.chainError = name;
  }
}

export class ChainSocket {
  readonly url: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #subscriptions = new Map<number, (value: unknown) => void>();
  #serial = 0;
  #ended = false;

  private constructor(url: string, socket: WebSocket) {
    this.url = url;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#read(data));
    socket.addEventListener('close', () => this.#end());
    socket.addEventListener('error', () => this.#end());
  }

  /** @throws `chain-unreachable` */
  static async open(url: string): Promise<ChainSocket> {
    const opened = Promise.withResolvers<void>();
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch (cause) {
      throw unreachable(url, cause);
    }
    const timer = setTimeout(() => opened.reject(new Error('no answer in time')), CONNECT_MS);
    socket.addEventListener('open', () => opened.resolve());
    socket.addEventListener('error', (event) => opened.reject(event));
    socket.addEventListener('close', (event) => opened.reject(event));
    try {
      await opened.promise;
    } catch (cause) {
      socket.close();
      throw unreachable(url, cause);
    } finally {
      clearTimeout(timer);
    }
    const made = new ChainSocket(url, socket);
    await made.call('login', 'login', ['', '']);
    return made;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** @throws `chain-unreachable`, `chain-answer-invalid`, `chain-refused` (a {@link ChainRefusal}) */
  async call(api: ApiName, method: string, params: readonly unknown[]): Promise<unknown> {
    if (this.#ended) throw unreachable(this.url);
    const id = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(unreachable(this.url, new Error('no answer in time'))), ANSWER_MS);
    this.#waiting.set(id, { resolve, reject });
    // The login API has a number before anything else has a name.
    this.#socket.send(
      JSON.stringify({ id, method: 'call', params: [api === 'login' ? 1 : api, method, params] }),
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** A number that a node sends notices to, and the first of them; it is rejected where the connection ends. */
  notice(): { readonly subscription: number; readonly first: Promise<unknown> } {
    const subscription = ++this.#serial;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#subscriptions.set(subscription, resolve);
    this.#waiting.set(subscription, { resolve, reject });
    promise.catch(() => {});
    return { subscription, first: promise };
  }

  close(): void {
    this.#socket.close();
    this.#end();
  }

  #read(data: unknown): void {
    const message = v.safeParse(Message, parse(data));
    if (!message.success) return;
    const read = message.output;
    if ('method' in read) {
      const [subscription, value] = read.params as [number, unknown];
      this.#subscriptions.get(subscription)?.(value);
      this.#subscriptions.delete(subscription);
      this.#waiting.delete(subscription);
      return;
    }
    const waiting = this.#waiting.get((read as { id: number }).id);
    if (waiting === undefined) return;
    const { error, result } = read as { error?: v.InferOutput<typeof Failure>; result?: unknown };
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new ChainRefusal(error.data?.name ?? '', error.data?.message ?? error.message));
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(unreachable(this.url));
    this.#waiting.clear();
  }
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

function unreachable(url: string, cause?: unknown): CountersignError {
  return new CountersignError('chain-unreachable', `the chain’s node at ${url} does not answer`, { cause });
}
