/**
 * `countersign-gate list|show|disable|enable|remove|erase|account|approvers`: who may sign on.
 * @module
 */
import { nodeNoise } from '@countersign/client/node';
import { CountersignError, parseAccountName } from '@countersign/core';
import { type InterfaceRecord, isErasedBy, parseEraseStatement } from '@countersign/core/m-auth';
import { type Command, InvalidArgumentError } from 'commander';
import { codesOf, dropCodes } from '../../commands/codes.ts';
import { grantTimeText } from '../../grants/grant.ts';
import { grantTime } from '../../program/arguments.ts';
import type { HostRecords, UserSummary } from '../host-records.ts';
import { withRecords } from '../program.ts';

interface ApproverOptions {
  needed?: number;
  own?: string;
  openFor?: number;
}

export function addUserCommands(program: Command): void {
  program
    .command('list')
    .description('list the users who have validators, accounts or approvers')
    .action((_options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const users = records.users();
        show(users.map(summaryJson), () =>
          users.length === 0
            ? 'Nobody is enrolled. `countersign-gate enroll <user>` pairs somebody.'
            : users.map(summaryLine).join('\n'),
        );
      }),
    );

  program
    .command('show')
    .description('show a user’s validators, and what happened lately')
    .argument('<user>')
    .action((user: string, _options, command: Command) =>
      withRecords(command, ({ records, data, show }) => {
        const summary = known(records, data, user);
        const journal = records.journal(user);
        show({ ...summaryJson(summary), journal }, () =>
          [
            summaryLine(summary),
            ...summary.pairs.map(pairText),
            ...journal.map(({ at, service, what }) => `  ${time(at)}  ${service}  ${what}`),
          ].join('\n'),
        );
      }),
    );

  for (const [name, disabled, done] of [
    [
      'disable',
      true,
      'is disabled: no validator and no code of theirs opens anything, and sign-ons in progress are cut',
    ],
    ['enable', false, 'is enabled'],
  ] as const) {
    program
      .command(name)
      .description(
        disabled ? 'let a user sign on no more, from this moment' : 'let a disabled user sign on again',
      )
      .argument('<user>')
      .action((user: string, _options, command: Command) =>
        withRecords(command, ({ records, data, show }) => {
          known(records, data, user);
          const pairs = records.setDisabled(user, disabled);
          show({ user, disabled, pairs }, () => `${user} ${done}.`);
        }),
      );
  }

  program
    .command('remove')
    .description('forget a user: their validators, each set up anew by `enroll`, and their codes on paper')
    .argument('<user>')
    .option('--pair <id>', 'this validator alone; `show` lists them')
    .action((user: string, { pair }: { pair?: string }, command: Command) =>
      withRecords(command, ({ records, data, show }) => {
        const { pairs } = known(records, data, user);
        const codes = pair === undefined ? dropCodes(data, user) : 0;
        const removed = pair === undefined ? records.removeUser(user) : removeOne(records, pairs, pair);
        const more = codes === 0 ? '' : `, and ${codes} ${codes === 1 ? 'code' : 'codes'} of theirs`;
        show(
          { user, removed, codes },
          () => `${removed} ${removed === 1 ? 'validator' : 'validators'} of ${user} removed${more}.`,
        );
      }),
    );

  program
    .command('erase')
    .description(
      'kill the pairs that an erase statement speaks of, when a validator is lost; nobody has to sign on',
    )
    .argument('<statement>', 'countersign-erase:…, as it was shown when the validator was paired')
    .action((statement: string, _options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const parsed = parseEraseStatement(statement);
        const erased = records
          .users()
          .flatMap(({ user, pairs }) => pairs.map((pair) => ({ user, pair })))
          .filter(({ pair }) => isErasedBy(nodeNoise, pair, parsed) && records.removePair(pair.id))
          .map(({ user, pair: { id, validator } }) => ({ user, pair: id, validator }));
        if (erased.length === 0) {
          throw new CountersignError('erase-invalid', 'no pair of this host is known by that statement', {
            hint: 'it may have been erased already',
          });
        }
        show(erased, () => erased.map(({ user, validator }) => `Erased: ${user}, “${validator}”`).join('\n'));
      }),
    );

  program
    .command('account')
    .description(
      'say which account at the broker is a user’s own: it is asked in push mode, and never as one of their approvers; with none, they have none',
    )
    .argument('<user>')
    .argument('[account]', 'like alice@example.com', parseAccountName)
    .action((user: string, account: string | undefined, _options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const { approvals } = records.user(user);
        records.setUser(user, { account, approvals });
        show({ user, account: account ?? null }, () =>
          account === undefined
            ? `${user} has no account here, and is asked by no push.`
            : `${user} is ${account}, whom \`mode=push\` asks.`,
        );
      }),
    );

  program
    .command('approvers')
    .description('say whose consent a user’s sign-ons need, beside their own; with no account, nobody’s')
    .argument('<user>')
    .argument('[accounts...]', 'accounts at the broker, like bob@example.com', accounts)
    .option('--needed <number>', 'how many of them must agree; by default all', needed)
    .option('--own <account>', 'the user’s own account, which is never asked', parseAccountName)
    .option(
      '--open-for <time>',
      'their consent stands for so long, 1m to 12h: they are not asked again for the same service',
      grantTime,
    )
    .action((user: string, of: string[], options: ApproverOptions, command: Command) =>
      withRecords(command, ({ records, data, show }) => {
        const { account } = known(records, data, user);
        const own = options.own ?? account;
        const asked = [...new Set(of)].filter((name) => name !== own);
        const { openFor } = options;
        const rule = {
          needed: options.needed ?? asked.length,
          of: asked,
          ...(openFor === undefined ? {} : { openSeconds: openFor }),
        };
        if (of.length > 0 && (asked.length === 0 || rule.needed > asked.length || asked.length > 16)) {
          throw new CountersignError(
            'usage',
            `${rule.needed} of ${asked.length} can’t agree; at most 16 are asked`,
          );
        }
        records.setUser(user, { account: own, approvals: of.length === 0 ? undefined : rule });
        show({ user, account: own, approvals: of.length === 0 ? null : rule }, () =>
          of.length === 0
            ? `${user} signs on without approvers.`
            : `${user} signs on when ${rule.needed} of ${asked.join(', ')} agree${openFor === undefined ? '' : `, which stands for ${grantTimeText(openFor)}`}.`,
        );
        if (of.length > 0 && own === undefined) {
          process.stderr.write(
            `warning: it is not known which account is ${user}’s own; if it is one of these, they approve themselves. Say it by --own.\n`,
          );
        }
      }),
    );
}

