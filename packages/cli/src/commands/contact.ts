/**
 * `countersign contact`: who may ask you, and whom you ask.
 * @module
 */
import {
  CountersignError,
  isAccountLink,
  parseAccountLink,
  parseAccountName,
  statementId,
} from '@countersign/core';
import type { Command } from 'commander';
import type { Profile } from '../profile.ts';
import { BINDINGS } from './account.ts';
import { type Cli, show, withProfile } from './context.ts';

const DEFAULT = 'default-contact';

export function addContactCommands(program: Command, cli: Cli): void {
  const contact = program.command('contact').description('say who may ask you, and whom you ask');

  contact
    .command('add')
    .description('let an account ask you, and bind its name to its fingerprint')
    .argument('<link or name>', 'the link that its owner gave you; a bare name is taken on first use')
    .option('--default', 'ask this account where `confirm post` names none')
    .action((who: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const device = await profile.device();
        const { book } = device.session;
        const known = isAccountLink(who)
          ? await bindLink(profile, who)
          : await book.find(parseAccountName(who), 60);
        const { name, identity } = known.log;
        await device.contacts.change({ name, identity }, 'allow');
        if (options.default) await profile.state.update('settings', DEFAULT, () => name);
        const id = await statementId(cli.crypto, identity);
        show(cli, json, { name, fingerprint: id, binding: known.binding }, () =>
          [`${name} may ask you.`, `  fingerprint  ${id}  (${BINDINGS[known.binding]})`].join('\n'),
        );
      }),
    );

  contact
    .command('list')
    .description('list your contacts')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const device = await profile.device();
        const { contacts } = await device.contacts.read();
        const standard = await defaultContact(profile);
        const rows = await Promise.all(
          [...contacts.values()].map(async ({ name, identity, policy }) => ({
            name,
            policy,
            fingerprint: await statementId(cli.crypto, identity),
            default: name === standard,
          })),
        );
        show(cli, json, { contacts: rows }, () =>
          rows.length === 0
            ? 'No contacts. `countersign contact add <link>` adds one.'
            : rows
                .map(
                  (row) =>
                    `${row.policy === 'allow' ? 'may ask' : 'blocked'}  ${row.name}  ${row.fingerprint}${row.default ? '  (default)' : ''}`,
                )
                .join('\n'),
        );
      }),
    );

  contact
    .command('remove')
    .description('forget a contact: it may not ask any more, and its fingerprint is no longer known')
    .argument('<name>', 'of the account')
    .action((name: string, _options, command: Command) =>
      withProfile(cli, command, (profile, json) => change(cli, profile, json, name, 'forget')),
    );

  contact
    .command('unblock')
    .description('lift a block; the account is a stranger again, who may send a contact request')
    .argument('<name>', 'of the account')
    .action((name: string, _options, command: Command) =>
      withProfile(cli, command, (profile, json) => change(cli, profile, json, name, 'forget')),
    );
}

/** The account that is asked where a command names none. */
export function defaultContact(profile: Profile): Promise<string | undefined> {
  return profile.state.get<string>('settings', DEFAULT);
}

/** Changes what a contact may do, by name. */
export async function change(
  cli: Cli,
  profile: Profile,
  json: boolean,
  typed: string,
  policy: 'block' | 'forget',
): Promise<void> {
  const device = await profile.device();
  const name = parseAccountName(typed);
  const { contacts } = await device.contacts.read();
  const listed = [...contacts.values()].find((contact) => contact.name === name);
  const { log } = listed === undefined ? await device.session.book.find(name, 60) : { log: listed };
  if (listed === undefined && policy === 'forget') {
    throw new CountersignError('contact-unknown', `${name} is not among your contacts`);
  }
  await device.contacts.change({ name, identity: log.identity }, policy);
  if (policy === 'forget') await device.session.book.forget(name);
  show(cli, json, { name, policy }, () =>
    policy === 'block' ? `${name} is blocked.` : `${name} is forgotten.`,
  );
}

async function bindLink(profile: Profile, text: string) {
  const link = parseAccountLink(text);
  const { book } = (await profile.device()).session;
  const { broker } = await profile.keys();
  if (link.broker !== broker) {
    throw new CountersignError(
      'link-invalid',
      `the link is of an account on another broker, ${link.broker}`,
      {
        hint: `this profile’s account is on ${broker}: both must be on one broker`,
      },
    );
  }
  return book.bind(link.name, link.identity, 'link');
}
