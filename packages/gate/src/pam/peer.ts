/**
 * Which process is on the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED). Node has no
 * call for it, so libc's is used, through Node's own foreign functions.
 * @module
 */
import type { Socket } from 'node:net';
import { endianness } from 'node:os';

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Linux, on x86-64 and arm64: elsewhere the numbers differ, and the peer is unknown. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;

type GetPeer = (fd: number) => Peer | undefined;
let getPeer: Promise<GetPeer> | undefined;

/**
 * Makes ready to know peers.
 * @throws TypeError where this system or this Node can't tell: then nobody may be served
 */
export function peerReader(): Promise<(socket: Socket) => Peer | undefined> {
  getPeer ??= loadGetPeer();
  return getPeer.then((read) => (socket) => {
    const fd = descriptorOf(socket);
    return fd === undefined ? undefined : read(fd);
  });
}

async function loadGetPeer(): Promise<GetPeer> {
  if (process.platform !== 'linux' || endianness() !== 'LE' || !['x64', 'arm64'].includes(process.arch)) {
    throw new TypeError(`no way to know a socket’s peer on ${process.platform} ${process.arch}`);
  }
  // Only where it is used: the module is new in Node, and says so when it is loaded.
  const { dlopen } = await import('node:ffi');
  const { functions } = dlopen(null, {
    getsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'], return: 'i32' },
  });
  return (fd) => {
    const ucred = Buffer.alloc(UCRED_BYTES);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(UCRED_BYTES);
    if (functions.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0) return undefined;
    if (length.readUInt32LE() !== UCRED_BYTES) return undefined;
    const [pid, uid, gid] = [ucred.readInt32LE(0), ucred.readUInt32LE(4), ucred.readUInt32LE(8)];
    // A peer of another namespace has no number here.
    return pid <= 0 || uid === 0xffffffff ? undefined : { pid, uid, gid };
  };
}

/** Node keeps the number of a socket's descriptor in its handle, and nowhere else. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 ? fd : undefined;
}
