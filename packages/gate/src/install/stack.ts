/**
 * Lines for PAM's stacks, by how the gate stands to passwords. Text only.
 * @module
 */

/** `beside`: either opens. `both`, `before`: each is needed, the password first or last. `instead`: no password is asked for. */
export const STANDS = ['beside', 'both', 'before', 'instead'] as const;
export type Stand = (typeof STANDS)[number];

export interface StackLine {
  readonly stand: Stand;
  /** Options of pam_countersign(8), each a word. */
  readonly options: readonly string[];
}

export const MODULE = 'pam_countersign.so';
/** Where the module looks for the daemon, unless it is told. */
export const DEFAULT_SOCKET = '/run/countersign/pam.sock';

const PRIORITY = 900;

/** A word of a stack's line; one with a space stands in brackets (pam.conf(5)). */
export function pamWord(word: string): string {
  if (!/[\s[\]]/.test(word)) return word;
  return `[${word.replaceAll(']', '\\]')}]`;
}

/** The options in a stack's line, each a word; nothing where it is not our module's. */
export function optionsIn(line: string): string[] | undefined {
  const [, words] = /^[^#]*\bpam_countersign\.so(?:\s+([^#]*))?(?:#|$)/.exec(line) ?? [];
  if (words === undefined) return /^[^#]*\bpam_countersign\.so\s*(?:#|$)/.test(line) ? [] : undefined;
  return (words.match(/\[(?:\\.|[^\]])*\]|\S+/g) ?? []).map((word) =>
    word.startsWith('[') ? word.slice(1, -1).replaceAll('\\]', ']') : word,
  );
}

/** Options, with others in the place of those of the same name. */
export function withOptions(options: readonly string[], others: readonly string[]): string[] {
  const name = (word: string) => word.split('=', 1)[0];
  const named = new Set(others.map(name));
  return [...options.filter((word) => !named.has(name(word))), ...others];
}

export function socketIn(options: readonly string[]): string {
  return options.find((word) => word.startsWith('socket='))?.slice('socket='.length) ?? DEFAULT_SOCKET;
}

function moduleWords({ options }: StackLine): string {
  return [MODULE, ...options.map(pamWord)].join(' ');
}

/** A profile of pam-auth-update(8). */
export function pamAuthUpdateProfile(line: StackLine): string {
  const words = moduleWords(line);
  // With pam-auth-update, what is needed beside the password comes after it.
  const [type, control] = {
    beside: ['Primary', '[success=end default=ignore]'],
    both: ['Additional', 'required'],
    before: ['Primary', '[success=ignore default=die]'],
    instead: ['Primary', '[success=end default=die]'],
  }[line.stand] as [string, string];
  return [
    'Name: Countersign: sign on with a validator or a device',
    'Default: yes',
    `Priority: ${PRIORITY}`,
    `Auth-Type: ${type}`,
    'Auth:',
    `\t${control}\t${words}`,
    '',
  ].join('\n');
}

/** What to write by hand, above the line of the password's module, in the file of a service; `both` goes below it. */
export function byHand(line: StackLine): string {
  const control = { beside: 'sufficient', both: 'required', before: 'requisite', instead: 'required' }[
    line.stand
  ];
  return `auth ${control} ${moduleWords(line)}`;
}
