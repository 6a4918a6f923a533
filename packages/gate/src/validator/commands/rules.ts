/**
 * `validator rules`: what this validator answers to an interface without asking.
 * @module
 */
import { parseRules, type SignOnRules } from '@countersign/client/m-auth';
import { CountersignError } from '@countersign/core';
import { type Command, Option } from 'commander';
import { parseDays, parseHours, rulesText } from '../rules-text.ts';
import { type GlobalOptions, needFolder, type Validator, withBook } from '../validator.ts';

interface RuleOptions extends GlobalOptions {
  readonly service?: string[];
  readonly network?: string[];
  readonly hours?: string;
  readonly days?: string;
  readonly otherwise: 'ask' | 'accept';
  readonly clear?: true;
}

export function addRulesCommand(program: Command, validator: Validator): void {
  program
    .command('rules')
    .summary('deny or accept by rule, without being asked')
    .description(
      'Sets the rules for one interface, in place of those it had. What they do not allow is denied without asking; what they allow is asked, or accepted with --otherwise accept.',
    )
    .argument('<name>', 'as `countersign validator list` has it')
    .option('--service <names...>', 'allow only these services')
    .option('--network <networks...>', 'allow only from these networks: 192.0.2.0/24, 2001:db8::/32')
    .option('--hours <from-to>', 'allow only at these hours of this machine’s day: 08:00-18:00')
    .option('--days <days>', 'allow only on these days: mon-fri, or sat,sun')
    .addOption(
      new Option('--otherwise <what>', 'what becomes of the rest').choices(['ask', 'accept']).default('ask'),
    )
    .option('--clear', 'no rules: always ask')
    .action(async (name: string, _, command: Command) => {
      const options = command.optsWithGlobals<RuleOptions>();
      needFolder(validator, options);
      const rules = options.clear === true ? undefined : rulesOf(options);
      await withBook(validator, options, async (book) => {
        const { record } = await book.find(name);
        await book.setRules(record.id, rules);
      });
      const { terminal } = validator;
      if (options.json) terminal.print(JSON.stringify({ name, rules: rules ?? null }));
      else terminal.print(rules === undefined ? 'No rules: always asked.' : rulesText(rules));
    });
}

function rulesOf({ service, network, hours, days, otherwise }: RuleOptions): SignOnRules {
  if (service === undefined && network === undefined && hours === undefined && days === undefined) {
    if (otherwise === 'ask')
      throw new CountersignError('usage', 'no rule was given', { hint: '--clear removes them' });
  }
  return parseRules({
    ...(service && { services: service }),
    ...(network && { networks: network }),
    ...(hours === undefined ? {} : { hours: parseHours(hours) }),
    ...(days === undefined ? {} : { days: parseDays(days) }),
    otherwise,
  });
}
