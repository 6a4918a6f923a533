/**
 * Approvers, whole: a host with an account of its own at a broker that is a process, web sign-on, and people who answer
 * by the command line.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { SignOnContext } from '@countersign/core/m-auth';
import { fieldsOf, type GatePeople } from './gate-people.ts';
import { countersignGate } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld } from './gate-world.ts';
import { until } from './until.ts';

const ORIGIN = 'https://app.example';
const APPROVERS = ['bob', 'carol', 'dave'] as const;

const world = createGateWorld({ name: 'app.example', people: ['alice', ...APPROVERS] });
const { data } = world;
let people: GatePeople;
let alice: TestValidator;

before(async () => {
  await world.ready();
  ({ people } = world);
  await world.serve({ origin: ORIGIN, account: true });
  alice = await pairValidator(data, 'alice');
});

/** Alice signs on at the page, and says yes to what she is shown. */
async function signOn() {
  const visit = await visitGate(`http://127.0.0.1:${world.gate.webPort}`, ORIGIN, 'alice');
  let context: SignOnContext | undefined;
  const signed = alice.signOn(visit.passcode, async ({ message }) => {
    context = message.context;
    return { answer: 'accept', by: 'person' };
  });
  return { visit, signed, context: () => context! };
}

test('whose own account is not known is warned of, and no longer once it is', async () => {
  const accounts = [...APPROVERS, 'alice'].map((name) => `${name}@example.com`);
  const words = ['approvers', 'alice', ...accounts, '--needed', '2'];
  const unknown = await countersignGate(data, words);
  assert.deepEqual([unknown.status, /own/.test(unknown.stderr)], [0, true]);
  assert.equal((await countersignGate(data, ['account', 'alice', 'alice@example.com'])).status, 0);
  const known = await countersignGate(data, words);
  assert.deepEqual([known.status, known.stderr], [0, '']);
  // Alone, they would be a rule by which nobody is asked.
  const alone = await countersignGate(data, ['approvers', 'alice', 'alice@example.com']);
  assert.deepEqual([alone.status, /0 of 0/.test(alone.stderr)], [1, true]);
});

test('two of three agree to what the person saw: she is in, and nobody else is asked any more', async () => {
  const { visit, signed, context } = await signOn();
  const question = await people.asked('bob');
  const shown = fieldsOf(question);
  const { account, host, service, remote, address } = context();
  assert.deepEqual(shown, {
    User: account,
    Host: host,
    Service: service,
    ...(remote === undefined ? {} : { From: remote }),
    ...(address === undefined ? {} : { Address: address }),
  });
  assert.deepEqual(await people.pending('alice'), []);
  await people.answer('bob', 'accept', question);
  await people.answer('carol', 'accept', await people.asked('carol'));
  assert.equal((await signed).end.outcome, 'granted');
  assert.ok((await visit.end()).session);
  await until(
    async () => (await people.pending('dave')).length === 0,
    () => 'dave is asked still',
  );
});

test('one of them says no: the page and the validator say so, and nobody is in', async () => {
  const { visit, signed } = await signOn();
  await people.answer('carol', 'accept', await people.asked('carol'));
  await people.answer('dave', 'reject', await people.asked('dave'));
  assert.deepEqual((await signed).end, { outcome: 'refused', reason: 'approver' });
  const { session, page } = await visit.end();
  assert.equal(session, undefined);
  assert.match(page!, /Not approved.*An approver said no\./s);
});
