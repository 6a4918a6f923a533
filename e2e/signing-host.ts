/**
 * A host for tests of the validator: system interfaces on a TCP port, without PAM and without a screen. It matches tags
 * itself; the demultiplexer has tests of its own.
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '@countersign/client';
import { type ByteDuplex, offerPair, type RecordUpdates, runAttempt } from '@countersign/client/m-auth';
import { nodeNoise, socketDuplex } from '@countersign/client/node';
import { drawPin } from '@countersign/core';
import {
  type AttemptOptions,
  erasedFrame,
  formatPairLink,
  type InterfaceEvent,
  type InterfaceRecord,
  isErasedByFrame,
  type OfferEvent,
  PairOffer,
  SignOnAttempt,
  type SignOnContext,
  takeFrame,
  type ValidateFrame,
} from '@countersign/core/m-auth';
import { webCrypto } from '@countersign/core/webcrypto';

const BUCKET = new Uint8Array(16);
export const NAMES = { account: 'alice', host: 'server.example', services: ['login', 'sshd'] };

type Waiting = (duplex: ByteDuplex) => void;

export class SigningHost implements AsyncDisposable {
  readonly records = new Map<string, InterfaceRecord>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Map<string, Waiting>();
  readonly address: string;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.#welcome(socket);
    });
  }

  static async start(): Promise<SigningHost> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SigningHost(server);
  }

  /** Shows a code, and takes the validator that comes with it. */
  enroll(): { link: string; code: string; ended: Promise<OfferEvent> } {
    const code = drawPin(webCrypto);
    const opened = systemClock.monotonic();
    const offer = new PairOffer({ crypto: nodeNoise, code, names: NAMES, opened });
    const ended = this.#announced(offer.request(BUCKET, opened)).then((duplex) =>
      offerPair(offer, duplex, systemClock, async (record) => void this.records.set(record.id, record)),
    );
    return { link: formatPairLink({ code, addresses: [this.address] }), code, ended };
  }

  /** Opens a gate. */
  open(passcode: string, change: Partial<AttemptOptions & { context: SignOnContext }> = {}) {
    const opened = systemClock.monotonic();
    const events: InterfaceEvent[] = [];
    const time = systemClock.now();
    const attempt = new SignOnAttempt({
      crypto: nodeNoise,
      records: [...this.records.values()],
      passcode,
      opened,
      context: {
        account: 'alice',
        host: 'server.example',
        service: 'sshd',
        remote: '127.0.0.1',
        address: '127.0.0.1',
        time,
      },
      ...change,
    });
    const ended = this.#announced(attempt.request(BUCKET, opened)).then(async (duplex) => {
      const run = runAttempt(attempt, duplex, this.#updates, systemClock, (event) => {
        events.push(event);
        if (event.kind === 'acknowledged') run.approve(true);
      });
      await run.finished;
      return events;
    });
    return { ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  readonly #updates: RecordUpdates<InterfaceRecord> = {
    update: async (id, apply) => {
      const old = this.records.get(id);
      const next = old === undefined ? undefined : apply(old);
      if (next !== undefined) this.records.set(id, next);
      return next !== undefined;
    },
  };

  #announced(request: Uint8Array): Promise<ByteDuplex> {
    const { frame } = takeFrame(request)!;
    if (frame.kind !== 'request') throw new TypeError('no request');
    const { promise, resolve } = Promise.withResolvers<ByteDuplex>();
    for (const tag of frame.tags) this.#waiting.set(`${frame.purpose} ${tag.toHex()}`, resolve);
    return promise;
  }

  async #welcome(socket: Socket): Promise<void> {
    const duplex = socketDuplex(socket);
    const chunks = duplex.incoming[Symbol.asyncIterator]();
    let head: Uint8Array = new Uint8Array();
    let taken: ReturnType<typeof takeFrame>;
    while (taken === undefined) {
      const next = await chunks.next();
      if (next.done === true) return;
      head = Buffer.concat([head, next.value]);
      taken = takeFrame(head);
    }
    const frame = taken.frame as ValidateFrame;
    if (frame.purpose === 'erase') {
      for (const [id, record] of this.records) {
        if (!isErasedByFrame(nodeNoise, record, frame)) continue;
        this.records.delete(id);
        duplex.write(erasedFrame(nodeNoise, record, frame));
      }
    }
    const waiting = this.#waiting.get(`${frame.purpose} ${frame.tag.toHex()}`);
    if (waiting === undefined) {
      socket.end();
      return;
    }
    const incoming = (async function* () {
      yield head;
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) return;
        yield next.value;
      }
    })();
    waiting({ ...duplex, incoming });
  }
}
