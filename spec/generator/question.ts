import { HASH, QUICK, SALT } from './asking.ts';
import { duplicateMember, invalid, strayBits, type VectorFile, valid } from './vector.ts';

export function question(): VectorFile {
  const base = { kind: 'login', parts: [{ type: 'p', text: 'Log in?' }], salt: SALT };
  const text = (changed: object) => JSON.stringify({ ...base, ...changed });
  const good = (name: string, comment: string, changed: object) =>
    valid(name, comment, { text: text(changed) });
  const bad = (name: string, comment: string, changed: object) =>
    invalid(name, comment, 'statement-malformed', { text: text(changed) });
  const passcode = { ...QUICK, salt: SALT, hash: HASH };
  const parts = (n: number) => ({ parts: Array.from({ length: n }, () => ({ type: 'p', text: 'a' })) });
  const fields = (n: number) => ({
    fields: Array.from({ length: n }, (_, i) => ({ name: `n${i}`, value: 'v' })),
  });
  return {
    description: 'Questions: the content of a request, as JSON text.',
    spec: 'requests.md#question',
    vectors: [
      good('plain', 'one paragraph', {}),
      good('payment', 'another kind', { kind: 'payment' }),
      good('approval', 'another kind', { kind: 'approval' }),
      good('all', 'every member', {
        parts: [
          { type: 'h1', text: 'Pay' },
          { type: 'p', text: 'the bill' },
          { type: 'button', value: 'accept', text: 'Pay now' },
          { type: 'button', value: 'reject', text: 'Not now' },
        ],
        fields: [{ name: 'amount', value: '€12.50' }],
        passcode,
        uv: true,
      }),
      good('parts-32', 'at most 32 parts', parts(32)),
      good('fields-64', 'at most 64 fields', fields(64)),
      good('fields-empty', 'no fields', { fields: [] }),
      good('parts-1024-bytes', 'at most 1024 bytes in all parts together', {
        parts: [
          { type: 'h1', text: 'a'.repeat(512) },
          { type: 'p', text: 'b'.repeat(512) },
        ],
      }),
      good('passcode-costly', 'the most that a device computes', {
        passcode: { ...passcode, m: 65_536, t: 2, p: 16 },
      }),
      bad('passcode-too-costly', 'more passes over so much memory than a device computes', {
        passcode: { ...passcode, m: 65_536, t: 3, p: 1 },
      }),
      bad('kind-unknown', 'a kind that there is not', { kind: 'quiz' }),
      bad('parts-empty', 'no parts', { parts: [] }),
      bad('parts-33', 'more than 32 parts', parts(33)),
      bad('parts-1025-bytes', 'more than 1024 bytes in all parts together', {
        parts: [
          { type: 'h1', text: 'a'.repeat(512) },
          { type: 'p', text: 'b'.repeat(513) },
        ],
      }),
      bad('only-buttons', 'buttons without a question', {
        parts: [{ type: 'button', value: 'accept', text: 'Yes' }],
      }),
      bad('part-unknown', 'a part that there is not', { parts: [{ type: 'img', text: 'x' }] }),
      bad('part-more', 'a further member of a part', { parts: [{ type: 'p', text: 'x', style: 'y' }] }),
      bad('button-value', 'a button that is neither', {
        parts: [...base.parts, { type: 'button', value: 'maybe', text: 'x' }],
      }),
      bad('button-65-bytes', 'a button of more than 64 bytes', {
        parts: [...base.parts, { type: 'button', value: 'accept', text: 'a'.repeat(65) }],
      }),
      bad('text-bidi', 'a text that may not be shown', { parts: [{ type: 'p', text: 'pay \u202eboB' }] }),
      bad('text-link', 'a text that may not be shown', {
        parts: [{ type: 'p', text: 'see https://evil.example' }],
      }),
      bad('text-empty', 'an empty text', { parts: [{ type: 'p', text: '' }] }),
      bad('field-invisible', 'a field that may not be shown', {
        fields: [{ name: 'to', value: 'Bob\u200b' }],
      }),
      bad('field-name-65-bytes', 'a field’s name of more than 64 bytes', {
        fields: [{ name: 'a'.repeat(65), value: 'x' }],
      }),
      bad('fields-65', 'more than 64 fields', fields(65)),
      bad('fields-8193-bytes', 'more than 8192 bytes in all fields together', {
        fields: [
          { name: 'a', value: 'b'.repeat(4096) },
          { name: 'c', value: 'd'.repeat(4095) },
        ],
      }),
      bad('uv-false', 'uv is true or absent', { uv: false }),
      bad('salt-missing', 'no salt', { salt: undefined }),
      bad('salt-short', 'a salt of 15 bytes', { salt: SALT.slice(0, 20) }),
      bad('salt-stray-bits', 'a salt that is not canonical', { salt: strayBits(SALT) }),
      bad('passcode-other-algorithm', 'another way to commit', { passcode: { ...passcode, alg: 'scrypt' } }),
      bad('passcode-memory', 'more memory than a device spends', { passcode: { ...passcode, m: 65_537 } }),
      bad('passcode-passes', 'more passes than a device runs', { passcode: { ...passcode, t: 17 } }),
      bad('passcode-lanes', 'more lanes than a device runs', { passcode: { ...passcode, m: 1024, p: 17 } }),
      bad('passcode-memory-for-lanes', 'RFC 9106 section 3.1: 8 KiB a lane', {
        passcode: { ...passcode, m: 15, p: 2 },
      }),
      bad('passcode-without-hash', 'no hash', { passcode: { ...passcode, hash: undefined } }),
      bad('member-more', 'a further member', { note: 'x' }),
      invalid('duplicate-member', 'a member twice', 'json-invalid', { text: duplicateMember(base, 'kind') }),
      invalid('not-json', 'no JSON', 'json-invalid', { text: 'Log in?' }),
    ],
  };
}