/** Whoever has anything here, were it codes on paper, or that they are disabled. @throws `account-unknown` */
function known(records: HostRecords, data: string, user: string): UserSummary {
  // The host's own code stands under no name, and is not a user's.
  if (user !== '' && (records.knows(user) || codesOf(data, user) > 0)) return records.user(user);
  throw new CountersignError('account-unknown', `${user} has no validator, no account and no codes here`, {
    hint: '`countersign-gate list` shows who has; `enroll` pairs somebody, `account` names an account',
  });
}

function removeOne(records: HostRecords, pairs: readonly InterfaceRecord[], typed: string): number {
  const found = pairs.filter(({ id }) => id.startsWith(typed));
  if (found.length !== 1) {
    throw new CountersignError(
      'account-unknown',
      `${found.length === 0 ? 'no' : 'more than one'} pair begins with ${typed}`,
    );
  }
  return records.removePair(found[0]!.id) ? 1 : 0;
}

function summaryJson({ user, account, approvals, disabled, pairs }: UserSummary) {
  return {
    user,
    ...(account === undefined ? {} : { account }),
    ...(approvals === undefined ? {} : { approvals }),
    disabled,
    // never a key
    pairs: pairs.map(({ id, validator, services, disabled = false, step, failed, alarms, last }) => ({
      id,
      validator,
      services,
      disabled,
      signOns: step,
      failed,
      alarms,
      ...(last === undefined ? {} : { last }),
    })),
  };
}

function summaryLine(summary: UserSummary): string {
  const { user, disabled, pairs, approvals } = summary;
  const alarms = pairs.reduce((sum, pair) => sum + pair.alarms, 0);
  return [
    user,
    pairs.length === 0 ? 'no validator' : pairs.map(({ validator }) => `“${validator}”`).join(', '),
    ...(disabled ? ['disabled'] : []),
    ...(approvals === undefined ? [] : [`${approvals.needed} of ${approvals.of.length} approvers`]),
    ...(alarms === 0 ? [] : [`${alarms} ${alarms === 1 ? 'alarm' : 'alarms'}`]),
  ].join('  ');
}

function pairText({
  id,
  validator,
  services,
  disabled,
  step,
  failed,
  alarms,
  last,
}: InterfaceRecord): string {
  const what = services.includes('*') ? 'everything' : services.join(', ');
  return [
    `  “${validator}” (${id.slice(0, 8)}), for ${what}`,
    `${step} sign-ons`,
    ...(last === undefined ? [] : [`the last ${time(last.time)} at ${last.service}`]),
    ...(failed === 0 ? [] : [`${failed} failed since`]),
    ...(alarms === 0 ? [] : [`${alarms} alarms since`]),
    ...(disabled ? ['disabled'] : []),
  ].join('; ');
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 16);
}

function accounts(text: string, before: readonly string[] = []): string[] {
  return [...before, parseAccountName(text)];
}

function needed(text: string): number {
  if (!/^([1-9]|1[0-6])$/.test(text)) throw new InvalidArgumentError('from 1 to 16');
  return Number(text);
}
