/**
 * What may follow the words typed so far, by the tree of commands. Nothing of it knows a shell.
 * @module
 */
import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** A place for a value, and what was typed around it. */
export interface Place {
  /** The command's words, like `confirm accept`. */
  readonly command: string;
  /** `--profile`, or the name of an argument. */
  readonly name: string;
  /** How many arguments come before. */
  readonly index: number;
  /** Values of the options typed so far, by their long names. */
  readonly options: ReadonlyMap<string, string>;
}

/** Values that the definitions do not tell. */
export type FindValues = (place: Place) => Promise<readonly Candidate[]>;

/** Words of placeholders that are paths, which a shell completes best itself. */
const PATHS: ReadonlySet<string> = new Set(['file', 'folder']);

/**
 * @param words the typed words after the program's name; the last is the one being typed, perhaps empty
 * @returns words that begin with the last one, or that a path is wanted
 */
export async function complete(
  program: Command,
  words: readonly string[],
  findValues: FindValues,
): Promise<readonly Candidate[] | 'files'> {
  const typed = words.at(-1) ?? '';
  const line = readLine(program, words.slice(0, -1));
  const { command, waiting, path, index, options } = line;
  const valuesOf = async (of: Option | Argument, name: string, placeholder: string) => {
    if (of.argChoices !== undefined) return of.argChoices.map((value) => ({ value, description: '' }));
    if (PATHS.has(placeholder)) return 'files';
    return findValues({ command: path.join(' '), name, index, options });
  };
  if (waiting !== undefined) {
    return beginning(typed, await valuesOf(waiting, waiting.long ?? waiting.flags, placeholderOf(waiting)));
  }
  if (typed.startsWith('-') && !line.optionsEnded) {
    const cut = typed.indexOf('=');
    if (cut === -1) return beginning(typed, optionNames(command));
    const option = findOption(command, typed.slice(0, cut));
    if (option === undefined || !takesValue(option)) return [];
    const values = await valuesOf(option, option.long ?? option.flags, placeholderOf(option));
    if (values === 'files') return values;
    const name = typed.slice(0, cut + 1);
    return beginning(
      typed,
      values.map(({ value, description }) => ({ value: name + value, description })),
    );
  }
  const children = command.createHelp().visibleCommands(command);
  if (children.length > 0) {
    if (index > 0) return [];
    return beginning(
      typed,
      children.map((child) => ({ value: child.name(), description: child.description() })),
    );
  }
  const argument =
    command.registeredArguments[index] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
  return argument === undefined
    ? []
    : beginning(typed, await valuesOf(argument, argument.name(), argument.name()));
}

interface Line {
  readonly command: Command;
  readonly path: readonly string[];
  readonly index: number;
  readonly options: ReadonlyMap<string, string>;
  /** The option whose value comes next. */
  readonly waiting: Option | undefined;
  /** `--` was typed. */
  readonly optionsEnded: boolean;
}

function readLine(program: Command, words: readonly string[]): Line {
  let command = program;
  const path: string[] = [];
  const options = new Map<string, string>();
  let index = 0;
  let waiting: Option | undefined;
  let optionsEnded = false;
  for (const word of words) {
    if (waiting !== undefined) {
      options.set(waiting.long ?? waiting.flags, word);
      waiting = undefined;
    } else if (word === '--') {
      optionsEnded = true;
    } else if (word.startsWith('-') && !optionsEnded) {
      const cut = word.indexOf('=');
      const option = findOption(command, cut === -1 ? word : word.slice(0, cut));
      if (option === undefined || !takesValue(option)) continue;
      if (cut === -1) waiting = option;
      else options.set(option.long ?? option.flags, word.slice(cut + 1));
    } else {
      const child = index === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (child === undefined) {
        index++;
      } else {
        command = child;
        path.push(word);
      }
    }
  }
  return { command, path, index, options, waiting, optionsEnded };
}

function findOption(command: Command, word: string): Option | undefined {
  return command.options.find(({ short, long }) => word === short || word === long);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** `file` of `--out <file>`. */
function placeholderOf(option: Option): string {
  return /[<[](.*?)(?:\.\.\.)?[>\]]$/.exec(option.flags)?.[1] ?? '';
}

function optionNames(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
}

function beginning(
  typed: string,
  candidates: readonly Candidate[] | 'files',
): readonly Candidate[] | 'files' {
  return candidates === 'files' ? candidates : candidates.filter(({ value }) => value.startsWith(typed));
}
