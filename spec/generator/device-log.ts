/**
 * Vectors of following a device log.
 * @module
 */
import { createGenesis } from '@countersign/core';
import { addEntry, newAccount, type TestAccount, withDevice, withoutDevice } from './accounts.ts';
import { ALICE, foundIn } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { invalid, type VectorFile, valid } from './vector.ts';
import { NOW, seeded, testDevice } from './world.ts';

export async function deviceLog(memory: Memory): Promise<VectorFile> {
  const one = await newAccount(memory, ALICE);
  const two = await withDevice(one, 'phone');
  const three = await withoutDevice(two, two.devices[1]!.kid);
  const fork = await withDevice(one, 'fork');
  // The same keys under the same name, and another time: another account.
  const crypto = seeded('another genesis');
  const { d: _, ...key } = one.epochs[0]!;
  const again = await createGenesis(crypto, {
    name: ALICE,
    signer: one.devices[0]!.signer,
    enc: one.devices[0]!.opener.publicKey,
    deviceName: 'laptop',
    epoch: { key, privateKey: JSON.stringify(one.epochs[0]) },
    now: NOW,
  });
  const follow = (pinned: TestAccount, offered: readonly string[], from = 0) => ({
    pinned: pinned.log.entries,
    offered,
    from,
  });
  const good = async (name: string, comment: string, pinned: TestAccount, found: TestAccount, from = 0) =>
    valid(name, comment, follow(pinned, found.log.entries.slice(from), from), await foundIn(found));
  const { entries } = three.log;
  return {
    description:
      'What a reader that pinned a log makes of the entries that it is offered, from number `from` on.',
    spec: 'device-log.md#pinning',
    vectors: [
      await good('same', 'the log that was pinned', three, three),
      await good('longer', 'it has grown', one, three),
      await good('from-head', 'only the entries from the pinned head on', two, three, 1),
      await good('from-head-same', 'nothing new', three, three, three.log.head.seq),
      invalid(
        'rollback',
        'shorter than the one that was pinned: a revocation is hidden',
        'log-rollback',
        follow(three, two.log.entries),
      ),
      invalid('rollback-empty', 'nothing at all', 'log-rollback', follow(two, [], 1)),
      invalid('fork', 'another entry where one was pinned', 'log-fork', follow(two, fork.log.entries)),
      invalid(
        'fork-from-head',
        'so where only the head is offered',
        'log-fork',
        follow(two, fork.log.entries.slice(1), 1),
      ),
      invalid('account-changed', 'another first entry', 'account-changed', follow(two, [again.jws])),
      invalid(
        'shorter-fork',
        'a fork is found where it is, though the log is shorter too',
        'log-fork',
        follow(three, fork.log.entries),
      ),
      invalid(
        'next-not-good',
        'a new entry that does not follow',
        'log-invalid',
        follow(two, [...two.log.entries, entries[3]!]),
      ),
      invalid(
        'next-by-stranger',
        'a new entry by a device that is not in the account',
        'device-unknown',
        follow(two, [
          ...two.log.entries,
          await addEntry(two, await testDevice(memory, 'x'), 'x', { by: await testDevice(memory, 'broker') }),
        ]),
      ),
    ],
  };
}
