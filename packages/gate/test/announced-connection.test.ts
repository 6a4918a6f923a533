import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AnnouncedConnection } from '../src/sign-on/announced-connection.ts';

test('a demultiplexer that goes on sending after the end fills no memory of the interface', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-announced-'));
  const path = join(folder, 'interfaces.sock');
  const server = createServer({ allowHalfOpen: true }).listen(path);
  try {
    const came = once(server, 'connection');
    const connection = new AnnouncedConnection({ path }, () => Uint8Array.of(1));
    await connection.start();
    const [other] = (await came) as [Socket];
    other.resume();
    other.write('before');
    const chunks = connection.incoming[Symbol.asyncIterator]();
    assert.equal(Buffer.from((await chunks.next()).value!).toString(), 'before');
    connection.close();
    await once(other, 'end');
    other.end(Buffer.alloc(1_000_000));
    assert.equal((await chunks.next()).done, true);
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
