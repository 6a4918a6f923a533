/**
 * `npm run bench -- confirm | stored | streams | devices | cosign | gate [--quick] [--json]`
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAccount } from './account.ts';
import { benchConfirm } from './confirm.ts';
import { benchCosign } from './cosign.ts';
import { benchGate } from './gate.ts';
import { describeMachine } from './machine.ts';
import { accountTable, confirmTable, cosignTable, gateTable, storedTable, streamsTable } from './report.ts';
import { pinLoad } from './server-process.ts';
import { benchStored } from './stored.ts';
import { benchStreams } from './streams.ts';

const USAGE = `npm run bench -- <confirm|stored|streams|devices|cosign|gate> [--quick] [--json]

  confirm   full confirmations, against the floor and a peer
  stored    the same after a million stored requests, against an empty database
  streams   ten thousand devices on a stream
  devices   a long device log, an epoch for many devices, a device let in
  cosign    decoding, authority check and signature of a transaction, beside bitsharesjs
  gate      sign-ons by M-AUTH, the demultiplexer, PAM logins, floods
  --quick   a short run: its figures are rough
  --json    one JSON object on stdout instead of a table
`;

/** Each bench, and how people are shown what it found. */
const BENCHES: Record<string, (folder: string, quick: boolean) => Promise<{ found: object; table: string }>> =
  {
    async confirm(folder, quick) {
      const found = await benchConfirm(folder, quick);
      return { found, table: confirmTable(found) };
    },
    async stored(folder, quick) {
      const found = await benchStored(folder, quick);
      return { found, table: storedTable(found) };
    },
    async streams(folder, quick) {
      const found = await benchStreams(folder, quick);
      return { found, table: streamsTable(found) };
    },
    async devices(folder, quick) {
      const found = await benchAccount(folder, quick);
      return { found, table: accountTable(found) };
    },
    async cosign(folder, quick) {
      const found = await benchCosign(folder, quick);
      return { found, table: cosignTable(found) };
    },
    async gate(folder, quick) {
      const found = await benchGate(folder, quick);
      return { found, table: gateTable(found) };
    },
  };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, help: { type: 'boolean' } },
});
const [name = '', ...more] = positionals;
const bench = Object.hasOwn(BENCHES, name) && more.length === 0 ? BENCHES[name] : undefined;

if (values.help || bench === undefined) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  pinLoad();
  const quick = values.quick === true;
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'));
  try {
    const { found, table } = await bench(folder, quick);
    const result = { bench: name, quick, ...found, machine: describeMachine() };
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${table}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
