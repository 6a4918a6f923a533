/**
 * What every store must do with members, cards, recommendations, signatures and sessions.
 * @module
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeIs, type Fixture, NOW } from './fixture.ts';

export function organisationsConform({ account, acquainted, request, withStore }: Fixture): void {
  test('signatures on texts stand until they are pruned, and so many an hour', () =>
    withStore(async (store, reopen) => {
      const { alice } = await acquainted(store);
      const signature = (hash: string, exp?: number) => ({
        hash,
        accountId: alice.id,
        jws: `jws ${hash}`,
        ...(exp === undefined ? {} : { exp }),
      });
      await store.saveSignature(signature('good'), NOW, 3);
      await store.saveSignature(signature('short', NOW + 30), NOW + 10, 3);
      await store.saveSignature(signature('good'), NOW + 20, 3);
      const again = await reopen();
      await again.saveSignature(signature('third', NOW + 90), NOW + 20, 3);
      await assert.rejects(again.saveSignature(signature('fourth'), NOW + 3599, 3), codeIs('too-often'));
      await again.saveSignature(signature('fourth'), NOW + 3601, 3);
      assert.equal(await again.pruneSignatures(NOW + 31, 10), 1);
      assert.equal(await again.readSignature('short'), undefined);
      const listed = await again.listSignatures(alice.id, Number.MAX_SAFE_INTEGER, 10);
      assert.deepEqual(
        listed.map(({ jws }) => jws),
        ['jws fourth', 'jws third', 'jws good'],
      );
    }));

  test('changes of members come in order; seats stand as they were taken, until they are ended', () =>
    withStore(async (store, reopen) => {
      const [bank, bob] = [await account(store), await account(store)];
      await store.addMemberChange(bank.id, 1, 'first');
      await assert.rejects(store.addMemberChange(bank.id, 1, 'other'), codeIs('member-conflict'));
      await assert.rejects(store.addMemberChange(bank.id, 3, 'gap'), codeIs('member-conflict'));
      await store.addMemberChange(bank.id, 2, 'second');
      const seat = (name: string, iat: number) => ({
        hash: name,
        kid: 'KID',
        key: { kty: 'OKP', crv: 'Ed25519', x: 'x' } as const,
        organisation: { name: bank.name, identity: bank.identity },
        member: { name: bob.name, identity: bob.identity },
        role: 'agent' as const,
        device: 'PHONE',
        iat,
        exp: iat + 60,
        accountId: bank.id,
        memberId: bob.id,
        evidence: { request: `request ${name}`, response: `response ${name}` },
      });
      await store.saveSeat(seat('one', NOW));
      await store.saveSeat(seat('two', NOW + 10));
      await store.saveSeat({ ...seat('one', NOW + 500), role: 'owner' as never });
      const again = await reopen();
      assert.deepEqual(await again.readMemberChanges(bank.id, 2), ['second']);
      assert.deepEqual(await again.readMemberChanges(bob.id, 1), []);
      assert.deepEqual(await again.readSeat('one'), seat('one', NOW));
      assert.equal((await again.findSeat(bank.id, 'KID'))!.hash, 'two');
      assert.equal(await again.findSeat(bob.id, 'KID'), undefined);
      await again.endSeats(bank.id, 'KID', NOW + 20);
      assert.equal((await again.findSeat(bank.id, 'KID'))!.endedAt, NOW + 20);
      // A seat that is posted again after its end does not come back.
      await again.saveSeat(seat('two', NOW + 10));
      assert.equal((await again.readSeat('two'))!.endedAt, NOW + 20);
    }));

  test('cards follow each other, keep their picture, and what they claim is due to be looked at', () =>
    withStore(async (store, reopen) => {
      const { alice } = await acquainted(store);
      const card = (seq: number, domains: readonly string[] = []) => ({
        accountId: alice.id,
        seq,
        jws: `card ${seq}`,
        domains,
      });
      const picture = { hash: 'h', bytes: new Uint8Array([1, 2, 3]) };
      const bare = { ...card(1), picture: { hash: 'h' } };
      await assert.rejects(store.saveCard(bare, NOW), codeIs('picture-invalid'));
      await store.saveCard({ ...card(1, ['a.example', 'b.example']), picture }, NOW);
      await store.saveCard({ ...card(1), picture }, NOW);
      await assert.rejects(store.saveCard({ ...card(1), jws: 'other' }, NOW), codeIs('card-conflict'));
      await assert.rejects(store.saveCard(card(3), NOW), codeIs('card-conflict'));
      const again = await reopen();
      const due = await again.dueDomains(NOW, 10);
      assert.deepEqual(
        due.map(({ domain, by, name }) => `${domain} ${by} ${name === alice.name}`),
        [
          'a.example dns true',
          'a.example well-known true',
          'b.example dns true',
          'b.example well-known true',
        ],
      );
      await again.saveLook(due[0]!, 'proven', NOW, NOW + 60);
      assert.equal((await again.dueDomains(NOW + 59, 10)).length, 3);
      assert.equal((await again.dueDomains(NOW + 60, 10)).length, 4);
      const first = async () => (await again.listDomains(alice.id))[0]!;
      await again.saveLook(due[0]!, 'unreachable', NOW + 60, NOW + 120);
      assert.equal((await first()).provenAt, NOW);
      assert.equal((await first()).outcome, 'unreachable');
      await again.saveLook(due[0]!, 'absent', NOW + 120, NOW + 180);
      assert.equal((await first()).provenAt, undefined);
      await again.saveCard({ ...card(2, ['b.example']), picture: { hash: 'h' } }, NOW);
      assert.deepEqual(await again.readPicture(alice.id), picture.bytes);
      assert.deepEqual(
        (await again.listDomains(alice.id)).map(({ domain }) => domain),
        ['b.example', 'b.example'],
      );
      await again.saveLook(due[0]!, 'proven', NOW, NOW);
      assert.equal((await again.listDomains(alice.id)).length, 2, 'a look too late claims nothing');
      await again.saveCard(card(3), NOW);
      assert.equal(await again.readPicture(alice.id), undefined);
      assert.equal(await again.readCard(alice.id), 'card 3');
    }));

  test('the newest word of one for another holds, and so many are said in an hour', () =>
    withStore(async (store, reopen) => {
      const { alice, host } = await acquainted(store);
      const word = (seq: number, recommends: boolean, hash = `${seq}`) => ({
        hash,
        issuerId: host.id,
        subjectId: alice.id,
        seq,
        recommends,
        iat: NOW,
        jws: `word ${seq}`,
      });
      await store.saveRecommendation(word(1, true), NOW, 3);
      await store.saveRecommendation(word(1, true), NOW, 3);
      await assert.rejects(
        store.saveRecommendation(word(1, true, 'x'), NOW, 3),
        codeIs('recommendation-conflict'),
      );
      const again = await reopen();
      const standing = (since = NOW - 1) => again.listRecommendations({ subjectId: alice.id }, since, 10);
      assert.deepEqual(await standing(), ['word 1']);
      assert.deepEqual(await again.listRecommendations({ issuerId: host.id }, NOW - 1, 10), ['word 1']);
      assert.deepEqual(await standing(NOW), []);
      await again.saveRecommendation(word(2, false), NOW, 3);
      assert.deepEqual(await standing(), []);
      assert.equal(await again.findRecommendation(host.id, alice.id), 'word 2');
      await again.saveRecommendation(word(3, true), NOW, 3);
      assert.deepEqual(await standing(), ['word 3']);
      await assert.rejects(again.saveRecommendation(word(4, false), NOW + 3599, 3), codeIs('too-often'));
      await again.saveRecommendation(word(4, false), NOW + 3600, 3);
    }));

  test('an enquirer finds what it asked, newest first, with the first report; and its answers are counted', () =>
    withStore(async (store) => {
      const { alice, host } = await acquainted(store);
      assert.deepEqual(await store.readCounts(host.id), {
        sessions: 0,
        authenticated: 0,
        answers: 0,
        signatures: 0,
      });
      const [one, two] = [
        await store.postRequest(request(alice, host), NOW),
        await store.postRequest(request(alice, host), NOW + 1),
      ];
      assert.ok(one.outcome === 'posted' && two.outcome === 'posted');
      assert.deepEqual(await store.countAsked(alice.id, 10, 900), { outcomes: [], times: [] });
      await store.settleRequest(one.request, { state: 'answered', at: NOW + 2, response: 'r' });
      await store.reportFraud(one.request, 'report', NOW + 3);
      await store.reportFraud(one.request, 'another', NOW + 4);
      const asked = await store.listAsked(host.id, Number.MAX_SAFE_INTEGER, 10);
      assert.deepEqual(
        asked.map(({ request: { hash }, report }) => [hash, report?.jws]),
        [
          [two.request.hash, undefined],
          [one.request.hash, 'report'],
        ],
      );
      assert.equal((await store.listAsked(host.id, two.request.id, 10)).length, 1);
      assert.deepEqual(await store.listAsked(alice.id, Number.MAX_SAFE_INTEGER, 10), []);
      assert.deepEqual(await store.countAsked(host.id, 10, 20), {
        outcomes: [
          { outcome: 'pending', count: 1 },
          { outcome: 'reported', count: 1 },
        ],
        times: [{ seconds: 2, count: 1 }],
      });
      await store.settleRequest(two.request, { state: 'answered', at: NOW + 31, response: 'r' });
      assert.deepEqual(await store.countAsked(host.id, 10, 20), {
        outcomes: [
          { outcome: 'answered', count: 1 },
          { outcome: 'reported', count: 1 },
        ],
        times: [
          { seconds: 2, count: 1 },
          { seconds: 20, count: 1 },
        ],
      });
      assert.deepEqual(await store.countAsked(host.id, 1, 900), {
        outcomes: [{ outcome: 'answered', count: 1 }],
        times: [{ seconds: 30, count: 1 }],
      });
      const { answers, answersSince } = await store.readCounts(host.id);
      assert.deepEqual([answers, answersSince], [2, NOW]);
      await store.pruneSettled(NOW + 10, NOW + 10_000, 10);
      assert.equal((await store.listAsked(host.id, Number.MAX_SAFE_INTEGER, 10)).length, 1);
    }));

  test('signed confirmations stand in the history of sessions, each begun and ended once', () =>
    withStore(async (store, reopen) => {
      const { alice, host } = await acquainted(store);
      const twoWay = (hash: string, exp: number) => ({ hash, accountId: host.id, exp });
      await store.noteTwoWay(twoWay('late', NOW + 90), { mode: 'two-way' }, NOW);
      await store.noteTwoWay(twoWay('early', NOW + 30), { mode: 'two-way' }, NOW);
      const again = await reopen();
      await again.noteTwoWay(twoWay('late', NOW + 90), { mode: 'two-way' }, NOW + 1);
      assert.equal(await again.endTwoWay('late', alice.id, 'accepted', NOW + 2), false);
      assert.equal(await again.endTwoWay('unknown', host.id, 'accepted', NOW + 2), false);
      assert.deepEqual(await again.listTwoWayOverdue(NOW + 30, 10), []);
      assert.deepEqual(await again.listTwoWayOverdue(NOW + 91, 10), [
        twoWay('early', NOW + 30),
        twoWay('late', NOW + 90),
      ]);
      assert.equal(await again.endTwoWay('late', host.id, 'accepted', NOW + 3), true);
      assert.equal(await again.endTwoWay('late', host.id, 'rejected', NOW + 4), false);
      assert.deepEqual(await again.listTwoWayOverdue(NOW + 91, 1), [twoWay('early', NOW + 30)]);
      const entries = (await again.readSessionHistory(host.id, 1)).map(({ entry }) => JSON.parse(entry));
      assert.deepEqual(
        entries.map(({ seq, event, sid, outcome }) => [seq, event, sid, outcome]),
        [
          [1, 'created', 'late', undefined],
          [2, 'created', 'early', undefined],
          [3, 'ended', 'late', 'accepted'],
        ],
      );
      assert.deepEqual(await again.readSessionHistory(alice.id, 1), []);
    }));
}
