/**
 * Policies of the people that a provider signs for: which holds now, and how one is changed. A change is signed by
 * a key of the account and confirmed on the device of whoever is registered then; one that lets more be signed waits a
 * day, and the person is told.
 * @module
 */
import { CountersignError, encodeBase64url, parseStrictJson, verifyReceipt } from '@countersign/core';
import * as v from 'valibot';
import { policyText, signerOfText } from '../challenge.ts';
import { OPEN_POLICY, Policy, RAISE_WAIT, raises, type VersionedPolicy } from '../policy.ts';
import { policyFacts, policyLines } from '../policy-words.ts';
import { bindApprovers } from './approvers.ts';
import { follow, type ProviderContext } from './context.ts';
import { enrolled } from './enrolment.ts';
import type { PolicyChangeRow, PolicyRow } from './store.ts';

const FIRST: PolicyRow = { account: '', version: 1, effective_at: 0, policy: JSON.stringify(OPEN_POLICY) };

/** All versions, the newest first: those that wait, the one that holds, and those that were. */
function versionsOf({ store }: ProviderContext, account: string): PolicyRow[] {
  const rows = store.all('policies', { account }).sort((a, b) => b.version - a.version);
  return [...rows, FIRST];
}

/** The policy that holds now. */
export function policyOf(context: ProviderContext, account: string): VersionedPolicy {
  const now = context.clock.now();
  const row = versionsOf(context, account).find(({ effective_at }) => effective_at <= now)!;
  return { version: row.version, policy: v.parse(Policy, JSON.parse(row.policy)) };
}

/** The newest version that will hold, and when; absent where it holds already. */
export function pendingPolicy(context: ProviderContext, account: string): PolicyRow | undefined {
  const [newest] = versionsOf(context, account);
  return newest!.effective_at > context.clock.now() ? newest : undefined;
}

/**
 * Asks the person on their device for a change of policy.
 * @param text the policy's JSON, exactly as it was signed
 * @throws `input-invalid`, `cosign-conflict` where it does not follow the newest version, `cosign-unasked`,
 *   `account-unknown` where there is no such approver
 */
export async function changePolicy(
  context: ProviderContext,
  name: string,
  { version, text, signature }: { version: number; text: string; signature: string },
): Promise<PolicyChangeRow> {
  const { store, client, account: provider, enquirer, crypto } = context;
  const user = enrolled(context, name);
  const read = v.safeParse(Policy, parseStrictJson(text));
  if (!read.success)
    throw new CountersignError('input-invalid', 'not a policy as /openapi.json describes it');
  const [newest] = versionsOf(context, name);
  if (version !== newest!.version + 1) {
    throw new CountersignError(
      'cosign-conflict',
      `the newest version is ${newest!.version}: the next has the number after it`,
    );
  }
  const { id: chainId, prefix } = await client.chain();
  const signed = policyText({ chainId, provider: provider.name, account: name, version, policy: text });
  const key = signerOfText(signed, signature, prefix);
  const account = await client.account(user.account_id);
  if (!account.active.key_auths.some(([one]) => one === key)) {
    throw new CountersignError('cosign-unasked', `no key of ${name} has signed this change`);
  }
  const waits = raises(policyOf(context, name).policy, read.output);
  const asked = await enquirer.ask({
    account: user.countersign,
    kind: 'payment',
    text: [
      { type: 'h1', text: `Change what may be signed for ${name}` },
      {
        type: 'p',
        text: waits
          ? 'It lets more be signed than now, and holds from 24 hours after you accept.'
          : 'It holds at once.',
      },
    ],
    fields: [
      { name: 'Version', value: String(version) },
      ...policyLines(read.output, await policyFacts(client, read.output)),
      ...(await bindApprovers(context, read.output)),
    ],
  });
  if (asked.account.identity !== enrolled(context, name).identity) {
    throw new CountersignError(
      'account-changed',
      `${user.countersign} is not the account that was registered`,
    );
  }
  const row: PolicyChangeRow = {
    id: encodeBase64url(crypto.randomBytes(16)),
    account: name,
    version,
    policy: text,
    state: 'asked',
    request: asked.hash,
  };
  store.add('policy_changes', row);
  follow(context, `policy ${row.id}`, () => awaitPolicy(context, row.id));
  return row;
}

