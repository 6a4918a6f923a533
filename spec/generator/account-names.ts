/**
 * Vectors of account names and links.
 * @module
 */
import { encodeBase64url, formatAccountLink } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { invalid, type VectorFile, valid } from './vector.ts';
import { BROKER, NO_ORIGINS } from './world.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

export function names(): VectorFile {
  const good = (name: string, comment: string, text: string) =>
    valid(name, comment, { text }, { name: text });
  const bad = (name: string, comment: string, text: string) =>
    invalid(name, comment, 'name-invalid', { text });
  return {
    description: 'Account names, as a person typed them.',
    spec: 'statements.md#account-names',
    vectors: [
      good('plain', 'a name', 'alice@example.com'),
      good('punctuation', 'dots, plus, dash, underscore inside', 'a.b+c_d-e@my-host.example'),
      good('one-letter', 'the shortest', 'a@b'),
      valid(
        'upper-case',
        'letters are made small',
        { text: 'Alice@Example.COM' },
        { name: 'alice@example.com' },
      ),
      valid(
        'slash',
        'a slash at the end is ignored',
        { text: 'alice@example.com/' },
        { name: 'alice@example.com' },
      ),
      good('local-64', 'at most 64 characters before the @', `${'a'.repeat(64)}@example.com`),
      bad('local-65', 'and no more', `${'a'.repeat(65)}@example.com`),
      good('label-63', 'at most 63 in a label', `a@${'b'.repeat(63)}.com`),
      bad('label-64', 'and no more', `a@${'b'.repeat(64)}.com`),
      bad(
        'too-long',
        'at most 254 characters',
        `a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(60)}`,
      ),
      bad('no-at', 'an @ is needed', 'alice.example.com'),
      bad('two-ats', 'one of them', 'alice@bob@example.com'),
      bad('no-local', 'something before it', '@example.com'),
      bad('no-domain', 'and after it', 'alice@'),
      bad('dot-first', 'letters or digits at both ends', '.alice@example.com'),
      bad('dot-last', 'letters or digits at both ends', 'alice.@example.com'),
      bad('two-dots', 'no two dots in a row', 'al..ice@example.com'),
      bad('empty-label', 'no empty label', 'alice@example..com'),
      bad('dash-first', 'a label begins with a letter or digit', 'alice@-example.com'),
      bad('dash-last', 'and ends with one', 'alice@example-.com'),
      bad('space', 'no white space inside', 'ali ce@example.com'),
      bad('not-ascii', 'plain ASCII only: look-alikes are refused', 'аlice@example.com'),
      bad('quoted', 'no quoted forms', '"alice"@example.com'),
    ],
  };
}

export async function accountLinks(): Promise<VectorFile> {
  const identity = encodeBase64url(await webCrypto.sha256(bytes('a genesis entry')));
  const link = { name: 'alice@example.com', identity, broker: BROKER };
  const text = formatAccountLink(link);
  const bad = (name: string, comment: string, changed: string) =>
    invalid(name, comment, 'link-invalid', { text: changed });
  return {
    description: 'The link that binds an account’s name to its identity.',
    spec: 'statements.md#account-links',
    vectors: [
      valid('link', 'as its owner gives it', { text }, link),
      ...[
        ['port', 'an origin may have a port', 'http://127.0.0.1:8080'],
        ['ipv6', 'an IPv6 address in its short form', 'https://[2001:db8::1]:8443'],
        ['ipv4-mapped', 'no part of it in decimal', 'http://[::ffff:c000:201]'],
        ['a-label', 'a name outside ASCII in A-labels', 'https://xn--brker-kua.example'],
        ['underscore', 'a name as local networks have it', 'http://broker_1'],
      ].map(([name, comment, broker]) =>
        valid(
          name!,
          comment!,
          { text: formatAccountLink({ ...link, broker: broker! }) },
          { ...link, broker },
        ),
      ),
      valid(
        'order',
        'the parameters may come in any order',
        { text: `countersign:alice@example.com?broker=https%3A%2F%2Fbroker.example&id=${identity}` },
        link,
      ),
      bad('other-scheme', 'another scheme', text.replace('countersign:', 'mailto:')),
      bad('no-identity', 'no id', `countersign:alice@example.com?broker=https%3A%2F%2Fbroker.example`),
      bad('no-broker', 'no broker', `countersign:alice@example.com?id=${identity}`),
      bad('two-identities', 'a parameter twice', `${text}&id=${identity}`),
      bad('more', 'a further parameter', `${text}&x=1`),
      bad('identity-short', 'an id of 31 bytes', text.replace(identity, identity.slice(0, -2))),
      bad(
        'identity-stray-bits',
        'an id that is not canonical',
        text.replace(identity, `${identity.slice(0, -1)}B`),
      ),
      ...NO_ORIGINS.map(([name, comment, broker]) =>
        bad(`broker-${name}`, comment, formatAccountLink({ ...link, broker })),
      ),
      bad('broker-path', 'a broker with a path is no origin', `${text}%2Fpath`),
      bad('broker-scheme', 'an origin of http or https', text.replace('https', 'ftp')),
      invalid('name', 'a name that is none', 'name-invalid', { text: text.replace('alice@', 'alice') }),
    ],
  };
}
