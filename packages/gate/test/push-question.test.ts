import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDisplayLine } from '@countersign/core';
import fc from 'fast-check';
import type { Attempt } from '../src/pam/door.ts';
import { pushQuestion, quoted } from '../src/pam/push-question.ts';

const attempt: Attempt = {
  service: 'sshd',
  user: 'alice',
  mode: 'push',
  style: 'prompt',
  qr: 'none',
  peer: { pid: 1, uid: 0, gid: 0 },
  deadline: 0,
  signal: new AbortController().signal,
};

function commandShown(command: readonly string[]): string | undefined {
  const question = pushQuestion({ ...attempt, service: 'sudo', command }, 'host');
  return question?.fields.find(({ name }) => name === 'Command')?.value;
}

test('a login is asked with all that the service knows of it', () => {
  const more = { tty: 'ssh', remoteHost: '198.51.100.7', remoteUser: 'bob' };
  assert.deepEqual(pushQuestion({ ...attempt, ...more }, 'db1'), {
    text: 'Let alice in on db1, by sshd?',
    fields: [
      { name: 'Host', value: 'db1' },
      { name: 'Service', value: 'sshd' },
      { name: 'User', value: 'alice' },
      { name: 'Asked by user', value: 'bob' },
      { name: 'From', value: '198.51.100.7' },
      { name: 'Terminal', value: 'ssh' },
    ],
  });
});

test('a program of the user’s own is asked about as such, whatever it says it is', () => {
  const forged = { remoteHost: '198.51.100.7', remoteUser: 'bob' };
  assert.deepEqual(pushQuestion({ ...attempt, ...forged, peer: { pid: 1, uid: 1000, gid: 1000 } }, 'db1'), {
    text: 'Let a program of alice go on, on db1, which says it is sshd?',
    fields: [
      { name: 'Host', value: 'db1' },
      { name: 'Service', value: 'sshd' },
      { name: 'User', value: 'alice' },
    ],
  });
});

describe('the command', () => {
  test('stands as a shell would need it', () => {
    assert.equal(
      commandShown(['sudo', '-u', 'bob', 'rm', "it's", 'a b', '']),
      `sudo -u bob rm 'it'\\''s' 'a b' ''`,
    );
  });

  test('two commands never read alike', () => {
    const words = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(words, words, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const shown = commandShown(one);
        assert.ok(shown !== undefined && isDisplayLine(shown, 8192), JSON.stringify(one));
        assert.notEqual(shown, commandShown(other));
      }),
      { numRuns: process.env.SLOW ? 10_000 : 200 },
    );
  });

  for (const [what, word, shown] of [
    ['a direction mark', 'a\u202Eb', `sudo $'a\\u202Eb'`],
    ['a new line', 'a\nb', `sudo $'a\\u000Ab'`],
    ['a code that is spelled out', 'a\\u000Ab', `sudo 'a\\u000Ab'`],
    ['a link', 'https://example.com', `sudo $'https\\u003A//example\\u002Ecom'`],
    ['a row of spaces', 'a   b', `sudo $'a\\u0020\\u0020\\u0020b'`],
  ] as const) {
    test(`${what} is made visible, and shown`, () => {
      assert.equal(commandShown(['sudo', word]), shown);
    });
  }

  test('that is too long to be shown is not asked', () => {
    assert.equal(pushQuestion({ ...attempt, command: ['sudo', 'x'.repeat(5000)] }, 'host'), undefined);
  });
});

test('words without need stay bare', () => {
  assert.equal(quoted(['ls', '-l', '/etc/pam.d/su']), 'ls -l /etc/pam.d/su');
});
