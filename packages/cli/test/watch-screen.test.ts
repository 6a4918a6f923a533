import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { layOut } from '../src/watch-screen.ts';

const text = fc
  .array(fc.constantFrom('a', 'Ω', '漢', ' ', '😀'), { maxLength: 200 })
  .map((all) => all.join(''));
const lines = (most: number) => fc.array(text, { maxLength: most });

describe('the live list', () => {
  test('is never taller than the window, and shows every line of the question on some page', () => {
    fc.assert(
      fc.property(
        lines(20),
        lines(60),
        lines(10),
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 10, max: 120 }),
        (list, question, notes, rows, columns) => {
          const content = { list, chosen: 0, question: ['who asks', ...question], notes, keys: 'keys' };
          const { pages } = layOut(content, { columns, rows }, 0);
          const shown: string[] = [];
          for (let page = 0; page < pages; page++) {
            const screen = layOut(content, { columns, rows }, page);
            assert.ok(screen.lines.length < rows, `${screen.lines.length} lines in ${rows}`);
            assert.equal(screen.page, page);
            const from = screen.lines.indexOf('who asks');
            if (page === 0) assert.ok(from >= 0, 'who asks stands on the first page');
            const head = layOut(content, { columns, rows }, 0).lines.indexOf('who asks');
            shown.push(...screen.lines.slice(head, head + screen.room));
          }
          if (pages === 0) return;
          const bare = (all: readonly string[]) => all.join('').replaceAll('\n', '');
          assert.ok(bare(shown).startsWith(bare(content.question)));
        },
      ),
    );
  });
});
