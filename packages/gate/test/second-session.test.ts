/**
 * The question whether somebody came in by a second session, with a daemon that takes its time.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { askForSecondSession } from '../src/install/second-session.ts';
import { encodeFrame } from '../src/pam/frames.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-second-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

/** A daemon whose answers the test gives, and a person before the question. */
async function ask() {
  const socket = join(folder, `${++made}.sock`);
  const asking: Socket[] = [];
  let wake = () => {};
  const server = createServer((one) => {
    asking.push(one.resume());
    wake();
  }).listen(socket);
  await once(server, 'listening');
  const cut = new AbortController();
  const input = new PassThrough();
  const said: string[] = [];
  const result = askForSecondSession({ socket, say: (text) => void said.push(text), input, cut: cut.signal });
  return {
    result,
    said,
    cut,
    /** What they type, a line or more, heard before this is over. */
    async type(text: string) {
      input.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => input.end(),
    /** Waits until the daemon is asked. @returns what answers; without a number, it can’t count */
    async asked(): Promise<(granted?: number) => void> {
      if (asking.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const one = asking.shift()!;
      return (granted) => one.end(granted === undefined ? '' : encodeFrame('C', String(granted)));
    },
    async [Symbol.asyncDispose]() {
      for (const one of asking) one.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('who types again while the daemon is asked is heard', async () => {
  await using person = await ask();
  (await person.asked())(3);
  await person.type('in\n');
  const answer = await person.asked();
  await person.type('in\n');
  answer(3);
  (await person.asked())(4);
  assert.equal(await person.result, true);
});

test('a no that is typed while the daemon is asked is heard, and so is the end of the input', async () => {
  for (const ending of ['no\n', undefined]) {
    await using person = await ask();
    (await person.asked())(3);
    await person.type('in\n');
    const answer = await person.asked();
    if (ending === undefined) person.close();
    else await person.type(ending);
    answer(3);
    assert.equal(await person.result, false);
  }
});

test('two lines at once answer no warning that came after them', async () => {
  await using person = await ask();
  (await person.asked())();
  await person.type('in\nin\n');
  (await person.asked())();
  (await person.asked())();
  const warnings = () => person.said.filter((text) => text.includes('can’t be checked')).length;
  while (warnings() < 2) await new Promise((resolve) => setImmediate(resolve));
  await person.type('in\n');
  (await person.asked())();
  assert.equal(await person.result, true);
});

test('cut off while the daemon is asked, it is a no, whatever was typed', async () => {
  await using person = await ask();
  (await person.asked())(3);
  await person.type('in\n');
  const answer = await person.asked();
  await person.type('in\n');
  person.cut.abort();
  answer(3);
  assert.equal(await person.result, false);
});
