/**
 * What every store must do with requests, contacts, events and limits.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestRow } from '../../src/store/store.ts';
import { codeIs, type Fixture, hash, NOW } from './fixture.ts';

export function requestsConform({ account, acquainted, request, withStore }: Fixture): void {
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
      assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 10 }, NOW)), ids);
      assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 1, after: ids[0] }, NOW)), [ids[1]]);
      assert.deepEqual(
        idsOf(await store.listPending(alice.id, { max: 10, before: ids[2] }, NOW)),
        ids.slice(0, 2),
      );
      for (const request of asked) await store.settleRequest(request, { state: 'expired', at: NOW });
      assert.deepEqual(idsOf(await store.listPending(alice.id, { max: 10 }, NOW)), []);
      assert.deepEqual(idsOf(await store.listSettled(alice.id, { max: 10 })), ids.toReversed());
      assert.equal(await store.pruneSettled(NOW + 1, NOW + 120, 2), 0, 'until it has expired');
      assert.equal(await store.pruneSettled(NOW + 1, NOW + 121, 2), 2);
      assert.equal((await store.listSettled(alice.id, { max: 10 })).length, 1);
    }));

  test('what has expired takes no place on a page, also before it is settled so', () =>
    withStore(async (store) => {
      const { alice, host } = await acquainted(store);
      await store.postRequest(request(alice, host, { exp: NOW + 10 }), NOW);
      const stands = request(alice, host);
      await store.postRequest(stands, NOW);
      const page = await store.listPending(alice.id, { max: 1 }, NOW + 10);
      assert.deepEqual(
        page.map((row) => row.hash),
        [stands.hash],
      );
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

  test('what becomes of questions of browsers pauses no device, and no other browser', () =>
    withStore(async (store, reopen) => {
      const { alice, host } = await acquainted(store);
      for (const asker of ['sign-in', 'member'] as const) {
        for (let i = 0; i < 3; i++)
          await store.postRequest(request(alice, host, { asker, exp: NOW + 9 }), NOW);
        await assert.rejects(
          store.postRequest(request(alice, host, { asker }), NOW),
          codeIs('too-many-pending'),
        );
      }
      assert.equal((await store.expireRequests(NOW + 10, 10)).length, 6);
      const again = await reopen();
      await assert.rejects(
        again.postRequest(request(alice, host, { asker: 'member' }), NOW + 10),
        codeIs('too-often'),
      );
      // Anybody can have one ignored that is for a seat.
      const signIn = await again.postRequest(request(alice, host, { asker: 'sign-in' }), NOW + 10);
      assert.ok(signIn.outcome === 'posted' && signIn.request.asker === 'sign-in');
      await again.reportFraud(signIn.request, 'report', NOW + 10);
      await assert.rejects(
        again.postRequest(request(alice, host, { asker: 'sign-in' }), NOW + 11),
        codeIs('too-often'),
      );
      for (let i = 0; i < 3; i++) {
        assert.equal((await again.postRequest(request(alice, host), NOW + 11)).outcome, 'posted');
      }
      const block = { accountId: alice.id, contactId: host.id, seq: 2, head: alice.head } as const;
      await again.changeContact({ ...block, policy: 'block', jws: 'block' }, NOW + 12);
      for (const asker of ['device', 'sign-in', 'member'] as const) {
        await assert.rejects(
          again.postRequest(request(alice, host, { asker }), NOW + 7200),
          codeIs('not-permitted'),
        );
      }
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
      await store.reportFraud(posted.request, 'report', NOW);
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
}
