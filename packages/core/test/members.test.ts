import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { createFreeze, createRevocation, createThaw } from '../src/account-entries.ts';
import { encodeBase64url } from '../src/base64url.ts';
import {
  applyMember,
  checkRole,
  createMember,
  judgeMembers,
  type MemberList,
  type MemberPayload,
  MemberStatement,
  NO_MEMBERS,
  parseMember,
  replayMembers,
  verifyMember,
} from '../src/members.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  grown,
  NOW,
  newAccount,
  signing,
  type TestAccount,
  type TestDevice,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';
import { type Loose, tamper } from './tamper.ts';

const ROLES = ['owner', 'agent', 'auditor', 'none'] as const;
type Wish = MemberPayload['role'];

const person = (n: number) => ({
  name: `person${n}@example.com`,
  identity: encodeBase64url(new Uint8Array(32).fill(n)),
});

let bank: TestAccount;
before(async () => {
  bank = await newAccount('bank@example.com', { devices: 2 });
});

const change = (list: MemberList, n: number, role: Wish, by = bank.devices[0]!) =>
  createMember(webCrypto, by.signer, bank.log, list, person(n), role, NOW);

async function read(jws: string, account = bank) {
  const { hashes } = account.log;
  return verifyMember(webCrypto, await parseMember(webCrypto, jws), account.log, (seq) => hashes[seq]);
}

describe('the list of members', () => {
  test('gives each the role of their last change, and is never without an owner', async () => {
    const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...ROLES)), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        let list = NO_MEMBERS;
        const changes: string[] = [];
        const model = new Map<number, Wish>();
        for (const [n, role] of all) {
          const made = await change(list, n, role);
          const after = new Map(model).set(n, role);
          if (![...after.values()].includes('owner')) {
            assert.throws(() => applyMember(list, made), refused('last-owner'));
            continue;
          }
          list = applyMember(list, made);
          changes.push(made.jws);
          model.set(n, role);
        }
        const replayed = await replayMembers(webCrypto, changes, bank.log);
        assert.deepEqual(replayed, list);
        for (let n = 0; n < 4; n++) {
          assert.equal(replayed.members.get(person(n).identity)?.role ?? 'none', model.get(n) ?? 'none');
        }
      }),
      RUNS,
    );
  });

  test('is the same for whoever reads on from where they were', async () => {
    const first = await change(NO_MEMBERS, 1, 'owner');
    const list = applyMember(NO_MEMBERS, first);
    const second = await change(list, 2, 'agent');
    const known = await replayMembers(webCrypto, [first.jws], bank.log);
    assert.deepEqual(
      await replayMembers(webCrypto, [second.jws], bank.log, known),
      await replayMembers(webCrypto, [first.jws, second.jws], bank.log),
    );
  });

  test('takes changes in their order only: none twice, none left out', async () => {
    const first = await change(NO_MEMBERS, 1, 'owner');
    const list = applyMember(NO_MEMBERS, first);
    const second = await change(list, 2, 'agent');
    assert.throws(() => applyMember(list, first), refused('member-conflict'));
    assert.throws(() => applyMember(NO_MEMBERS, second), refused('member-conflict'));
  });

  test('of two changes made at once takes one', async () => {
    const list = applyMember(NO_MEMBERS, await change(NO_MEMBERS, 1, 'owner'));
    const [one, two] = [await change(list, 2, 'agent'), await change(list, 2, 'none', bank.devices[1]!)];
    assert.throws(() => applyMember(applyMember(list, one), two), refused('member-conflict'));
  });

  test('goes not back in time', async () => {
    const list = applyMember(NO_MEMBERS, await change(NO_MEMBERS, 1, 'owner'));
    const { payload } = await createMember(
      webCrypto,
      bank.devices[0]!.signer,
      bank.log,
      list,
      person(2),
      'agent',
      NOW - 60,
    );
    assert.equal(payload.iat, NOW, 'a clock that was set back holds the time of the change before');
    const early = await signStatement(webCrypto, MemberStatement, bank.devices[0]!.signer, {
      ...payload,
      iat: NOW - 60,
    });
    assert.throws(() => applyMember(list, early), refused('member-conflict'));
  });
});

describe('a change of members', () => {
  test('is altered by nobody', async () => {
    const { jws } = await change(NO_MEMBERS, 1, 'owner');
    const other = encodeBase64url(new Uint8Array(32));
    const changes: Record<string, (payload: Loose) => void> = {
      sub: (p) => (p.sub = 'other@example.com'),
      sub_id: (p) => (p.sub_id = other),
      seq: (p) => p.seq++,
      iat: (p) => p.iat++,
      member: (p) => (p.member = 'mallory@example.com'),
      member_id: (p) => (p.member_id = other),
      role: (p) => (p.role = 'agent'),
    };
    await read(tamper(jws, () => {}));
    for (const [name, alter] of Object.entries(changes)) {
      await assert.rejects(read(tamper(jws, alter)), refused(), name);
    }
  });

  test('is made by a device of the organisation that may admit, and by no other', async () => {
    const mallory = await newAccount('mallory@example.com');
    const foreign = await change(NO_MEMBERS, 1, 'owner', mallory.devices[0]!);
    await assert.rejects(read(foreign.jws), refused('device-unknown'));
    const more = await withDevice(bank, { rights: ['ask', 'answer'] });
    const service = more.devices.at(-1)!;
    const weak = await createMember(webCrypto, service.signer, more.log, NO_MEMBERS, person(1), 'owner', NOW);
    await assert.rejects(read(weak.jws, more), refused('device-not-entitled'));
  });

  test('can’t follow one that knows of its device’s end', async () => {
    const gone = bank.devices[1]!;
    const list = applyMember(NO_MEMBERS, await change(NO_MEMBERS, 1, 'owner'));
    const shown = await withoutDevice(bank, gone.kid);
    const [keeper] = shown.devices;
    const next = await createMember(webCrypto, keeper!.signer, shown.log, list, person(2), 'agent', NOW);
    const after = applyMember(list, next);
    const late = await createMember(webCrypto, gone.signer, bank.log, after, person(3), 'owner', NOW);
    assert.throws(() => applyMember(after, late), refused('member-conflict'));
    const lying = await createMember(webCrypto, gone.signer, shown.log, after, person(3), 'owner', NOW);
    await assert.rejects(read(lying.jws, shown), refused('device-revoked'));
  });
});

