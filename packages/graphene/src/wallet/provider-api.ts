/**
 * A provider's HTTP API, from the wallet's side.
 * @module
 */
import { CountersignError, describeIssue, isErrorCode } from '@countersign/core';
import pRetry from 'p-retry';
import * as v from 'valibot';
import type { WholeLogin } from '../wallet-login.ts';

const Info = v.object({
  account: v.string(),
  chain_id: v.string(),
  prefix: v.string(),
  countersign: v.string(),
  asks_for: v.array(v.string()),
});
export type ProviderInfo = v.InferOutput<typeof Info>;

const Registration = v.object({
  registration: v.string(),
  state: v.picklist(['challenged', 'proving', 'asked', 'registered', 'rejected', 'expired']),
  challenge: v.optional(v.string()),
  codes: v.optional(v.array(v.string())),
  page: v.optional(v.pipe(v.string(), v.url())),
  token: v.optional(v.pipe(v.string(), v.startsWith('otpauth://'))),
  expires_at: v.number(),
});
export type Registration = v.InferOutput<typeof Registration>;

const Cosigned = v.object({
  digest: v.string(),
  id: v.string(),
  state: v.picklist(['pending', 'signed', 'rejected', 'refused', 'expired']),
  signatures: v.optional(v.array(v.string())),
  /** Accounts that the provider serves, and that have yet to say yes. */
  waits_for: v.optional(v.array(v.string())),
  reason: v.optional(v.string()),
  expires_at: v.number(),
});
export type Cosigned = v.InferOutput<typeof Cosigned>;

const LoginSigned = v.object({
  digest: v.string(),
  state: v.picklist(['pending', 'signed', 'rejected', 'refused', 'expired']),
  signatures: v.optional(v.array(v.string())),
  reason: v.optional(v.string()),
  expires_at: v.number(),
});
export type LoginSigned = v.InferOutput<typeof LoginSigned>;

const PolicyState = v.object({
  version: v.number(),
  policy: v.unknown(),
  next: v.optional(v.object({ version: v.number(), policy: v.unknown(), effective_at: v.number() })),
});
const Change = v.object({ change: v.string() });
const Changed = v.object({ version: v.number(), state: v.picklist(['asked', 'accepted', 'rejected']) });
const Operation = v.object({
  operation: v.tuple([v.number(), v.looseObject({})]),
  link: v.optional(v.string()),
});
const Failure = v.object({
  code: v.string(),
  message: v.string(),
  hint: v.optional(v.string()),
  retry_after: v.optional(v.number()),
});

const CALL_MS = 90_000;
/** Longest single wait, in seconds. */
const WAIT = 30;

export class ProviderApi {
  readonly url: string;

  /** @param url `https://secondfactor.example` */
  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  info(): Promise<ProviderInfo> {
    return this.#call('GET', '/v1/provider', Info);
  }

  begin(account: string, countersign: string, addresses: Record<string, string>): Promise<Registration> {
    return this.#call('POST', '/v1/registrations', Registration, { account, countersign, addresses });
  }

  prove(registration: string, signature: string): Promise<Registration> {
    return this.#call('POST', `/v1/registrations/${registration}/proof`, Registration, { signature });
  }

  giveCodes(registration: string, codes: Record<string, string>): Promise<Registration> {
    return this.#call('POST', `/v1/registrations/${registration}/codes`, Registration, { codes });
  }

  registration(registration: string): Promise<Registration> {
    return this.#patiently(`/v1/registrations/${registration}?wait=${WAIT}`, Registration);
  }

  async requiring(account: string): Promise<readonly [number, Record<string, unknown>]> {
    return (await this.#call('GET', `/v1/accounts/${account}/require`, Operation)).operation;
  }

  /** A link that opens a wallet's page with the change of account. */
  async requiringLink(account: string, page: string): Promise<string> {
    const path = `/v1/accounts/${account}/require?page=${encodeURIComponent(page)}`;
    const { link } = await this.#call('GET', path, Operation);
    if (link === undefined) throw this.#invalid('no link came');
    return link;
  }

  /**
   * Posting it again is posting it once.
   * @param memoSecrets `memoShared` of the keys of each memo that the device is to show, in hex
   */
  post(
    account: string,
    transaction: unknown,
    chainId: string,
    memoSecrets: readonly string[] = [],
  ): Promise<Cosigned> {
    const memos = memoSecrets.length === 0 ? {} : { memo_secrets: memoSecrets };
    const body = { account, transaction, chain_id: chainId, ...memos };
    return this.#overCuts(() => this.#call('POST', '/v1/transactions', Cosigned, body));
  }

  /** @param wait seconds to wait until it is settled */
  cosigned(digest: string, wait = WAIT): Promise<Cosigned> {
    return this.#patiently(`/v1/transactions/${digest}?wait=${wait}`, Cosigned);
  }

  /**
   * Posting it again is posting it once.
   * @param signatures of the account's own keys
   */
  postLogin(login: WholeLogin, signatures: readonly string[], chainId: string): Promise<LoginSigned> {
    const body = { ...login, signatures, chain_id: chainId };
    return this.#overCuts(() => this.#call('POST', '/v1/logins', LoginSigned, body));
  }

  /** @param wait seconds to wait until it is settled */
  login(digest: string, wait = WAIT): Promise<LoginSigned> {
    return this.#patiently(`/v1/logins/${digest}?wait=${wait}`, LoginSigned);
  }

  policy(account: string): Promise<v.InferOutput<typeof PolicyState>> {
    return this.#call('GET', `/v1/accounts/${account}/policy`, PolicyState);
  }

  async changePolicy(account: string, version: number, text: string, signature: string): Promise<string> {
    const body = { version, text, signature };
    return (await this.#call('POST', `/v1/accounts/${account}/policy`, Change, body)).change;
  }

  policyChange(change: string): Promise<v.InferOutput<typeof Changed>> {
    return this.#patiently(`/v1/policy-changes/${change}?wait=${WAIT}`, Changed);
  }

  #patiently<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> {
    return this.#overCuts(() => this.#call('GET', path, schema));
  }

  /** Calls that change nothing a second time go on over a cut of the line. */
  #overCuts<T>(call: () => Promise<T>): Promise<T> {
    return pRetry(call, {
      retries: 8,
      minTimeout: 250,
      maxTimeout: 4000,
      randomize: true,
      shouldRetry: ({ error }) => error instanceof CountersignError && error.code === 'provider-unreachable',
    });
  }

  async #call<S extends v.GenericSchema>(
    method: string,
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<v.InferOutput<S>> {
    let status: number;
    let read: unknown;
    try {
      const answer = await fetch(this.url + path, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(CALL_MS),
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      status = answer.status;
      read = await answer.json();
    } catch (cause) {
      throw new CountersignError('provider-unreachable', `the provider at ${this.url} does not answer`, {
        cause,
      });
    }
    if (status >= 400) throw this.#failure(read);
    const parsed = v.safeParse(schema, read);
    if (parsed.success) return parsed.output;
    throw this.#invalid(describeIssue(parsed.issues));
  }

  #failure(read: unknown): CountersignError {
    const failure = v.safeParse(Failure, read);
    if (!failure.success || !isErrorCode(failure.output.code))
      return this.#invalid('a failure without a known code');
    const { code, message, hint, retry_after } = failure.output;
    return new CountersignError(code, `the provider says: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(retry_after === undefined ? {} : { retryAfter: retry_after }),
    });
  }

  #invalid(what: string): CountersignError {
    return new CountersignError('provider-answer-invalid', `the answer of ${this.url}: ${what}`);
  }
}
