/** The examples of spec/pam-daemon.md, as the daemon's own parser reads them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseAttempt } from '../src/pam/attempt.ts';
import { encodeFrame, FrameReader } from '../src/pam/frames.ts';

const page = readFileSync(new URL('../../../spec/pam-daemon.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^\| ([✓✗]) \| (module|daemon) \| (.*?) \| (.*?) \|$/gmu)].map(
  ([, mark, from, bytes, what]) => ({
    good: mark === '✓',
    from: from!,
    bytes: Buffer.from(bytes!.replace(/[` ]/g, ''), 'hex'),
    what: what!,
  }),
);

describe('the examples of the specification', () => {
  test('are there', () => assert.ok(examples.length >= 9));

  for (const { good, bytes, what } of examples.filter(({ from }) => from === 'module')) {
    test(`${what}: ${good ? 'read' : 'refused'}`, () => {
      const read = () => {
        const [frame] = new FrameReader().push(bytes);
        if (frame?.type === 'A') parseAttempt(frame.payload);
        return frame;
      };
      if (good) assert.ok(read());
      else assert.throws(read);
    });
  }

  test('the daemon says what they say', () => {
    const said = examples.find(({ good, from }) => good && from === 'daemon');
    assert.deepEqual(encodeFrame('V', 'granted'), said?.bytes);
  });
});
