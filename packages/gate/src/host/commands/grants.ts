/**
 * `countersign-gate grant|grants|revoke-grant`: for a while, approvers are not asked.
 * @module
 */
import { CountersignError, isDisplayLine, makeVisible } from '@countersign/core';
import { type Command, InvalidArgumentError } from 'commander';
import { systemBootTime } from '../../grants/boot-time.ts';
import { type Grant, grantTimeText, secondsLeft } from '../../grants/grant.ts';
import { grantTime } from '../../program/arguments.ts';
import { askApprovers } from '../../sign-on/approvers.ts';
import { hostAccount } from '../host-account.ts';
import type { ApprovalRule, HostRecords } from '../host-records.ts';
import { type HostCommand, withRecords } from '../program.ts';

interface Options {
  service: string;
  for: number;
  why?: string;
  account?: string;
}

/** How long approvers have, in seconds. */
const ASK_SECONDS = 600;
const OWNER = 'the host’s administrator';

export function addGrantCommands(program: Command): void {
  program
    .command('grant')
    .description(
      'for a while, let a user sign on to one service without asking their approvers; the user’s own validator is needed as ever',
    )
    .argument('<user>')
    .requiredOption('--service <name>', 'for this service alone: sshd, sudo, web, …', line)
    .requiredOption('--for <time>', 'how long, like 45m or 2h; from 1m to 12h', grantTime)
    .option('--why <text>', 'what it is for, as the journal keeps it', line)
    .option('--account <profile>', 'ask the user’s approvers first, by the host’s own account')
    .action((user: string, options: Options, command: Command) =>
      withRecords(command, async (host) => give(host, user, options)),
    );

  program
    .command('grants')
    .description('list the grants that are open')
    .action((_options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        records.grants.sweep();
        const open = records.grants.list();
        const now = systemBootTime();
        const left = (grant: Grant) => Math.ceil(secondsLeft(grant, now));
        show(
          open.map((grant) => ({ ...publicPart(grant), secondsLeft: left(grant) })),
          () =>
            open.length === 0
              ? 'No grant is open.'
              : open
                  .map(
                    (grant) =>
                      `${grant.id.slice(0, 8)}  ${grantText(grant)}; ${grantTimeText(left(grant))} left`,
                  )
                  .join('\n'),
        );
      }),
    );

  program
    .command('revoke-grant')
    .description('end a grant, with the web sessions that were begun under it')
    .argument('<id>', 'as `grants` has it, or its beginning')
    .action((typed: string, _options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const found = records.grants.list().filter(({ id }) => id.startsWith(typed));
        const [grant] = found;
        if (grant === undefined || found.length > 1) {
          throw new CountersignError(
            'usage',
            `${found.length === 0 ? 'no' : 'more than one'} open grant begins with ${typed}`,
            { hint: '`countersign-gate grants` lists them' },
          );
        }
        records.grants.revoke(grant.id, OWNER);
        show({ ...publicPart(grant), revoked: true }, () => `Revoked: ${grantText(grant)}.`);
      }),
    );
}

async function give({ records, show }: HostCommand, user: string, options: Options): Promise<void> {
  const rule = ruleOf(records, user);
  const { service, for: seconds, why, account } = options;
  if (account !== undefined) await ask(records, user, rule, options, account);
  const by = account === undefined ? OWNER : `${rule.needed} of ${rule.of.join(', ')}`;
  // Whose consent it was may have been changed while they were asked.
  if (JSON.stringify(ruleOf(records, user)) !== JSON.stringify(rule)) {
    throw new CountersignError('not-permitted', 'the approvers were changed meanwhile: nothing was opened');
  }
  const grant = records.grants.open({ user, service, seconds, by, ...(why === undefined ? {} : { why }) });
  show(publicPart(grant), () => `Open: ${grantText(grant)}, for ${grantTimeText(seconds)}.`);
}

/** @throws `usage` where nobody would be asked anyway */
function ruleOf(records: HostRecords, user: string): ApprovalRule {
  const { approvals } = records.user(user);
  if (approvals !== undefined) return approvals;
  throw new CountersignError('usage', `no approvers are asked for ${user}: there is nothing to open`, {
    hint: '`countersign-gate approvers` says whose consent is needed',
  });
}

/** @throws `not-permitted` unless enough of them say yes, and nobody no */
async function ask(
  records: HostRecords,
  user: string,
  rule: ApprovalRule,
  { service, for: seconds, why }: Options,
  profile: string,
): Promise<void> {
  const { host } = records.settings;
  const over = new AbortController();
  const stop = () => over.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const agreed = Promise.withResolvers<boolean>();
  let yeses = 0;
  over.signal.addEventListener('abort', () => agreed.resolve(false), { once: true });
  const timer = setTimeout(stop, ASK_SECONDS * 1000);
  const asking = {
    rule,
    requester: records.user(user).account,
    seconds: ASK_SECONDS,
    signal: over.signal,
    heard(yes: boolean) {
      if (!yes) agreed.resolve(false);
      else if (++yeses === rule.needed) agreed.resolve(true);
    },
    unavailable: () => agreed.resolve(false),
  };
  const fields = [
    { name: 'User', value: makeVisible(user) },
    { name: 'Host', value: host },
    { name: 'Service', value: service },
    { name: 'Open for', value: `${grantTimeText(seconds)}, whatever the command or address` },
    ...(why === undefined ? [] : [{ name: 'Why', value: why }]),
  ];
  const text = `May ${makeVisible(user)} sign on to ${host} by ${service}, for ${grantTimeText(seconds)}?`;
  askApprovers(hostAccount(profile), asking, { text, fields, kind: 'approval' });
  try {
    if (await agreed.promise) return;
    throw new CountersignError('not-permitted', 'the approvers did not agree: nothing was opened');
  } finally {
    clearTimeout(timer);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    over.abort();
  }
}

function grantText({ user, service, by, why }: Grant): string {
  const reason = why === '' ? '' : ` (${why})`;
  return `${user} signs on by ${service} without approvers, by the word of ${by}${reason}`;
}

function publicPart({ id, user, service, seconds, by, why, made }: Grant) {
  return { grant: id, user, service, seconds, by, ...(why === '' ? {} : { why }), openedAt: made.now };
}

function line(text: string): string {
  if (isDisplayLine(text, 128)) return text;
  throw new InvalidArgumentError('a line of at most 128 bytes');
}