describe('a role that a device gave', () => {
  /** Who has which role by a log of the bank, and who lost theirs. */
  const rolesBy = async (changes: readonly string[], { log }: TestAccount) => {
    const { members, fallen } = await replayMembers(webCrypto, changes, log);
    const roles = (all: MemberList['members']) =>
      Object.fromEntries([...all.values()].map(({ name, role }) => [name[6], role]));
    return { members: roles(members), fallen: roles(fallen) };
  };
  /** Changes one after the other, each by a device by its place, with the log that it knew. */
  async function changed(...all: [number, Wish, TestDevice, TestAccount?][]): Promise<string[]> {
    let list = NO_MEMBERS;
    const changes: string[] = [];
    for (const [n, role, by, knew = bank] of all) {
      const made = await createMember(webCrypto, by.signer, knew.log, list, person(n), role, NOW);
      list = applyMember(list, made);
      changes.push(made.jws);
    }
    return changes;
  }
  const out = async (reason: 'retired' | 'lost' | 'undone') =>
    grown(bank, await createRevocation(webCrypto, bank.log, keeper.signer, thief.kid, reason, NOW));
  let keeper: TestDevice;
  let thief: TestDevice;
  before(() => {
    [keeper, thief] = bank.devices as [TestDevice, TestDevice];
  });

  test('is none once that was lost, whenever it says that it gave it', async () => {
    const lost = await out('lost');
    const first = [1, 'owner', keeper] as const;
    const before = await changed([...first], [2, 'agent', thief]);
    assert.deepEqual(await rolesBy(before, bank), { members: { 1: 'owner', 2: 'agent' }, fallen: {} });
    const expected = { members: { 1: 'owner' }, fallen: { 2: 'agent' } };
    for (const account of [lost, await out('undone')])
      assert.deepEqual(await rolesBy(before, account), expected);
    // A later change knows of the loss, and not of what the thief added meanwhile: it vouches for nothing before it.
    const after = await changed([...first], [2, 'agent', thief], [3, 'auditor', keeper, lost]);
    assert.deepEqual(await rolesBy(after, lost), {
      members: { 1: 'owner', 3: 'auditor' },
      fallen: { 2: 'agent' },
    });
  });

  test('is one again when another device gives it', async () => {
    const lost = await out('lost');
    const changes = await changed([1, 'owner', thief], [2, 'agent', thief], [2, 'agent', keeper, lost]);
    assert.deepEqual(await rolesBy(changes, lost), { members: { 2: 'agent' }, fallen: { 1: 'owner' } });
  });

  test('is taken by a device that was lost all the same', async () => {
    const lost = await out('lost');
    const changes = await changed(
      [1, 'owner', keeper],
      [2, 'agent', keeper],
      [3, 'agent', keeper],
      [2, 'none', thief],
      [3, 'owner', thief],
    );
    assert.deepEqual(await rolesBy(changes, lost), { members: { 1: 'owner' }, fallen: { 3: 'owner' } });
  });

  test('is none while that is frozen, and outlives its being retired', async () => {
    const changes = await changed([1, 'owner', keeper], [2, 'agent', thief]);
    const roles = { members: { 1: 'owner', 2: 'agent' }, fallen: {} };
    const frozen = await grown(bank, await createFreeze(webCrypto, signing(bank, 0), thief.kid));
    assert.deepEqual((await rolesBy(changes, frozen)).fallen, { 2: 'agent' });
    const thawed = await grown(frozen, await createThaw(webCrypto, signing(frozen, 0), thief.kid));
    assert.deepEqual(await rolesBy(changes, thawed), roles);
    assert.deepEqual(await rolesBy(changes, await out('retired')), roles);
  });

  test('is judged anew where the log has grown', async () => {
    const changes = await changed([1, 'owner', thief], [2, 'agent', keeper]);
    const lost = await out('lost');
    const known = await replayMembers(webCrypto, changes, bank.log);
    const judged = await replayMembers(webCrypto, changes, lost.log);
    assert.deepEqual(judgeMembers(known, lost.log), judged);
    assert.deepEqual(judgeMembers(judged, bank.log).members.size, 2);
    assert.deepEqual(await replayMembers(webCrypto, [], lost.log, known), judged);
  });
});

describe('a role', () => {
  test('extends so far and no further', () => {
    const may = (role: 'owner' | 'agent' | 'auditor') =>
      (['sessions', 'signatures', 'history', 'members'] as const).filter((act) => {
        try {
          checkRole(role, act);
          return true;
        } catch (error) {
          refused('role-missing')(error);
          return false;
        }
      });
    assert.deepEqual(may('owner'), ['sessions', 'signatures', 'history', 'members']);
    assert.deepEqual(may('agent'), ['sessions', 'signatures']);
    assert.deepEqual(may('auditor'), ['history', 'members']);
  });
});
