/**
 * Heads of a broker's tree, as C2SP checkpoints (c2sp.org/tlog-checkpoint): notes that say how many leaves the
 * tree of an origin has, and its root, signed with Ed25519 (c2sp.org/signed-note). Our own checkpoints
 * (`checkpoint.ts`) are about one account; these are about all.
 * @module
 */
import { decodeBase64url } from './base64url.ts';
import {
  type CryptoProvider,
  constantTimeEqual,
  type PublicSigningJwk,
  type Signer,
} from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import type { Root } from './merkle.ts';

/** The longest note that is read, in characters: sixteen signatures of any kind have room in it. */
const MAX_NOTE_LENGTH = 131_072;
const ED25519 = 0x01;
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) (\S+)$/;

export interface TreeHead extends Root {
  readonly origin: string;
  /** The note, as it was signed. */
  readonly note: string;
}

interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** The origin line of a broker's tree: the broker's origin without its scheme. */
export function treeOrigin(broker: string): string {
  return broker.slice(broker.indexOf('://') + '://'.length);
}

/** Signs the head of a tree. @param signer an Ed25519 key */
export async function signTreeHead(
  crypto: CryptoProvider,
  signer: Signer,
  origin: string,
  { size, root }: Root,
): Promise<string> {
  const text = `${origin}\n${size}\n${root.toBase64()}\n`;
  const keyId = await noteKeyId(crypto, origin, rawKey(signer.publicKey));
  const signature = await signer.sign(new TextEncoder().encode(text));
  return `${text}\n\u2014 ${origin} ${new Uint8Array([...keyId, ...signature]).toBase64()}\n`;
}

/**
 * Reads a tree head, and verifies that this key signed it for this origin. Other signatures are passed over.
 * @throws `tree-invalid`
 */
export async function verifyTreeHead(
  crypto: CryptoProvider,
  note: string,
  origin: string,
  key: PublicSigningJwk,
): Promise<TreeHead> {
  const { head, text, signatures } = parseNote(note);
  if (head.origin !== origin) throw invalid(`it is of ${JSON.stringify(head.origin)}, not of ${origin}`);
  const keyId = await noteKeyId(crypto, origin, rawKey(key));
  const own = signatures.filter((one) => one.name === origin && constantTimeEqual(one.keyId, keyId));
  if (own.length === 0) throw invalid('it is not signed by the broker’s key');
  for (const { signature } of own) {
    const good =
      signature.length === 64 && (await crypto.verify(key, new TextEncoder().encode(text), signature));
    if (!good) throw invalid('its signature is not good');
  }
  return head;
}

/**
 * Reads a tree head whose signature was verified before, or is verified later.
 * @throws `tree-invalid`
 */
export function parseTreeHead(note: string): TreeHead {
  return parseNote(note).head;
}

/** The key that verifies a broker's tree heads, in the text form of the tools for signed notes. */
export async function treeVerifierKey(
  crypto: CryptoProvider,
  origin: string,
  key: PublicSigningJwk,
): Promise<string> {
  const raw = rawKey(key);
  const keyId = await noteKeyId(crypto, origin, raw);
  return `${origin}+${keyId.toHex()}+${new Uint8Array([ED25519, ...raw]).toBase64()}`;
}

function parseNote(note: string): { head: TreeHead; text: string; signatures: NoteSignature[] } {
  if (note.length > MAX_NOTE_LENGTH) throw invalid('it is too long');
  if (!note.isWellFormed() || /[\0-\x09\x0b-\x1f]/.test(note)) throw invalid('it has control characters');
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n')) throw invalid('it is not a signed note');
  const text = note.slice(0, end + 1);
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n');
  if (!origin || sizeText === undefined || rootText === undefined || extensions.includes('')) {
    throw invalid('it does not begin with an origin, a size and a root');
  }
  const size = Number(sizeText);
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size)) throw invalid('its size is no size');
  const root = decodeBase64(rootText);
  if (root.length !== 32) throw invalid('its root is no SHA-256');
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map((line): NoteSignature => {
      const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
      if (name === undefined || encoded === undefined) throw invalid('it has a signature of another form');
      const bytes = decodeBase64(encoded);
      if (bytes.length <= 4) throw invalid('it has a signature of another form');
      return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
    });
  return { head: { origin, size, root, note }, text, signatures };
}

async function noteKeyId(crypto: CryptoProvider, name: string, raw: Uint8Array): Promise<Uint8Array> {
  const input = new Uint8Array([...new TextEncoder().encode(name), 0x0a, ED25519, ...raw]);
  return (await crypto.sha256(input)).subarray(0, 4);
}

function rawKey(key: PublicSigningJwk): Uint8Array {
  if (key.kty !== 'OKP')
    throw invalid('tree heads are signed with Ed25519, and the broker’s key is of another kind');
  return decodeBase64url(key.x);
}

/** Standard base64 (RFC 4648 section 4) in its one canonical form. */
function decodeBase64(text: string): Uint8Array {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
    if (bytes.toBase64() === text) return bytes;
  } catch {
    // said below
  }
  throw invalid('it has a text that is not base64');
}

function invalid(why: string): CountersignError {
  return new CountersignError('tree-invalid', `the head of the broker’s tree is not good: ${why}`, {
    hint: 'do not trust this broker until its operator has explained',
  });
}
