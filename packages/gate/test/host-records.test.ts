import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { nodeNoise } from '@countersign/client/node';
import { HostRecords } from '../src/host/host-records.ts';
import { startHost } from './host.ts';

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'countersign-records-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe('a user who is disabled', () => {
  test('stays so, whatever validators they are given', async () => {
    await using host = await startHost();
    await host.pair('alice');
    host.records.setDisabled('alice', true);
    await host.pair('alice', 'another');
    const { disabled, pairs } = host.records.user('alice');
    assert.deepEqual([disabled, ...pairs.map((pair) => pair.disabled)], [true, true, true]);
    host.records.setDisabled('alice', false);
    const enabled = host.records.user('alice');
    assert.deepEqual(
      [enabled.disabled, ...enabled.pairs.map((pair) => pair.disabled ?? false)],
      [false, false, false],
    );
  });

  test('may be one who has an account, and no validator', () => {
    using at = folder();
    const records = new HostRecords(at.path);
    records.setUser('bob', { account: 'bob@example.com' });
    records.setDisabled('bob', true);
    assert.deepEqual(records.user('bob'), {
      user: 'bob',
      account: 'bob@example.com',
      approvals: undefined,
      disabled: true,
      pairs: [],
    });
    records.removeUser('bob');
    assert.equal(records.user('bob').disabled, false);
    records.close();
  });

  test('was one all of whose pairs were, in the records of the release before', async () => {
    await using host = await startHost();
    await Promise.all(['alice', 'bob'].map((user) => host.pair(user)));
    host.records.setDisabled('alice', true);
    const path = join(host.folder, 'data');
    const before = new DatabaseSync(join(path, 'gate.db'));
    before.exec('DELETE FROM users; ALTER TABLE users DROP COLUMN disabled; PRAGMA user_version = 3');
    before.close();
    const records = new HostRecords(path);
    assert.deepEqual(
      records.users().map(({ user, disabled }) => [user, disabled]),
      [
        ['alice', true],
        ['bob', false],
      ],
    );
    records.close();
  });
});

test('no pair is added by whose erase tag another one is known', async () => {
  await using host = await startHost();
  // A validator that is modified makes its token as it likes: here, the same each time.
  const modified = {
    ...nodeNoise,
    hmac: (key: Uint8Array, message: Uint8Array) =>
      Buffer.from(message).includes('erase pair') ? new Uint8Array(32) : nodeNoise.hmac(key, message),
  };
  await host.pair('mallory', 'one', ['*'], modified);
  await assert.rejects(host.pair('mallory', 'another', ['*'], modified), /not-kept/);
  await host.pair('mallory', 'another');
  assert.equal(host.records.pairsOf('mallory').length, 2);
});

describe('a change with what the journal says of it', () => {
  const entry = { at: 1, user: 'alice', service: 'su', what: 'granted' };
  /** Alice's one pair, as it stands. */
  async function paired() {
    const host = await startHost();
    await host.pair('alice');
    const { id, step } = host.records.pairsOf('alice')[0]!;
    const state = () => [host.records.pairsOf('alice')[0]!.step - step, host.records.journal('alice').length];
    return { host, id, state, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
  }

  test('is kept with it', async () => {
    await using alice = await paired();
    const { host, id, state } = alice;
    const said: number[] = [];
    await host.records.update(
      id,
      (record) => ({ ...record, step: record.step + 1 }),
      (before, after) => {
        said.push(after.step - before.step);
        return entry;
      },
    );
    assert.deepEqual([said, state()], [[1], [1, 1]]);
  });

  test('is not made where that can’t be said', async () => {
    await using alice = await paired();
    const { host, id, state } = alice;
    const refusing = host.records.update(
      id,
      (record) => ({ ...record, step: record.step + 1 }),
      () => {
        throw new Error('no room');
      },
    );
    await assert.rejects(refusing, /no room/);
    assert.deepEqual(state(), [0, 0]);
  });

  test('is nothing said of where nothing is changed', async () => {
    await using alice = await paired();
    const { host, id, state } = alice;
    assert.equal(
      await host.records.update(
        id,
        () => undefined,
        () => entry,
      ),
      false,
    );
    assert.deepEqual(state(), [0, 0]);
  });
});
