import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONTEXT } from '../../core/test/m-auth-world.ts';
import { refused } from '../../core/test/refused.ts';
import { judge, parseRules, type SignOnRules } from '../src/m-auth/index.ts';

const NOON = { day: 3, minute: 12 * 60 };
const accept = (rules: Omit<SignOnRules, 'otherwise'>) => ({ ...rules, otherwise: 'accept' as const });
const from = (address: string | undefined) => {
  const { address: _, ...context } = CONTEXT;
  return address === undefined ? context : { ...context, address };
};

describe('rules', () => {
  test('that there are not ask the person', () => {
    assert.deepEqual(judge(undefined, CONTEXT, NOON), { verdict: 'ask' });
    assert.deepEqual(judge({ otherwise: 'ask' }, CONTEXT, NOON), { verdict: 'ask' });
  });

  test('deny what is not one of their services', () => {
    assert.deepEqual(judge(accept({ services: ['sshd'] }), CONTEXT, NOON), { verdict: 'accept' });
    const denied = { verdict: 'deny', because: 'service' };
    assert.deepEqual(judge(accept({ services: ['login'] }), CONTEXT, NOON), denied);
  });

  test('deny what does not come from one of their networks, or does not say from where', () => {
    const rules = accept({ networks: ['192.0.2.0/24', '2001:db8::/32'] });
    for (const address of ['192.0.2.0', '192.0.2.255', '2001:db8:1::1', '::ffff:192.0.2.7']) {
      assert.equal(judge(rules, from(address), NOON).verdict, 'accept', address);
    }
    for (const address of ['192.0.3.0', '10.0.0.1', '2001:db9::1', '::1', undefined, 'server', '192.0.2']) {
      assert.deepEqual(
        judge(rules, from(address), NOON),
        { verdict: 'deny', because: 'network' },
        String(address),
      );
    }
    assert.equal(judge(accept({ networks: ['0.0.0.0/0'] }), from('::1'), NOON).verdict, 'deny');
  });

  test('hold at their hours, from the first minute up to the last one but not it', () => {
    const rules = accept({ hours: { from: 480, to: 1080 } });
    const at = (minute: number, day = 3) => judge(rules, CONTEXT, { day, minute }).verdict;
    assert.deepEqual(
      [479, 480, 1079, 1080].map((minute) => at(minute)),
      ['deny', 'accept', 'accept', 'deny'],
    );
  });

  test('hold over midnight on the day on which the hours begin', () => {
    const friday = accept({ hours: { from: 22 * 60, to: 6 * 60 }, days: [5] });
    const at = (day: number, minute: number) => judge(friday, CONTEXT, { day, minute }).verdict;
    assert.equal(at(5, 23 * 60), 'accept');
    assert.equal(at(6, 5 * 60), 'accept');
    assert.equal(at(5, 5 * 60), 'deny');
    assert.equal(at(6, 23 * 60), 'deny');
    assert.equal(judge(accept({ days: [0] }), CONTEXT, { day: 0, minute: 0 }).verdict, 'accept');
  });

  test('of any other form are refused', () => {
    for (const rules of [
      {},
      { otherwise: 'deny' },
      { otherwise: 'ask', networks: ['192.0.2.0'] },
      { otherwise: 'ask', networks: ['192.0.2.0/33'] },
      { otherwise: 'ask', networks: ['10/8'] },
      { otherwise: 'ask', networks: [] },
      { otherwise: 'ask', days: [7] },
      { otherwise: 'ask', hours: { from: 0, to: 1441 } },
      { otherwise: 'ask', more: 1 },
    ]) {
      assert.throws(() => parseRules(rules), refused('input-invalid'), JSON.stringify(rules));
    }
  });
});
