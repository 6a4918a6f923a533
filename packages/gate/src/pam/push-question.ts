/**
 * The words of a push question: who wants to come in where, and for sudo the exact command.
 * @module
 */
import { type Field, isDisplayLine, MAX_FIELDS_BYTES, utf8Length } from '@countersign/core';
import type { Attempt } from './door.ts';

export interface PushQuestion {
  readonly text: string;
  readonly fields: readonly Field[];
}

/** Bytes that all fields may have together, with room for the others beside the command. */
const MAX_COMMAND_BYTES = MAX_FIELDS_BYTES / 2;

/**
 * What is asked about an attempt.
 * @returns nothing where it can't be shown in full: then nobody can consent to it
 */
export function pushQuestion(attempt: Attempt, host: string): PushQuestion | undefined {
  const { service, user, tty, remoteHost, remoteUser, command, folder, peer } = attempt;
  const sudo = command !== undefined;
  const login = peer.uid === 0;
  const fields: [string, string | undefined][] = [
    ['Command', sudo ? quoted(command) : undefined],
    ['In folder', folder],
    ['Host', host],
    ['Service', service],
    ['User', user],
    ['Asked by user', login && remoteUser !== user ? remoteUser : undefined],
    ['From', login ? remoteHost : undefined],
    ['Terminal', tty],
  ];
  const shown = fields.flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [{ name, value: name === 'Command' ? value : readable(value) }],
  );
  const text = sudo
    ? `Run a command as another user on ${host}?`
    : login
      ? `Let ${readable(user)} in on ${host}, by ${readable(service)}?`
      : ownProgramText(user, service, host);
  const question = { text, fields: shown };
  const whole = shown.every(({ value }) => isDisplayLine(value, MAX_COMMAND_BYTES));
  const bytes = shown.reduce((sum, { name, value }) => sum + utf8Length(name + value), 0);
  return whole && isDisplayLine(text) && bytes <= MAX_FIELDS_BYTES ? question : undefined;
}

/** Any program of the user can ask so, and be let on by a yes: only itself, and nowhere else. */
export function ownProgramText(user: string, service: string, host: string): string {
  return `Let a program of ${readable(user)} go on, on ${host}, which says it is ${readable(service)}?`;
}

/** Words as a shell would have to be given them, so that no two commands read alike. */
export function quoted(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) && isDisplayLine(word) ? word : inQuotes(word)))
    .join(' ');
}

/** A value as it stands, or in quotes where a reader could see it otherwise than it is. */
function readable(value: string): string {
  return isDisplayLine(value, MAX_COMMAND_BYTES) && !/^\$?'/.test(value) ? value : inQuotes(value);
}

/** In plain quotes; or in those of bash and zsh, `$'…'`, with a code for each odd character. */
function inQuotes(word: string): string {
  const plain = `'${word.replaceAll("'", `'\\''`)}'`;
  if (isDisplayLine(plain, MAX_COMMAND_BYTES) && !/^ | $| {2}/.test(word)) return plain;
  const codes = word.replace(/[^\w/@%+=,-]/gu, (c) => {
    const code = c.codePointAt(0)!.toString(16).toUpperCase();
    return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`;
  });
  return `$'${codes}'`;
}
