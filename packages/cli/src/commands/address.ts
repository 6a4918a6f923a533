/**
 * `countersign account address`: where an account is told by e-mail that its devices change.
 * @module
 */
import type { Command } from 'commander';
import { time } from '../device-text.ts';
import { type Cli, show, withProfile } from './context.ts';

export function addAddressCommands(account: Command, cli: Cli): void {
  const address = account
    .command('address')
    .description('e-mail addresses that are told when a device comes, goes, or a recovery begins');

  address
    .command('add')
    .description('have a code sent to an address; `confirm` with it makes it one that is told')
    .argument('<address>', 'an e-mail address')
    .action((added: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        await (await profile.device()).addresses.add(added);
        show(cli, json, { address: added, sent: true }, () =>
          [
            `A code was sent to ${added}; it is good for ten minutes.`,
            `→ countersign account address confirm ${added} <code>`,
          ].join('\n'),
        );
      }),
    );

  address
    .command('confirm')
    .description('give back the code that was sent there')
    .argument('<address>', 'the address')
    .argument('<code>', 'its six digits')
    .action((confirmed: string, code: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        await (await profile.device()).addresses.confirm(confirmed, code.replace(/\s/g, ''));
        show(cli, json, { address: confirmed, told: true }, () => `${confirmed} is told from now on.`);
      }),
    );

  address
    .command('list')
    .description('list the addresses that are told')
    .action((_options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const addresses = await (await profile.device()).addresses.list();
        show(cli, json, { addresses }, () =>
          addresses.length === 0
            ? 'No address is told. → countersign account address add <address>'
            : addresses.map((one) => `${one.address}  since ${time(one.since)}`).join('\n'),
        );
      }),
    );

  address
    .command('remove')
    .description('tell an address no more; it is told so, and so are the others')
    .argument('<address>', 'the address')
    .action((removed: string, _options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        await (await profile.device()).addresses.remove(removed);
        show(cli, json, { address: removed, told: false }, () => `${removed} is told no more.`);
      }),
    );
}
