import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createEpoch, createRevocation } from '../src/account-entries.ts';
import { activeDevices, type DeviceLog } from '../src/device-log.ts';
import { extendLog, followLog, replayLog } from '../src/replay.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { addEntry, NOW, newAccount, newDevice, newEpoch, type TestAccount, withDevice } from './fixtures.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const follow = (pinned: DeviceLog, offered: readonly string[], from?: number) =>
  followLog(webCrypto, pinned, offered, from);

describe('a reader that pinned a log', () => {
  let pinned: DeviceLog;
  let account: TestAccount;
  let grown: TestAccount;
  let forked: TestAccount;
  let anew: TestAccount;
  before(async () => {
    account = await newAccount('alice@example.com', { devices: 3 });
    pinned = account.log;
    grown = await withDevice(await withDevice(account));
    const early = await replayLog(webCrypto, pinned.entries.slice(0, 2));
    forked = { ...account, log: early };
    for (let i = 0; i < 3; i++) forked = await withDevice(forked);
    anew = await newAccount('alice@example.com', { devices: 5 });
  });

  test('follows it to its new head, from wherever the offer begins', async () => {
    const { entries } = grown.log;
    assert.deepEqual(await follow(pinned, entries), grown.log);
    for (let from = 0; from <= pinned.head.seq + 1; from++) {
      assert.deepEqual(await follow(pinned, entries.slice(from), from), grown.log);
    }
  });

  test('stays where it is when nothing is new', async () => {
    assert.deepEqual(await follow(pinned, pinned.entries), pinned);
    assert.deepEqual(await follow(pinned, pinned.entries.slice(-1), pinned.head.seq), pinned);
    assert.deepEqual(await follow(pinned, [], pinned.head.seq + 1), pinned);
  });

  test('says rollback when the log is shorter', async () => {
    for (const end of [0, 1, 2]) {
      await assert.rejects(follow(pinned, pinned.entries.slice(0, end)), refused('log-rollback'));
    }
    await assert.rejects(follow(pinned, [], pinned.head.seq), refused('log-rollback'));
    await assert.rejects(follow(pinned, pinned.entries.slice(1, 2), 1), refused('log-rollback'));
  });

  test('says fork when the log is another from some entry on, longer or not', async () => {
    const { entries } = forked.log;
    await assert.rejects(follow(pinned, entries), refused('log-fork'));
    await assert.rejects(follow(pinned, entries.slice(0, 3)), refused('log-fork'));
    await assert.rejects(follow(pinned, entries.slice(2), 2), refused('log-fork'));
  });

  test('says that the account changed when even the first entry is another', async () => {
    await assert.rejects(follow(pinned, anew.log.entries), refused('account-changed'));
    await assert.rejects(follow(pinned, anew.log.entries.slice(0, 1)), refused('account-changed'));
  });

  test('says fork, not a changed account, where it did not look at the first entry', async () => {
    await assert.rejects(follow(pinned, anew.log.entries.slice(2), 2), refused('log-fork'));
    await assert.rejects(follow(pinned, anew.log.entries, 2), refused('log-fork'));
  });

  test('refuses new entries that do not belong, behind old ones that do', async () => {
    const foreign = [...pinned.entries, ...anew.log.entries.slice(3)];
    await assert.rejects(follow(pinned, foreign), refused('log-invalid'));
    const skipping = [...pinned.entries, grown.log.entries[4]!];
    await assert.rejects(follow(pinned, skipping), refused('log-invalid'));
    await assert.rejects(follow(pinned, [...pinned.entries, 'x']), refused('statement-malformed'));
  });

  test('keeps the signatures that it checked, whatever signatures are offered again', async () => {
    const unsigned = pinned.entries.map((jws) => `${jws.slice(0, jws.lastIndexOf('.'))}.AA`);
    const followed = await follow(pinned, unsigned);
    assert.deepEqual(followed.entries, pinned.entries);
  });

  test('is left as it was by an offer that is refused', async () => {
    const copy = structuredClone({ ...pinned, devices: [...pinned.devices] });
    await assert.rejects(follow(pinned, [...grown.log.entries, 'x']), refused());
    assert.deepEqual({ ...pinned, devices: [...pinned.devices] }, copy);
  });
});

describe('whatever happens to an account', () => {
  const steps = fc.array(
    fc.record({ what: fc.constantFrom('add', 'add', 'revoke', 'epoch'), by: fc.nat(), whom: fc.nat() }),
    { maxLength: 10 },
  );

  /** One step on, or the same account where the step is not allowed: at least the founder stays. */
  async function step(account: TestAccount, { what, by, whom }: { what: string; by: number; whom: number }) {
    const present = account.devices.filter(
      ({ kid }) => account.log.devices.get(kid)!.revokedAt === undefined,
    );
    const actor = present[by % present.length]!;
    const { log } = account;
    if (what === 'add') {
      const device = await newDevice(by % 2 === 0 ? 'EdDSA' : 'ES256');
      const rights = ['admit', 'answer', 'ask', 'pay', 'recover'] as const;
      const entry = await addEntry(account, actor, device, { rights: [...rights] });
      return {
        ...account,
        log: await extendLog(webCrypto, log, [entry]),
        devices: [...account.devices, device],
      };
    }
    if (what === 'revoke') {
      if (present.length === 1) return account;
      const { kid } = present[1 + (whom % (present.length - 1))]!;
      const entry = await createRevocation(webCrypto, log, actor.signer, kid, 'retired', NOW);
      return { ...account, log: await extendLog(webCrypto, log, [entry.jws]) };
    }
    const epoch = await newEpoch();
    const entry = await createEpoch(webCrypto, log, actor.signer, epoch, NOW);
    return { ...account, log: await extendLog(webCrypto, log, [entry.jws]), epochPrivate: epoch.privateKey };
  }

  test('everyone who replays its log, whole or in pieces, gets the same devices and epochs', async () => {
    const founded = await newAccount('alice@example.com');
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (all, cut) => {
        let account = founded;
        for (const one of all) account = await step(account, one);
        const { entries } = account.log;
        const whole = await replayLog(webCrypto, entries);
        assert.deepEqual(whole, account.log);
        const end = 1 + (cut % entries.length);
        const part = await replayLog(webCrypto, entries.slice(0, end));
        assert.deepEqual(await extendLog(webCrypto, part, entries.slice(end)), whole);
        assert.deepEqual(await follow(part, entries), whole);
        assert.deepEqual(await follow(part, entries.slice(end - 1), end - 1), whole);
        assert.ok(activeDevices(whole).length >= 1);
        assert.equal(whole.epochs.at(-1), whole.epoch);
      }),
      { numRuns: RUNS.numRuns / 2 },
    );
  });
});
