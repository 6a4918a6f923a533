/**
 * Frames of M-AUTH, as they go over TCP, a WebSocket or a Unix socket: spec/m-auth.md#frames. The first frame of
 * a connection is all that the demultiplexer reads; what comes after it, it forwards.
 * @module
 */
import { CountersignError } from './errors.ts';

/** Of this protocol; stands in each first frame and in each prologue. */
export const M_AUTH_VERSION = 1;
/** Of a frame's type and body, in bytes. */
export const MAX_FRAME_BYTES = 8192;
export const TAG_BYTES = 16;
export const PROOF_BYTES = 16;
export const BUCKET_BYTES = 16;
export const MAX_TAGS = 128;
const LENGTH_BYTES = 2;
const REQUEST_HEAD = 1 + 4 + BUCKET_BYTES;
const VALIDATE_BYTES = 1 + TAG_BYTES + PROOF_BYTES;

/** The first frame of an interface's connection, and the one of a validator's that it waits for, by purpose. */
const REQUESTS = { 1: 'sign-on', 3: 'pair', 5: 'erase' } as const;
const VALIDATES = { 2: 'sign-on', 4: 'pair', 6: 'erase' } as const;
const INNER = { 16: 'handshake', 17: 'transport', 18: 'stale', 19: 'erased' } as const;

export type Purpose = 'sign-on' | 'pair' | 'erase';

/** `AuthRequest`, `PairRequest`, `EraseRequest`: an interface tells the demultiplexer which tags it waits for. */
export interface RequestFrame {
  readonly kind: 'request';
  readonly purpose: Purpose;
  /** How long the tags are good for, in ms from its arrival; at most 2^32 − 1. */
  readonly lifetime: number;
  /** 16 bytes that the interface gives to all attempts of one account, for limits; tells nobody which account. */
  readonly bucket: Uint8Array;
  /** 1 to 128 tags of 16 bytes. */
  readonly tags: readonly Uint8Array[];
}

/** `AuthValidate`, `PairValidate`, `EraseValidate`: a validator names one tag, and proves that it made it. */
export interface ValidateFrame {
  readonly kind: 'validate';
  readonly purpose: Purpose;
  readonly tag: Uint8Array;
  /** For the interface alone: the demultiplexer never sees it before the validator sends it. */
  readonly proof: Uint8Array;
}

/** What follows between the two, opaque to the demultiplexer. */
export interface InnerFrame {
  readonly kind: 'handshake' | 'transport' | 'stale' | 'erased';
  readonly body: Uint8Array;
}

export type Frame = RequestFrame | ValidateFrame | InnerFrame;

/** A whole frame, its length in front. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'request': {
      const { tags, lifetime } = frame;
      if (tags.length < 1 || tags.length > MAX_TAGS) throw new TypeError(`1 to ${MAX_TAGS} tags`);
      const body = new Uint8Array(REQUEST_HEAD + tags.length * TAG_BYTES);
      body[0] = M_AUTH_VERSION;
      new DataView(body.buffer).setUint32(1, lifetime);
      body.set(sized(frame.bucket, BUCKET_BYTES), 5);
      for (const [index, tag] of tags.entries()) {
        body.set(sized(tag, TAG_BYTES), REQUEST_HEAD + index * TAG_BYTES);
      }
      return write(typeOf(REQUESTS, frame.purpose), body);
    }
    case 'validate': {
      const body = new Uint8Array(VALIDATE_BYTES);
      body[0] = M_AUTH_VERSION;
      body.set(sized(frame.tag, TAG_BYTES), 1);
      body.set(sized(frame.proof, PROOF_BYTES), 1 + TAG_BYTES);
      return write(typeOf(VALIDATES, frame.purpose), body);
    }
    default:
      return write(typeOf(INNER, frame.kind), frame.body);
  }
}

/**
 * The first frame in some bytes and what comes after it; undefined while the frame is not whole.
 * @throws `frame-invalid`, as soon as the bytes can become no frame
 */
export function takeFrame(bytes: Uint8Array): { frame: Frame; rest: Uint8Array } | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = (bytes[0]! << 8) | bytes[1]!;
  if (length < 1 || length > MAX_FRAME_BYTES) throw malformed('a length that no frame has');
  if (bytes.length > LENGTH_BYTES) checkType(bytes[LENGTH_BYTES]!);
  const end = LENGTH_BYTES + length;
  if (bytes.length < end) return undefined;
  const frame = parseBody(bytes[LENGTH_BYTES]!, bytes.slice(LENGTH_BYTES + 1, end));
  return { frame, rest: bytes.subarray(end) };
}

function parseBody(type: number, body: Uint8Array): Frame {
  if (type in INNER) return { kind: INNER[type as keyof typeof INNER], body };
  if (body[0] !== M_AUTH_VERSION) throw malformed('another version');
  if (type in VALIDATES) {
    if (body.length !== VALIDATE_BYTES) throw malformed('the length of another frame');
    const purpose = VALIDATES[type as keyof typeof VALIDATES];
    return {
      kind: 'validate',
      purpose,
      tag: body.subarray(1, 1 + TAG_BYTES),
      proof: body.subarray(1 + TAG_BYTES),
    };
  }
  const count = (body.length - REQUEST_HEAD) / TAG_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > MAX_TAGS) throw malformed('no whole number of tags');
  const tags = Array.from({ length: count }, (_, index) => {
    const at = REQUEST_HEAD + index * TAG_BYTES;
    return body.subarray(at, at + TAG_BYTES);
  });
  return {
    kind: 'request',
    purpose: REQUESTS[type as keyof typeof REQUESTS],
    lifetime: new DataView(body.buffer, body.byteOffset).getUint32(1),
    bucket: body.subarray(5, REQUEST_HEAD),
    tags,
  };
}

function checkType(type: number): void {
  if (!(type in REQUESTS || type in VALIDATES || type in INNER)) throw malformed('an unknown type');
}

function write(type: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = 1 + body.length;
  if (length > MAX_FRAME_BYTES) throw new TypeError(`a frame of more than ${MAX_FRAME_BYTES} bytes`);
  const bytes = new Uint8Array(LENGTH_BYTES + length);
  bytes.set([length >> 8, length & 0xff, type]);
  bytes.set(body, LENGTH_BYTES + 1);
  return bytes;
}

function typeOf<T extends string>(types: Readonly<Record<number, T>>, name: T): number {
  return Number(Object.keys(types).find((type) => types[Number(type)] === name));
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new TypeError(`${length} bytes were wanted`);
  return bytes;
}

function malformed(what: string): CountersignError {
  return new CountersignError('frame-invalid', `not a frame of M-AUTH: ${what}`);
}
