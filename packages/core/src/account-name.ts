/**
 * Account names look like e-mail addresses (RFC 5322's dot-atom in lower case, plain ASCII): `alice@example.com`.
 * @module
 */
import * as v from 'valibot';
import { CountersignError } from './errors.ts';

const LOCAL = '[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const ACCOUNT_NAME = new RegExp(`^(?!.*\\.\\.)${LOCAL}@${LABEL}(?:\\.${LABEL})*$`);

export const AccountName = v.pipe(
  v.string(),
  v.maxLength(254),
  v.regex(ACCOUNT_NAME, 'expected a name like alice@example.com'),
);

/**
 * What a person typed, as an account name: letters are made small, and a trailing slash is ignored.
 * @throws `name-invalid`
 */
export function parseAccountName(text: string): string {
  const name = text.trim().replace(/\/$/, '').toLowerCase();
  if (!v.is(AccountName, name)) {
    throw new CountersignError('name-invalid', `not an account name: ${JSON.stringify(text)}`, {
      hint: 'a name looks like alice@example.com',
    });
  }
  return name;
}
