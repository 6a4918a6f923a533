/**
 * A connection as M-AUTH needs it: bytes to and fro, over TCP, a Unix socket or a WebSocket.
 * @module
 */

export interface ByteDuplex {
  /** What comes in; ends when the other side has closed, and never throws for a connection that breaks. */
  readonly incoming: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): void;
  /** Closes it after what was written has gone out. More than once is no mistake. */
  close(): void;
}
