/**
 * Signed statements: compact JWS (RFC 7515 section 7.1) with three header members, `alg`, `typ` and `kid`.
 * Every kind has a `typ` of its own (RFC 8725 section 3.11), so that none can stand for another.
 *
 * A statement's **hash** is SHA-256 over its signing input (`header.payload`): two valid signatures over the
 * same words are the same statement. Its **id**, for people, is the fingerprint of that hash.
 * @module
 */
import * as v from 'valibot';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, PublicSigningJwk, SignatureAlgorithm, Signer } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { parseStrictJson } from './strict-json.ts';
import { fingerprint } from './udf.ts';

/** The longest statement that is read at all, in characters. */
export const MAX_STATEMENT_LENGTH = 65_536;

/** A kind of statement: its `typ`, and what its payload must look like. */
export interface StatementKind<S extends v.GenericSchema = v.GenericSchema> {
  readonly typ: string;
  readonly schema: S;
}

export function statementKind<S extends v.GenericSchema>(name: string, schema: S): StatementKind<S> {
  return { typ: `countersign-${name}+jwt`, schema };
}

/** A statement of the right form whose signature nobody has checked. */
export interface Statement<T> {
  readonly typ: string;
  readonly algorithm: SignatureAlgorithm;
  /** Fingerprint of the key that is said to have signed. */
  readonly kid: string;
  readonly payload: T;
  /** SHA-256 over the signing input, in base64url. */
  readonly hash: string;
  readonly jws: string;
}

declare const verified: unique symbol;
/** A statement whose signature was checked against the key that its `kid` names. */
export type Verified<T> = Statement<T> & { readonly [verified]: true };

export type PayloadOf<K extends StatementKind> = v.InferOutput<K['schema']>;

const Header = v.strictObject({
  alg: v.picklist(['EdDSA', 'ES256']),
  typ: v.pipe(v.string(), v.maxLength(64)),
  kid: v.pipe(v.string(), v.maxLength(64)),
});

const encoder = new TextEncoder();

const fingerprints = new WeakMap<PublicSigningJwk, Promise<string>>();

/** Fingerprint of a public signing key, over its canonical JWK (RFC 7638 section 3). It names a device. */
export function keyFingerprint(crypto: CryptoProvider, key: PublicSigningJwk): Promise<string> {
  let known = fingerprints.get(key);
  if (known === undefined) {
    known = computeKeyFingerprint(crypto, key);
    fingerprints.set(key, known);
  }
  return known;
}

function computeKeyFingerprint(crypto: CryptoProvider, key: PublicSigningJwk): Promise<string> {
  const canonical =
    key.kty === 'OKP'
      ? { crv: key.crv, kty: key.kty, x: key.x }
      : { crv: key.crv, kty: key.kty, x: key.x, y: key.y };
  return fingerprint(crypto, 'application/jwk+json', encoder.encode(JSON.stringify(canonical)));
}

/** The id that people see, made from a statement's hash. */
export function statementId(crypto: CryptoProvider, hash: string): Promise<string> {
  return fingerprint(crypto, 'application/vnd.countersign.statement', decodeBase64url(hash));
}

/** Signs a payload as a statement of a kind. */
export async function signStatement<K extends StatementKind>(
  crypto: CryptoProvider,
  kind: K,
  signer: Signer,
  payload: v.InferInput<K['schema']>,
): Promise<Verified<PayloadOf<K>>> {
  const checked = v.safeParse(kind.schema, payload);
  if (!checked.success) throw malformed(kind, checked.issues);
  const kid = await keyFingerprint(crypto, signer.publicKey);
  const header = encodeJson({ alg: signer.algorithm, typ: kind.typ, kid });
  const input = `${header}.${encodeJson(payload)}`;
  const bytes = encoder.encode(input);
  const signature = await signer.sign(bytes);
  return {
    typ: kind.typ,
    algorithm: signer.algorithm,
    kid,
    payload: checked.output as PayloadOf<K>,
    hash: encodeBase64url(await crypto.sha256(bytes)),
    jws: `${input}.${encodeBase64url(signature)}`,
  } as Verified<PayloadOf<K>>;
}

/**
 * Reads a statement of one of the given kinds; checks its form, not its signature.
 * @throws `statement-malformed`, `statement-type`, `encoding-invalid`, `json-invalid`
 */
export async function parseStatement<K extends StatementKind>(
  crypto: CryptoProvider,
  kinds: K | readonly K[],
  jws: string,
): Promise<Statement<PayloadOf<K>>> {
  if (jws.length > MAX_STATEMENT_LENGTH) {
    throw new CountersignError('statement-malformed', 'a statement longer than 64 KiB');
  }
  const [header, payload, signature, more] = jws.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more !== undefined) {
    throw new CountersignError('statement-malformed', 'not a compact JWS: expected three parts');
  }
  const head = v.safeParse(Header, parseStrictJson(decodeBase64url(header)));
  if (!head.success) {
    throw new CountersignError('statement-malformed', 'the header must hold alg, typ and kid, and no more');
  }
  const { typ, alg, kid } = head.output;
  const kind = [kinds].flat().find((one) => (one as K).typ === typ) as K | undefined;
  if (kind === undefined) {
    throw new CountersignError('statement-type', `a statement of another kind: ${JSON.stringify(typ)}`);
  }
  const body = v.safeParse(kind.schema, parseStrictJson(decodeBase64url(payload)));
  if (!body.success) throw malformed(kind, body.issues);
  const input = jws.slice(0, header.length + 1 + payload.length);
  return {
    typ,
    algorithm: alg,
    kid,
    payload: body.output as PayloadOf<K>,
    hash: encodeBase64url(await crypto.sha256(encoder.encode(input))),
    jws,
  };
}

/**
 * Checks a statement's signature by a key, and that the key is the one it names and of the algorithm it names.
 * @throws `signature-invalid`
 */
export async function verifyStatement<T>(
  crypto: CryptoProvider,
  statement: Statement<T>,
  key: PublicSigningJwk,
): Promise<Verified<T>> {
  const end = statement.jws.lastIndexOf('.');
  const signature = decodeBase64url(statement.jws.slice(end + 1));
  const input = encoder.encode(statement.jws.slice(0, end));
  const expected = key.kty === 'OKP' ? 'EdDSA' : 'ES256';
  const good =
    statement.algorithm === expected &&
    signature.length === 64 &&
    (await keyFingerprint(crypto, key)) === statement.kid &&
    (await crypto.verify(key, input, signature));
  if (!good) throw new CountersignError('signature-invalid', 'the signature is not by the key that it names');
  return statement as Verified<T>;
}

function encodeJson(value: unknown): string {
  return encodeBase64url(encoder.encode(JSON.stringify(value)));
}

function malformed(kind: StatementKind, issues: readonly v.BaseIssue<unknown>[]): CountersignError {
  return new CountersignError('statement-malformed', `${kind.typ}: ${describeIssue(issues)}`);
}

/** Where and why a schema refused, without the value that it refused: that may be a person's question. */
export function describeIssue(issues: readonly v.BaseIssue<unknown>[]): string {
  const [first] = issues;
  if (first === undefined) return 'of the wrong form';
  const path = v.getDotPath(first);
  const what = first.expected === null ? first.message : `expected ${first.expected}`;
  return path === null ? what : `${path}: ${what}`;
}
