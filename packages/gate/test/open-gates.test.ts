import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenGates } from '../src/sign-on/open-gates.ts';

const isRefused = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('twenty gates a minute of one user at one place, and the next when the first is a minute old', () => {
  const gates = new OpenGates();
  for (let i = 0; i < 20; i++) gates.enter('alice', 'tty1', i * 1000)();
  assert.throws(() => gates.enter('alice', 'tty1', 59_999), isRefused('too-often'));
  gates.enter('alice', 'tty2', 59_999)();
  gates.enter('alice', 'tty1', 60_000)();
  assert.throws(() => gates.enter('alice', 'tty1', 60_999), isRefused('too-often'));
  gates.enter('alice', 'tty1', 61_000)();
});

test('an IPv6 subscriber is one place, however many addresses it has', () => {
  const gates = new OpenGates();
  for (let i = 0; i < 32; i++) gates.enter(`name${i}`, `2001:db8:1:2::${i}`, 0);
  assert.throws(() => gates.enter('alice', '2001:db8:1:2:ffff::', 0), isRefused('too-many-pending'));
  gates.enter('alice', '2001:db8:1:3::', 0);
});

test('a gate costs no more where many names were tried in the same minute', () => {
  const gates = new OpenGates();
  const timeOf = (count: number, from: number) => {
    const before = process.cpuUsage();
    for (let i = from; i < from + count; i++) gates.enter(`user${i}`, '', 1)();
    return process.cpuUsage(before).user / 1000;
  };
  timeOf(2000, 0);
  const early = timeOf(2000, 2000);
  timeOf(60_000, 4000);
  const late = timeOf(2000, 64_000);
  // looking through all of them each time makes it hundreds of times as much
  assert.ok(late < 30 * early + 20, `${early} ms, then ${late} ms`);
});
