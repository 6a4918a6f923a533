/**
 * The commands of a commander tree, one heading each.
 * @module
 */
import type { Argument, Command, Option } from 'commander';
import { code, sentence, table } from './markdown.ts';

/** What a reader may type: neither hidden commands nor commander's own `help`. */
export function visibleCommands(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
}

export function commandPages(program: Command, commands: readonly Command[]): string {
  const everywhere = ownOptions(program, []);
  return [
    `${sentence(program.description())} Every command has \`--help\`. Everywhere but in \`broker\`, \`cosign\` and \`validator\`:`,
    table(['', ''], everywhere.map(optionRow)),
    ...commands.flatMap((command) => pagesOf(command, '', everywhere)),
  ].join('\n\n');
}

/** The pages of a program of its own. */
export function programPages(program: Command): string {
  return pagesOf(program, '', []).join('\n\n');
}

function pagesOf(command: Command, parents: string, everywhere: readonly Option[]): string[] {
  const name = `${parents}${command.name()}`;
  const children = visibleCommands(command);
  const rows = [
    ...command.registeredArguments.map(argumentRow),
    ...ownOptions(command, everywhere).map(optionRow),
  ];
  const path = name.replace(/^countersign /, '');
  const usage = command.registeredArguments.map(placeholder);
  return [
    `### ${code([...(name.startsWith('countersign-') ? [] : ['countersign']), path, ...usage].join(' '))}`,
    sentence(command.description()),
    ...(rows.length === 0 ? [] : [table(['', ''], rows)]),
    ...children.flatMap((child) => pagesOf(child, `${name} `, everywhere)),
  ];
}

/** A command's options, but for those that every command has, and help. */
function ownOptions(command: Command, everywhere: readonly Option[]): Option[] {
  const known = new Set(['--help', '--version', ...everywhere.map(({ long }) => long)]);
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => !known.has(long));
}

function placeholder(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

function argumentRow(argument: Argument): [string, string] {
  return [code(placeholder(argument)), meaning(argument, argument.description)];
}

function optionRow(option: Option): [string, string] {
  const needed = option.mandatory ? ' Required.' : '';
  return [code(option.flags), meaning(option, option.description) + needed];
}

function meaning(
  { argChoices, defaultValue, defaultValueDescription }: Argument | Option,
  description: string,
): string {
  const choices = argChoices === undefined ? '' : ` One of ${argChoices.map(code).join(', ')}.`;
  const standard = defaultValueDescription ?? (defaultValue === undefined ? '' : code(String(defaultValue)));
  return `${sentence(description)}${choices}${standard === '' ? '' : ` By default ${standard}.`}`;
}
