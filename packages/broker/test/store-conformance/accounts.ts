/**
 * What every store must do with accounts, their logs, devices and addresses.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Device, formatTreeLeaf, subtreesOf } from '@countersign/core';
import { naiveLeaf, naiveRoot } from '../../../core/test/naive-tree.ts';
import type { AccountRow, NewEnrolment } from '../../src/store/store.ts';
import { codeIs, type Fixture, hash, NOW } from './fixture.ts';

export function accountsConform({ account, acquainted, withStore }: Fixture): void {
  test('a name is taken once, also by two at once', () =>
    withStore(async (store) => {
      const head = { seq: 0, hash: hash() };
      const made = {
        name: 'x@example.com',
        identity: head.hash,
        head,
        epoch: 0,
        devices: new Map(),
        entries: ['e'],
      };
      const results = await Promise.allSettled([
        store.createAccount(made, NOW),
        store.createAccount(made, NOW),
      ]);
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      await assert.rejects(store.createAccount(made, NOW), codeIs('account-exists'));
      assert.equal(await store.findAccount('y@example.com'), undefined);
    }));

  test('an account and its log are there after a restart', () =>
    withStore(async (store, reopen) => {
      const alice = await account(store);
      const next = {
        head: { seq: 2, hash: hash() },
        epoch: 1,
        devices: new Map(),
        entries: ['second', 'third'],
      };
      await store.appendLog(alice.id, alice.head, next);
      const again = await reopen();
      const { head, epoch } = (await again.findAccount(alice.name))!;
      assert.deepEqual({ head, epoch }, { head: next.head, epoch: 1 });
      assert.deepEqual(await again.readLog(alice.id, 0), ['first', 'second', 'third']);
      assert.deepEqual(await again.readLog(alice.id, 2), ['third']);
    }));

  const enrolment = (accountId: number, change: Partial<NewEnrolment> = {}): NewEnrolment => ({
    accountId,
    hash: hash(),
    kid: hash(),
    jws: 'a.b.c',
    exp: NOW + 600,
    ...change,
  });
  const invitation = { ticket: 'ticket', uses: 'many', exp: NOW + 3600, jws: 'invite' } as const;

  test('a ticket for one lets one device wait, also of two at once; a retry is the same', () =>
    withStore(async (store) => {
      const { id: accountId } = await account(store);
      await store.createInvitation({ ...invitation, accountId, uses: 'one' });
      const [one, two] = [enrolment(accountId), enrolment(accountId)];
      const posted = await Promise.all([one, two].map((each) => store.postEnrolment(each, 'ticket', NOW)));
      assert.deepEqual(
        posted.map(({ outcome }) => outcome),
        ['posted', 'pin-used'],
      );
      assert.equal((await store.postEnrolment(one, 'ticket', NOW)).outcome, 'same');
      assert.equal((await store.postEnrolment(two, 'other', NOW)).outcome, 'pin-wrong');
      assert.deepEqual(
        (await store.listEnrolments(accountId, NOW)).map((row) => [row.hash, row.invitation]),
        [[one.hash, 'invite']],
      );
      assert.deepEqual(await store.listEnrolments(accountId, NOW + 600), []);
      assert.deepEqual(await store.readNotices(accountId, NOW), [
        { kind: 'pin-used', count: 1, first: NOW, newest: NOW },
      ]);
      assert.deepEqual(await store.readNotices(accountId, NOW + 1), []);
    }));

  test('what is kept from the devices is an event once an hour, counted, and forgotten in time', () =>
    withStore(async (store, reopen) => {
      const { id: accountId } = await account(store);
      await store.createInvitation({ ...invitation, accountId, uses: 'one', exp: NOW + 86_400 });
      await store.postEnrolment(enrolment(accountId), 'ticket', NOW);
      const events = [];
      for (const at of [NOW, NOW + 1, NOW + 2, NOW + 3600]) {
        const kept = await store.postEnrolment(enrolment(accountId), 'ticket', at);
        assert.equal(kept.outcome, 'pin-used');
        if ('event' in kept) events.push([kept.event!.kind, at]);
      }
      assert.deepEqual(events, [
        ['notice', NOW],
        ['notice', NOW + 3600],
      ]);
      const again = await reopen();
      const notice = { kind: 'pin-used', first: NOW, newest: NOW + 3600, count: 4 };
      assert.deepEqual(await again.readNotices(accountId, NOW), [notice]);
      assert.equal(await again.pruneNotices(NOW + 3), 1);
      assert.deepEqual(await again.readNotices(accountId, 0), [{ ...notice, first: NOW + 3600, count: 1 }]);
    }));

  test('an invitation that was taken back lets nobody wait, and is no longer among those that stand', () =>
    withStore(async (store, reopen) => {
      const { id: accountId } = await account(store);
      for (const [ticket, uses] of [
        ['one', 'one'],
        ['used', 'one'],
        ['many', 'many'],
        ['kept', 'many'],
      ] as const) {
        await store.createInvitation({ ...invitation, accountId, ticket, uses, jws: ticket });
      }
      await store.createInvitation({ ...invitation, accountId, ticket: 'kept', jws: 'another' });
      await store.postEnrolment(enrolment(accountId), 'used', NOW);
      assert.deepEqual(await store.listInvitations(accountId, NOW), ['one', 'many', 'kept']);
      const cancel = (ticket: string, now = NOW) => store.cancelInvitation(accountId, ticket, 'back', now);
      assert.deepEqual(
        [await cancel('one'), await cancel('many'), await cancel('many'), await cancel('used')],
        ['cancelled', 'cancelled', 'cancelled', 'pin-used'],
      );
      assert.deepEqual(
        [await cancel('none'), await cancel('kept', NOW + 3600)],
        ['pin-wrong', 'pin-expired'],
      );
      const again = await reopen();
      assert.deepEqual(await again.listInvitations(accountId, NOW), ['kept']);
      for (const ticket of ['one', 'many']) {
        assert.equal((await again.postEnrolment(enrolment(accountId), ticket, NOW)).outcome, 'pin-cancelled');
      }
      assert.deepEqual(await again.listInvitations(accountId, NOW + 3600), []);
    }));

  test('a device is let in once, with the entry that does so, and hidden until it is complete', () =>
    withStore(async (store, reopen) => {
      const alice = await account(store);
      await store.createInvitation({ ...invitation, accountId: alice.id });
      const posted = await store.postEnrolment(enrolment(alice.id), 'ticket', NOW);
      assert.ok('enrolment' in posted);
      const { kid } = posted.enrolment;
      const devices = new Map([[kid, { kid } as Device]]);
      const next = { head: { seq: 1, hash: hash() }, epoch: 0, devices, entries: ['add'] };
      const accepted = { enrolment: posted.enrolment, statement: 'accept' };
      await store.appendLog(alice.id, alice.head, next, accepted);
      assert.equal((await store.findAccount(alice.name))!.devices.size, 0);
      const later = { head: { seq: 2, hash: hash() }, epoch: 1, devices, entries: ['epoch'] };
      await assert.rejects(
        store.appendLog(alice.id, next.head, later, accepted),
        codeIs('enrolment-settled'),
      );
      assert.deepEqual(await store.readLog(alice.id, 1), ['add']);
      await store.appendLog(alice.id, next.head, later);
      assert.equal((await store.findAccount(alice.name))!.devices.size, 0);
      assert.equal(await store.settleEnrolment(posted.enrolment, 'rejected', 'no', NOW), undefined);
      assert.ok(await store.settleEnrolment(posted.enrolment, 'complete', 'done', NOW + 9999));
      assert.equal(await store.settleEnrolment(posted.enrolment, 'complete', 'done', NOW), undefined);
      const again = await reopen();
      assert.deepEqual([...(await again.findAccount(alice.name))!.devices.keys()], [kid]);
      const row = (await again.findEnrolment(alice.id, posted.enrolment.hash))!;
      assert.deepEqual([row.state, row.outcome], ['complete', 'done']);
    }));

  test('a device whose entry comes too late for the head goes on waiting', () =>
    withStore(async (store) => {
      const alice = await account(store);
      await store.createInvitation({ ...invitation, accountId: alice.id });
      const posted = await store.postEnrolment(enrolment(alice.id), 'ticket', NOW);
      assert.ok('enrolment' in posted);
      const next = { head: { seq: 1, hash: hash() }, epoch: 0, devices: new Map(), entries: ['add'] };
      const accepted = { enrolment: posted.enrolment, statement: 'accept' };
      const late = store.appendLog(alice.id, { seq: 5, hash: hash() }, next, accepted);
      await assert.rejects(late, codeIs('log-conflict'));
      assert.equal((await store.listEnrolments(alice.id, NOW)).length, 1);
      await store.appendLog(alice.id, alice.head, next, accepted);
    }));

  test('what waits past its time can no longer be rejected', () =>
    withStore(async (store) => {
      const { id: accountId } = await account(store);
      await store.createInvitation({ ...invitation, accountId });
      const posted = await store.postEnrolment(enrolment(accountId), 'ticket', NOW);
      assert.ok('enrolment' in posted);
      assert.equal(await store.settleEnrolment(posted.enrolment, 'rejected', 'no', NOW + 600), undefined);
      assert.ok(await store.settleEnrolment(posted.enrolment, 'rejected', 'no', NOW + 599));
    }));

  test('of two appends at once one wins, and the other is told', () =>
    withStore(async (store) => {
      const alice = await account(store);
      const next = () => ({
        head: { seq: 1, hash: hash() },
        epoch: 1,
        devices: new Map(),
        entries: ['second'],
      });
      const results = await Promise.allSettled([
        store.appendLog(alice.id, alice.head, next()),
        store.appendLog(alice.id, alice.head, next()),
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
      assert.equal((results[1] as PromiseRejectedResult).reason.code, 'log-conflict');
      assert.deepEqual(await store.readLog(alice.id, 0), ['first', 'second']);
    }));

  test('every account and every append adds one leaf to the tree, and nothing else does', () =>
    withStore(async (store, reopen) => {
      const leaves: string[] = [];
      const logged = (account: AccountRow, head = account.head) => {
        leaves.push(formatTreeLeaf({ ...account, head }));
        return head;
      };
      assert.equal(await store.tree.size(), 0);
      const alice = await account(store);
      logged(alice);
      const next = {
        head: { seq: 2, hash: hash() },
        epoch: 0,
        devices: new Map(),
        entries: ['second', 'third'],
      };
      await store.appendLog(alice.id, alice.head, next);
      logged(alice, next.head);
      await assert.rejects(store.appendLog(alice.id, alice.head, next), codeIs('log-conflict'));
      await assert.rejects(
        store.createAccount({ ...alice, entries: ['first'] }, NOW),
        codeIs('account-exists'),
      );
      // All at once: they share a transaction.
      const more = await Promise.all(Array.from({ length: 11 }, () => account(store)));
      for (const one of more) logged(one);

      for (const open of [async () => store, reopen]) {
        const { tree } = await open();
        assert.equal(await tree.size(), leaves.length);
        assert.deepEqual(await tree.readLeaves(0, 100), leaves);
        assert.deepEqual(await tree.readLeaves(3, 2), leaves.slice(3, 5));
        assert.deepEqual(await tree.findLeaf(alice.id, 0), { index: 0, leaf: leaves[0] });
        assert.deepEqual(await tree.findLeaf(alice.id, 2), { index: 1, leaf: leaves[1] });
        assert.equal(await tree.findLeaf(alice.id, 1), undefined);
        assert.deepEqual((await tree.findLeaf(more[10]!.id, 0))?.index, 12);
      }
    }));

  test('the tree has the root of every perfect tree in it', () =>
    withStore(async (store) => {
      for (let i = 0; i < 20; i++) await account(store);
      const leaves = (await store.tree.readLeaves(0, 20)).map((leaf) => naiveLeaf(Buffer.from(leaf)));
      for (const to of [1, 4, 7, 16, 20]) {
        const subtrees = subtreesOf({ from: 0, to });
        const roots = await store.tree.readHashes(subtrees);
        for (const [i, { level, n }] of subtrees.entries()) {
          const under = leaves.slice(n * 2 ** level, (n + 1) * 2 ** level);
          assert.deepEqual(Buffer.from(roots[i]!), Buffer.from(naiveRoot(under)));
        }
      }
    }));

  test('addresses are kept apart for each account, so many and no more, and over a restart', () =>
    withStore(async (store, reopen) => {
      const { alice, host } = await acquainted(store);
      await store.saveAddress(alice.id, 'a@mail.example', NOW + 1, 2);
      await store.saveAddress(alice.id, 'b@mail.example', NOW, 2);
      await store.saveAddress(alice.id, 'a@mail.example', NOW + 5, 2);
      await assert.rejects(store.saveAddress(alice.id, 'c@mail.example', NOW, 2), codeIs('address-refused'));
      await store.saveAddress(host.id, 'c@mail.example', NOW, 2);
      const again = await reopen();
      assert.deepEqual(await again.listAddresses(alice.id), [
        { address: 'b@mail.example', since: NOW },
        { address: 'a@mail.example', since: NOW + 1 },
      ]);
      assert.equal(await again.removeAddress(host.id, 'a@mail.example'), false);
      assert.equal(await again.removeAddress(alice.id, 'a@mail.example'), true);
      assert.equal((await again.listAddresses(alice.id)).length, 1);
      assert.equal((await again.listAddresses(host.id)).length, 1);
    }));

  test('where a device is told and when it was reached is kept apart for each, and over a restart', () =>
    withStore(async (store, reopen) => {
      const { alice, host } = await acquainted(store);
      const subscription = (n: number) => ({
        endpoint: `https://push.example/${n}`,
        p256dh: 'p',
        auth: 'a',
      });
      assert.deepEqual(await store.readReach(alice.id), []);
      assert.deepEqual(await store.listSubscribers(alice.id), []);
      await store.saveSubscription(alice.id, 'phone', subscription(1));
      await store.saveSubscription(host.id, 'phone', subscription(2));
      assert.deepEqual(await store.listSubscribers(alice.id), [
        { kid: 'phone', subscription: subscription(1) },
      ]);
      await store.noteReached([
        { accountId: alice.id, kid: 'phone', at: NOW },
        { accountId: alice.id, kid: 'laptop', at: NOW + 1 },
      ]);
      await store.notePushed(alice.id, 'phone', NOW + 2);
      await store.saveSubscription(alice.id, 'phone', subscription(3));
      await store.noteReached([{ accountId: alice.id, kid: 'phone', at: NOW + 3 }]);
      const again = await reopen();
      const byKid = (rows: readonly { kid: string }[]) =>
        [...rows].sort((a, b) => a.kid.localeCompare(b.kid));
      assert.deepEqual(byKid(await again.readReach(alice.id)), [
        { kid: 'laptop', reachedAt: NOW + 1 },
        { kid: 'phone', reachedAt: NOW + 3, pushedAt: NOW + 2, subscription: subscription(3) },
      ]);
      // One that was renewed meanwhile stays.
      await again.dropSubscription(alice.id, 'phone', subscription(1).endpoint);
      await again.dropSubscription(host.id, 'phone', subscription(2).endpoint);
      assert.ok((await again.readReach(alice.id)).some((reach) => reach.subscription !== undefined));
      assert.deepEqual(await again.readReach(host.id), [{ kid: 'phone' }]);
      assert.deepEqual(await again.listSubscribers(host.id), []);
      assert.deepEqual(await again.listSubscribers(alice.id), [
        { kid: 'phone', subscription: subscription(3) },
      ]);
      await again.saveSubscription(alice.id, 'phone', undefined);
      assert.deepEqual(await again.listSubscribers(alice.id), []);
      await again.saveSubscription(alice.id, 'laptop', subscription(4));
      assert.deepEqual(await again.listSubscribers(alice.id), [
        { kid: 'laptop', subscription: subscription(4) },
      ]);
      await again.saveSubscription(alice.id, 'laptop', undefined);
      assert.ok((await again.readReach(alice.id)).every((reach) => reach.subscription === undefined));
    }));
}
