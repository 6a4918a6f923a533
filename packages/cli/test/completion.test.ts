import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '@countersign/client';
import { webCrypto } from '@countersign/core/webcrypto';
import { type Candidate, complete, type Place } from '../src/completion.ts';
import { createProgram } from '../src/program.ts';
import { processTerminal } from '../src/terminal.ts';

const program = createProgram({
  crypto: webCrypto,
  clock: systemClock,
  terminal: processTerminal,
  variables: {},
  exit: 0,
  givenHere: false,
});

/** The words that may follow, and the places whose values were asked for. */
async function after(...words: string[]) {
  const asked: Place[] = [];
  const values: readonly Candidate[] = [{ value: 'known', description: '' }];
  const found = await complete(program, words, async (place) => {
    asked.push(place);
    return values;
  });
  return { words: found === 'files' ? found : found.map(({ value }) => value), asked };
}

describe('completion', () => {
  test('knows commands by their beginnings, and hidden ones not', async () => {
    assert.deepEqual((await after('con')).words, ['contact', 'confirm']);
    assert.deepEqual((await after('confirm', 're')).words, ['reject']);
    assert.deepEqual((await after('complete')).words, []);
    const all = await complete(program, [''], async () => []);
    assert.ok(all !== 'files');
    assert.ok(all.length > 5);
    for (const { value, description } of all) assert.notEqual(description, '', value);
  });

  test('knows options after other options, and each command’s own', async () => {
    assert.deepEqual((await after('confirm', 'post', '--pass')).words, ['--passcode']);
    assert.deepEqual((await after('--profile', 'alice', 'confirm', 'reject', '--fr')).words, ['--fraud']);
    assert.deepEqual((await after('confirm', 'accept', '--fr')).words, []);
  });

  test('knows choices, as a word of their own or after =', async () => {
    assert.deepEqual((await after('account', 'create', '--alg', '')).words, ['EdDSA', 'ES256']);
    assert.deepEqual((await after('account', 'create', '--alg=ES')).words, ['--alg=ES256']);
    assert.deepEqual((await after('completion', 'z')).words, ['zsh']);
  });

  test('leaves paths to the shell', async () => {
    assert.equal((await after('confirm', 'verify', 'ABCD', '--out', '')).words, 'files');
    assert.equal((await after('confirm', 'verify', '--out=re')).words, 'files');
    assert.equal((await after('receipt', 'verify', '')).words, 'files');
  });

  test('an option that takes a value in one command and none in another is read by its command', async () => {
    const { words, asked } = await after('confirm', 'accept', '--passcode', '123456', '');
    assert.deepEqual(words, ['known']);
    assert.deepEqual(asked[0]?.name, 'id');
    assert.equal((await after('confirm', 'post', '--passcode', '')).asked[0]?.name, 'account and text');
  });

  test('says of a value which command, argument and profile it is for', async () => {
    const { asked } = await after('--profile', 'old', 'confirm', 'show', '--profile=alice', '--json', '');
    const options = new Map([['--profile', 'alice']]);
    assert.deepEqual(asked, [{ command: 'confirm show', name: 'id', index: 0, options }]);
    assert.equal((await after('watch', '--profile', '')).asked[0]?.name, '--profile');
  });

  test('has no more to say where no more may follow', async () => {
    assert.deepEqual((await after('confirm', 'show', 'ABCD', '')).words, []);
    assert.deepEqual((await after('no-such-command', '')).words, []);
    assert.deepEqual((await after('watch', '')).words, []);
    assert.deepEqual((await after('watch', '--no-such-option=')).words, []);
  });

  test('after -- there are no options', async () => {
    assert.deepEqual((await after('confirm', 'post', '--', '--wa')).words, []);
  });
});
