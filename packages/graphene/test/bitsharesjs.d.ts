/** The part of `bitsharesjs` that our tests and benches hold ours against; it brings no types of its own. */
declare module 'bitsharesjs' {
  interface Serializer {
    fromObject(json: unknown): unknown;
    toObject(value: unknown): unknown;
    fromBuffer(bytes: Buffer): unknown;
    toBuffer(value: unknown): Buffer;
  }
  export const hash: { sha256(data: Buffer): Buffer };
  export const ops: { transaction: Serializer; signed_transaction: Serializer };
  export class PublicKey {
    static fromStringOrThrow(text: string, prefix?: string): PublicKey;
    static fromBuffer(bytes: Buffer): PublicKey;
    toPublicKeyString(prefix?: string): string;
    toAddressString(prefix?: string): string;
    toBuffer(): Buffer;
  }
  export class PrivateKey {
    static fromBuffer(bytes: Buffer): PrivateKey;
    static fromWif(text: string): PrivateKey;
    toWif(): string;
    toPublicKey(): PublicKey;
    toBuffer(): Buffer;
    get_shared_secret(key: PublicKey): Buffer;
  }
  export class Signature {
    static signBufferSha256(digest: Buffer, key: PrivateKey): Signature;
    static fromBuffer(bytes: Buffer): Signature;
    toBuffer(): Buffer;
    recoverPublicKey(digest: Buffer): PublicKey;
    verifyHash(digest: Buffer, key: PublicKey): boolean;
  }
  export const Aes: {
    encrypt_with_checksum(key: PrivateKey, to: PublicKey, nonce: string, message: string | Buffer): Buffer;
    decrypt_with_checksum(key: PrivateKey, to: PublicKey, nonce: string, message: Buffer | string): Buffer;
  };
}

declare module 'bitsharesjs-ws' {
  const ws: { ChainConfig: { setPrefix(prefix: string): void } };
  export default ws;
}
