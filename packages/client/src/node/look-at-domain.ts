/**
 * Looking at an organisation's domain oneself, and not by the broker's word: where a program or the command line can,
 * and a page in a browser can't.
 * @module
 */
import { Resolver } from 'node:dns/promises';
import {
  DOMAIN_FILE,
  DOMAIN_RECORD,
  type DomainOutcome,
  type DomainProofKind,
  MAX_DOMAIN_FILE,
  namesAccount,
} from '@countersign/core';
import { readAnswer } from '../answer-body.ts';

const DNS_MS = 3000;
const HTTPS_MS = 8000;
const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

/** @param servers DNS servers, as `node:dns` takes them; the system's, if absent */
export async function lookAtDomain(
  { domain, by }: { readonly domain: string; readonly by: DomainProofKind },
  account: { readonly name: string; readonly identity: string },
  servers?: readonly string[],
): Promise<Exclude<DomainOutcome, 'refused'>> {
  try {
    const texts = by === 'dns' ? await records(domain, servers) : await file(domain);
    return namesAccount(texts, account) ? 'proven' : 'absent';
  } catch (error) {
    return NOT_THERE.has((error as NodeJS.ErrnoException).code) ? 'absent' : 'unreachable';
  }
}

async function records(domain: string, servers: readonly string[] | undefined): Promise<string[]> {
  const resolver = new Resolver({ timeout: DNS_MS, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return (await resolver.resolveTxt(`${DOMAIN_RECORD}.${domain}`)).map((parts) => parts.join(''));
}

async function file(domain: string): Promise<string[]> {
  const answer = await fetch(`https://${domain}${DOMAIN_FILE}`, {
    redirect: 'manual',
    signal: AbortSignal.timeout(HTTPS_MS),
  });
  if (answer.status >= 500) throw new Error(`status ${answer.status}`);
  if (answer.status !== 200) {
    await answer.body?.cancel();
    return [];
  }
  const bytes = await readAnswer(answer);
  return bytes.length > MAX_DOMAIN_FILE ? [] : new TextDecoder().decode(bytes).split(/\r?\n/);
}
