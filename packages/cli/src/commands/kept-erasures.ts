/**
 * `countersign device keep-validator`: what kills the pairs of this device's validator, kept for the other devices.
 * @module
 */
import { type KeptErasure, keepErasures, type LostPairs } from '@countersign/client/m-auth';
import { defaultValidatorFolder } from '@countersign/client/node';
import { makeVisible } from '@countersign/core';
import type { Command } from 'commander';
import { type Cli, show, withProfile } from './context.ts';

export function addKeepValidatorCommand(device: Command, cli: Cli): void {
  device
    .command('keep-validator')
    .description(
      'keep the erase statements of this device’s validator, sealed for your other devices: `device lost` sends them to the hosts',
    )
    .option('--store <folder>', 'where the validator keeps its keys; or set COUNTERSIGN_VALIDATOR')
    .action((options: { store?: string }, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const folder =
          options.store ??
          cli.variables.COUNTERSIGN_VALIDATOR ??
          defaultValidatorFolder(cli.variables.XDG_CONFIG_HOME);
        const client = await profile.device();
        using opened = await profile.openValidator(folder);
        const records = (await opened.book.list()).map(({ record }) => record);
        const kept = await keepErasures(client.rooms, await client.session.kid(), records);
        show(cli, json, { kept, pairs: records.length }, () =>
          kept === 0
            ? 'Nothing new to keep.'
            : `Kept: ${kept}. Should this device be lost, \`countersign device lost\` on another one tells the hosts.`,
        );
      }),
    );
}

export function lostPairsText({ erased, unconfirmed, unread }: LostPairs): string[] {
  const name = ({ account, host }: KeptErasure) => `${makeVisible(account)}@${makeVisible(host)}`;
  return [
    ...(unread === undefined
      ? []
      : [
          `What was kept of its validator can’t be read: ${unread.message}. Run this again, or show the erase statement.`,
        ]),
    ...erased.map(
      (one) => `Its pair with ${name(one)} was erased there; a validator that is found is paired anew.`,
    ),
    ...unconfirmed.map(
      (one) =>
        `${name(one)} has not confirmed that its pair is gone: unless it did before, run this again, or show the erase statement there.`,
    ),
  ];
}
