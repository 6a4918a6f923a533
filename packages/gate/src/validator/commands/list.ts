/**
 * `validator list`: the interfaces that this validator knows.
 * @module
 */
import type { KnownInterface } from '@countersign/client/m-auth';
import { makeVisible } from '@countersign/core';
import type { Command } from 'commander';
import { rulesText } from '../rules-text.ts';
import { folderOf, type GlobalOptions, type Validator, withBook } from '../validator.ts';

export function addListCommand(program: Command, validator: Validator): void {
  program
    .command('list')
    .description('The interfaces that this validator knows, with your rules for them.')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { terminal, variables } = validator;
      const all = folderOf(options, variables).exists
        ? await withBook(validator, options, (book) => book.list())
        : [];
      if (options.json) terminal.print(JSON.stringify({ interfaces: all.map(publicPart) }));
      else if (all.length === 0)
        terminal.tell('None yet: `countersign validator add` pairs this validator with a host.');
      for (const one of options.json ? [] : all) terminal.print(lineOf(one));
    });
}

function lineOf({ label, record, rules }: KnownInterface): string {
  const { account, host, services, addresses, step } = record;
  const facts = `${account} on ${host}, for ${services.join(', ')}; ${step} sign-ons; at ${addresses.join(', ')}`;
  const own = rules === undefined ? '' : `\n  rules: ${rulesText(rules)}`;
  return `${makeVisible(label)}\n  ${makeVisible(facts)}${own}`;
}

/** Nothing secret: neither keys, nor the ratchet, nor the erase token. */
function publicPart({ label, record, rules }: KnownInterface) {
  const { id, account, host, services, addresses, step } = record;
  return { name: label, id, account, host, services, addresses, sign_ons: step, ...(rules && { rules }) };
}
