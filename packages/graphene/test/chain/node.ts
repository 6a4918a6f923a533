/**
 * A node of the small chain: its calls as JSON-RPC over WebSocket, `{"method": "call", "params": [api, method,
 * params]}`, as a witness node serves them.
 * @module
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { broadcastApi, databaseApi, historyApi } from './api.ts';
import { check } from './chain-error.ts';
import { errorOf, type Genesis, Ledger } from './ledger.ts';

/** Numbers of the APIs, as `login` hands them out; 0 is `database` to whoever has not logged in. */
const NUMBERS = { login: 1, database: 2, network_broadcast: 3, history: 4 } as const;
type ApiName = keyof typeof NUMBERS;

export interface ChainNode extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly url: string;
}

/** What a node answers in the place of its own answer, where a test makes it lie. */
export type Tamper = (method: string, answer: unknown) => unknown;

/** Whether the line is cut at a call: before it is done, or when it is and the answer is lost. */
export type Cut = (method: string) => 'before' | 'after' | undefined;

export interface NodeOptions {
  /** Seconds since 1970. */
  readonly now?: () => number;
  readonly port?: number;
  readonly tamper?: Tamper;
  readonly cut?: Cut;
}

export async function startNode(ledger: Ledger, options: NodeOptions = {}): Promise<ChainNode> {
  const { port = 0, tamper = (_method, answer) => answer, cut = () => undefined } = options;
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  await once(server, 'listening');
  server.on('connection', (socket) => serve(ledger, socket, tamper, cut));
  return {
    ledger,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A chain with one node, whose blocks come by themselves. */
export async function startChain(genesis: Genesis, options: NodeOptions = {}): Promise<ChainNode> {
  const ledger = new Ledger(genesis, options.now ?? (() => Math.floor(Date.now() / 1000)));
  const node = await startNode(ledger, options);
  const timer = setInterval(() => ledger.produce(), (genesis.interval ?? 1) * 1000);
  timer.unref();
  return {
    ...node,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await node[Symbol.asyncDispose]();
    },
  };
}

function serve(ledger: Ledger, socket: WebSocket, tamper: Tamper, cut: Cut): void {
  const notify = (subscription: number, value: unknown) =>
    socket.send(JSON.stringify({ method: 'notice', params: [subscription, value] }));
  const apis: Record<ApiName, Record<string, (...params: never[]) => unknown>> = {
    login: {
      login: () => true,
      database: () => NUMBERS.database,
      network_broadcast: () => NUMBERS.network_broadcast,
      history: () => NUMBERS.history,
    },
    database: databaseApi(ledger),
    network_broadcast: broadcastApi(ledger, notify),
    history: historyApi(ledger),
  };
  const apiOf = (named: unknown) => {
    if (named === 0) return apis.database;
    const found = Object.entries(NUMBERS).find(([name, number]) => named === name || named === number);
    check(found, `no such api: ${named}`);
    return apis[found[0] as ApiName];
  };
  socket.on('message', (data) => {
    const { id, params } = JSON.parse(String(data)) as { id: number; params: [unknown, string, never[]] };
    try {
      const [api, method, given] = params;
      const call = apiOf(api)[method];
      check(call, `no such method: ${method}`);
      const fault = cut(method);
      if (fault === 'before') return socket.terminate();
      const result = tamper(method, call(...given) ?? null);
      if (fault === 'after') return socket.terminate();
      socket.send(JSON.stringify({ id, jsonrpc: '2.0', result }));
    } catch (error) {
      socket.send(JSON.stringify({ id, jsonrpc: '2.0', error: errorOf(error) }));
    }
  });
}