/** Waits for the device; also after a restart. */
export async function awaitPolicy(context: ProviderContext, id: string): Promise<void> {
  const { store, enquirer, logger } = context;
  const row = store.one('policy_changes', { id });
  if (row?.state !== 'asked' || row.request === null) return;
  const { outcome } = await enquirer.wait(row.request, context.stopping);
  const by = outcome === 'accepted' ? await acceptedBy(context, row.request) : undefined;
  const heldFrom = store.atomically(() => decide(context, id, by));
  for (const told of heldFrom === undefined ? [] : await notify(context, row.account, heldFrom)) {
    if (told.status === 'rejected') logger.error({ err: told.reason }, 'a notice was not sent');
  }
  context.changes.tell(id);
}

/** Whose device said yes, by the signed answer; undefined where it says something else. */
async function acceptedBy(
  { enquirer, crypto }: ProviderContext,
  request: string,
): Promise<string | undefined> {
  const { response, account } = await verifyReceipt(crypto, await enquirer.receipt(request));
  return response.decision.decision === 'accept' ? account.identity : undefined;
}

/**
 * Takes a change over where the person said yes who is registered now, and turns it down else.
 * @param by the identity of whoever said yes
 * @returns from when on more is signed, where that is so
 */
function decide(context: ProviderContext, id: string, by: string | undefined): number | undefined {
  const { store, clock } = context;
  const row = store.one('policy_changes', { id, state: 'asked' });
  if (row === undefined) return undefined;
  const { account, version, policy } = row;
  const waits = raises(policyOf(context, account).policy, v.parse(Policy, JSON.parse(policy)));
  // What holds at once is of no time: a clock that is set back must not bring the version before it back.
  const effective_at = waits ? clock.now() + RAISE_WAIT : 0;
  const confirmed = by !== undefined && by === store.one('users', { account })?.identity;
  const added = confirmed && store.add('policies', { account, version, effective_at, policy });
  store.change('policy_changes', { id }, { state: added ? 'accepted' : 'rejected' });
  return added && waits ? effective_at : undefined;
}

/**
 * Takes back what the devices of another Countersign account than the one that is registered from now on have asked
 * for: they may be lost, and in strange hands. Changes that are open are turned down, and what would let more be signed
 * and does not hold yet is dropped. To be called within the write that registers.
 */
export function dropPolicyChanges(context: ProviderContext, account: string): void {
  const { store, clock, enquirer, changes, logger } = context;
  for (const { id, request } of store.all('policy_changes', { account, state: 'asked' })) {
    store.change('policy_changes', { id }, { state: 'rejected' });
    changes.tell(id);
    if (request === null) continue;
    enquirer.cancel(request).catch((err: unknown) => logger.warn({ err }, 'a question was not taken back'));
  }
  for (const { version, effective_at } of store.all('policies', { account })) {
    if (effective_at > clock.now()) store.remove('policies', { account, version });
  }
}

/** Tells the person wherever they are known that more will be signed, so that they hear of it where they did not ask for it. */
async function notify(
  { store, ways, account: provider }: ProviderContext,
  name: string,
  at: number,
): Promise<PromiseSettledResult<void>[]> {
  const user = store.one('users', { account: name });
  const addresses: Record<string, string | null | undefined> = { email: user?.address, phone: user?.phone };
  const when = new Date(at * 1000).toISOString();
  const title = `${provider.name} will sign more for ${name}`;
  const text = `From ${when} on, ${provider.name} signs more for ${name} than now. If you did not ask for this, change the policy again before then: what lets less be signed holds at once.`;
  return Promise.allSettled(
    ways.map(async (way) => {
      const address = addresses[way.name];
      if (address != null) await way.send?.(address, title, text);
    }),
  );
}
