/**
 * What every store must do, whatever it is made of.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type Device, formatTreeLeaf, subtreesOf } from '@countersign/core';
import { naiveLeaf, naiveRoot } from '../../core/test/naive-tree.ts';
import type { AccountRow, NewEnrolment, NewRequest, RequestRow, Store } from '../src/store/store.ts';

const NOW = 1_800_000_000;

function hash(): string {
  return randomBytes(32).toString('base64url');
}

function codeIs(code: string) {
  return (error: { code?: string }) => {
    assert.equal(error.code, code);
    return true;
  };
}

/** @param open a new, empty store; `reopen` closes one and opens what it left behind */
export function storeConformance(
  name: string,
  open: () => Promise<{ store: Store; reopen(): Promise<Store>; dispose(): Promise<void> }>,
): void {
  let serial = 0;

  async function account(store: Store): Promise<AccountRow> {
    const head = { seq: 0, hash: hash() };
    const devices = new Map<string, Device>();
    const named = { name: `a${++serial}@example.com`, identity: head.hash, head, epoch: 0, devices };
    return store.createAccount({ ...named, entries: ['first'] }, NOW);
  }

  async function acquainted(store: Store): Promise<{ alice: AccountRow; host: AccountRow }> {
    const [alice, host] = [await account(store), await account(store)];
    const change = {
      accountId: alice.id,
      contactId: host.id,
      seq: 1,
      head: alice.head,
      policy: 'allow',
      jws: 'allow',
    } as const;
    await store.changeContact(change, NOW);
    return { alice, host };
  }

  function request(alice: AccountRow, host: AccountRow, change: Partial<NewRequest> = {}): NewRequest {
    const jti = randomBytes(16).toString('base64url');
    return {
      hash: hash(),
      jti,
      jws: 'a.b.c',
      enquirerId: host.id,
      enquirer: { name: host.name, identity: host.identity },
      accountId: alice.id,
      exp: NOW + 120,
      ...change,
    };
  }

  async function withStore(
    work: (store: Store, reopen: () => Promise<Store>) => Promise<void>,
  ): Promise<void> {
    const { store, reopen, dispose } = await open();
    try {
      await work(store, reopen);
    } finally {
      await dispose();
    }
  }

  describe(`the store on ${name}`, () => {
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

    test('a request posted twice is one, under another hash a conflict', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        const posted = request(alice, host);
        const [first, second] = await Promise.all([
          store.postRequest(posted, NOW),
          store.postRequest(posted, NOW),
        ]);
        assert.deepEqual([first.outcome, second.outcome], ['posted', 'same']);
        assert.equal((await store.postRequest({ ...posted, hash: hash() }, NOW)).outcome, 'conflict');
        assert.equal(await store.countPending(), 1);
      }));

    test('a request is settled once, whoever comes together', () =>
      withStore(async (store, reopen) => {
        const { alice, host } = await acquainted(store);
        const posted = await store.postRequest(request(alice, host), NOW);
        assert.ok(posted.outcome === 'posted');
        const asked = posted.request;
        const settled = await Promise.all([
          store.settleRequest(asked, { state: 'answered', at: NOW, response: 'one' }),
          store.settleRequest(asked, { state: 'answered', at: NOW, response: 'two' }),
          store.settleRequest(asked, { state: 'cancelled-by-broker', at: NOW, reason: 'three' }),
        ]);
        assert.deepEqual(
          settled.map((one) => one !== undefined),
          [true, false, false],
        );
        const again = await reopen();
        const expected = { state: 'answered', at: NOW, response: 'one' };
        assert.deepEqual((await again.findRequest(asked.hash))?.state, expected);
      }));

    test('an answer at or past the end of its time settles nothing', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        const posted = await store.postRequest(request(alice, host), NOW);
        assert.ok(posted.outcome === 'posted');
        const late = { state: 'answered', at: NOW + 120, response: 'late' } as const;
        assert.equal(await store.settleRequest(posted.request, late), undefined);
      }));

    test('every final state comes back as it was written', () =>
      withStore(async (store) => {
        const { alice } = await acquainted(store);
        const states = [
          { state: 'answered', at: NOW, response: 'r' },
          { state: 'refused', at: NOW, statement: 's' },
          { state: 'expired', at: NOW },
          { state: 'cancelled-by-enquirer', at: NOW, statement: 's' },
          { state: 'cancelled-by-broker', at: NOW, reason: 'why' },
        ] as const;
        for (const state of states) {
          const host = await account(store);
          const posted = await store.postRequest(request(alice, host), NOW);
          assert.ok(posted.outcome === 'posted');
          await store.settleRequest(posted.request, state);
          assert.deepEqual((await store.getRequest(posted.request.id))?.state, state);
        }
      }));

    test('what is past its time expires, and only that', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        await store.postRequest(request(alice, host, { exp: NOW + 10 }), NOW);
        await store.postRequest(request(alice, host, { exp: NOW + 11 }), NOW);
        const settled = await store.expireRequests(NOW + 10, 100);
        assert.deepEqual(
          settled.map(({ request: { exp, state } }) => [exp, state.state]),
          [[NOW + 10, 'expired']],
        );
        assert.equal(await store.countPending(), 1);
        assert.deepEqual(await store.expireRequests(NOW + 10, 100), []);
      }));

    test('lists are paged, pending oldest first and settled newest first', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        const asked: RequestRow[] = [];
        for (let i = 0; i < 3; i++) {
          const posted = await store.postRequest(request(alice, host), NOW);
          assert.ok(posted.outcome === 'posted');
          asked.push(posted.request);
        }
        const idsOf = (rows: RequestRow[]) => rows.map(({ id }) => id);
        const ids = idsOf(asked);
        assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 10 })), ids);
        assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 1, after: ids[0] })), [ids[1]]);
        assert.deepEqual(
          idsOf(await store.listPending(alice.id, { max: 10, before: ids[2] })),
          ids.slice(0, 2),
        );
        for (const request of asked) await store.settleRequest(request, { state: 'expired', at: NOW });
        assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 10 })), []);
        assert.deepEqual(idsOf(await store.listSettled(alice.id, { max: 10 })), ids.toReversed());
        assert.equal(await store.pruneSettled(NOW + 1, NOW + 120, 2), 0, 'until it has expired');
        assert.equal(await store.pruneSettled(NOW + 1, NOW + 121, 2), 2);
        assert.equal((await store.listSettled(alice.id, { max: 10 })).length, 1);
      }));

    test('contacts change in order; allowing shows what was held, blocking refuses what waits', () =>
      withStore(async (store) => {
        const [alice, host] = [await account(store), await account(store)];
        const posted = await store.postRequest(request(alice, host), NOW);
        assert.ok(posted.outcome === 'posted' && posted.request.held);
        const change = {
          accountId: alice.id,
          contactId: host.id,
          seq: 1,
          head: alice.head,
          policy: 'allow',
          jws: 'one',
        } as const;
        const allowed = await store.changeContact(change, NOW);
        assert.deepEqual(
          allowed.shown.map(({ request: { held } }) => held),
          [false],
        );
        await assert.rejects(store.changeContact(change, NOW), codeIs('contact-conflict'));
        await assert.rejects(store.changeContact({ ...change, seq: 3 }, NOW), codeIs('contact-conflict'));
        const other = { ...change, seq: 2, head: { seq: 1, hash: hash() } };
        await assert.rejects(store.changeContact(other, NOW), codeIs('contact-conflict'));
        const blocked = await store.changeContact({ ...change, seq: 2, policy: 'block', jws: 'two' }, NOW);
        assert.deepEqual(
          blocked.refused.map(({ request: { state } }) => state),
          [{ state: 'refused', at: NOW, statement: 'two' }],
        );
        await assert.rejects(store.postRequest(request(alice, host), NOW), codeIs('not-permitted'));
        assert.deepEqual(await store.readContacts(alice.id, 1), ['one', 'two']);
        assert.deepEqual(await store.readContacts(alice.id, 2), ['two']);
      }));

    test('a request that is posted and blocked at once is refused, whichever way it is found', () =>
      withStore(async (store) => {
        const [alice, host] = [await account(store), await account(store)];
        const change = {
          accountId: alice.id,
          contactId: host.id,
          seq: 1,
          head: alice.head,
          policy: 'block',
          jws: 'no',
        } as const;
        const [posted] = await Promise.all([
          store.postRequest(request(alice, host), NOW),
          store.changeContact(change, NOW),
        ]);
        assert.ok(posted.outcome === 'posted');
        const { id, hash: name } = posted.request;
        const refused = { state: 'refused', at: NOW, statement: 'no' };
        assert.deepEqual((await store.findRequest(name))?.state, refused);
        assert.deepEqual((await store.getRequest(id))?.state, refused);
      }));

    test('events are an account’s own, in order, and nothing between two reads is missed', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        const { newest: from } = await store.eventBounds(alice.id);
        const posted = await store.postRequest(request(alice, host), NOW);
        assert.ok(posted.outcome === 'posted');
        await acquainted(store);
        await store.settleRequest(posted.request, { state: 'answered', at: NOW, response: 'r' });
        const events = await store.readEvents(alice.id, from, 10);
        assert.deepEqual(
          events.map(({ kind }) => kind),
          ['request', 'settled'],
        );
        assert.deepEqual(await store.readEvents(alice.id, events[0]!.id, 10), [events[1]]);
        assert.equal((await store.eventBounds(alice.id)).newest, events[1]!.id);
        assert.deepEqual(await store.eventBounds(host.id), { newest: 0, oldest: 0 });
      }));

    test('the limits hold over a restart, for an hour', () =>
      withStore(async (store, reopen) => {
        const { alice, host } = await acquainted(store);
        for (let i = 0; i < 5; i++) {
          const posted = await store.postRequest(request(alice, host), NOW);
          assert.ok(posted.outcome === 'posted');
          await store.settleRequest(posted.request, { state: 'answered', at: NOW, response: 'r' });
        }
        await assert.rejects(store.postRequest(request(alice, host), NOW + 1), codeIs('too-often'));
        const again = await reopen();
        await assert.rejects(again.postRequest(request(alice, host), NOW + 2), codeIs('too-often'));
        for (let i = 0; i < 15; i++) {
          const at = NOW + 100 * (1 + Math.floor(i / 5));
          const posted = await again.postRequest(request(alice, host, { exp: at + 60 }), at);
          assert.ok(posted.outcome === 'posted');
          await again.settleRequest(posted.request, { state: 'answered', at, response: 'r' });
        }
        const third = await reopen();
        await assert.rejects(third.postRequest(request(alice, host), NOW + 3599), codeIs('too-often'));
        assert.equal((await third.postRequest(request(alice, host), NOW + 3600)).outcome, 'posted');
      }));

    test('a pause holds over a restart', () =>
      withStore(async (store, reopen) => {
        const { alice, host } = await acquainted(store);
        const posted = await store.postRequest(request(alice, host), NOW);
        assert.ok(posted.outcome === 'posted');
        await store.reportFraud(posted.request, NOW);
        const again = await reopen();
        await assert.rejects(again.postRequest(request(alice, host), NOW + 1000), codeIs('too-often'));
      }));

    test('old events go, new ones stay, and no id comes back', () =>
      withStore(async (store, reopen) => {
        const { alice } = await acquainted(store);
        const day = 86_400;
        await store.pruneEvents(NOW - 7 * day, NOW, 100);
        const { newest: old } = await store.eventBounds(alice.id);
        const { alice: bob } = await acquainted(store);
        await acquainted(store);
        const { newest } = await store.eventBounds(bob.id);
        assert.equal(await store.pruneEvents(NOW - 7 * day, NOW + day, 100), 0);
        const again = await reopen();
        assert.equal(await again.pruneEvents(NOW + 1, NOW + 7 * day, 100), 0, 'the marked one stays');
        assert.equal((await again.eventBounds(alice.id)).newest, old);
        assert.ok((await again.pruneEvents(NOW + 2 * day, NOW + 9 * day, 1)) === 1);
        assert.equal((await again.eventBounds(alice.id)).newest, 0);
        assert.equal((await again.eventBounds(bob.id)).newest, newest);
        await again.pruneEvents(NOW + 60 * day, NOW + 60 * day, 100);
        const { alice: carol } = await acquainted(again);
        assert.ok((await again.eventBounds(carol.id)).newest > newest + 1);
      }));

    test('the limits hold for requests that come together', () =>
      withStore(async (store) => {
        const { alice, host } = await acquainted(store);
        const results = await Promise.allSettled(
          Array.from({ length: 8 }, () => store.postRequest(request(alice, host), NOW)),
        );
        assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
      }));
  });
}
