/**
 * An HTTP/1.1 client with nothing in it that a bench does not need, so that the load costs less than the server
 * that it measures: kept-alive connections, one call at a time on each, bodies of a told length.
 * @module
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export class Connection {
  readonly #socket: Socket;
  #received = '';
  #waiting: PromiseWithResolvers<Answer> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // A character a byte, so that lengths are those of the wire; what is not ASCII is only ever in messages.
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  call(method: 'GET' | 'POST', path: string, body = '', type = 'application/json'): Promise<Answer> {
    const about = body === '' ? '' : `content-type: ${type}\r\ncontent-length: ${body.length}\r\n`;
    this.#waiting = Promise.withResolvers();
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${about}\r\n${body}`, 'latin1');
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#received = this.#received === '' ? chunk : this.#received + chunk;
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const bodyStart = end + HEAD_END.length;
    const length = Number(CONTENT_LENGTH.exec(this.#received.slice(0, end))?.[1] ?? 0);
    if (this.#received.length < bodyStart + length) return;
    const status = Number(this.#received.slice(9, 12));
    const body = this.#received.slice(bodyStart, bodyStart + length);
    this.#received = '';
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status, body });
  }
}

/** As many connections as calls were ever in flight at once. */
export class Connections {
  readonly #port: number;
  readonly #free: Connection[] = [];
  readonly #all: Connection[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async take(): Promise<Connection> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const opened = await Connection.open(this.#port);
    this.#all.push(opened);
    return opened;
  }

  give(connection: Connection): void {
    this.#free.push(connection);
  }

  closeAll(): void {
    for (const connection of this.#all) connection.close();
  }
}

/** The JSON of an answer, which must have the status that was expected. */
export function expectJson<T>(answer: Answer, status: number): T {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as T;
}
