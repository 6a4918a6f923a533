/**
 * The unit files in deploy/, by systemd's own tools; and sockets that are opened by somebody else.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { countersignGate } from './gate-processes.ts';
import { pairValidator } from './gate-validator.ts';
import { SKIP as NO_NAMESPACES } from './pam-host.ts';
import { temporaryFolder } from './processes.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SKIP = existsSync('/usr/bin/systemd-analyze') ? false : 'there is no systemd here';

describe('units', { skip: SKIP }, () => {
  /** The units, as if this project were installed where they say. */
  async function installed() {
    const folder = await temporaryFolder();
    const names = readdirSync(join(ROOT, 'deploy')).filter((name) => /\.(service|socket)$/.test(name));
    for (const name of names) {
      const text = readFileSync(join(ROOT, 'deploy', name), 'utf8');
      writeFileSync(join(folder.path, name), text.replaceAll('/usr/lib/countersign/', ROOT));
    }
    return { folder, paths: names.map((name) => join(folder.path, name)) };
  }

  test('are without a mistake', async () => {
    const { folder, paths } = await installed();
    try {
      assert.ok(paths.length >= 5);
      const said = execFileSync('systemd-analyze', ['verify', '--recursive-errors=no', ...paths], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      assert.equal(said, '');
    } finally {
      await folder[Symbol.asyncDispose]();
    }
  });

  test('are hardened: an exposure of 2.0 at most, of 10', async () => {
    const { folder, paths } = await installed();
    try {
      for (const path of paths.filter((one) => one.endsWith('.service'))) {
        execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', path], {
          stdio: 'pipe',
        });
      }
    } finally {
      await folder[Symbol.asyncDispose]();
    }
  });

  test('the demultiplexer takes sockets that the service manager has opened', async () => {
    await using folder = await temporaryFolder();
    const [port, interfaces, data] = [
      await freePort(),
      join(folder.path, 'in.sock'),
      join(folder.path, 'gate'),
    ];
    const manager = spawn(
      'systemd-socket-activate',
      [
        ...['-l', `127.0.0.1:${port}`, '-l', interfaces, '--fdname=validators:interfaces'],
        join(ROOT, 'packages/gate/bin/countersign-gated'),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    try {
      await until(() => existsSync(interfaces));
      // the first who comes starts it
      createConnection(port, '127.0.0.1').on('error', () => {});
      const address = ['--address', `127.0.0.1:${port}`];
      await countersignGate(data, [
        'configure',
        '--host',
        'host1.example',
        '--demultiplexer',
        interfaces,
        ...address,
      ]);
      const alice = await pairValidator(data, 'alice');
      assert.equal(alice.record.host, 'host1.example');
    } finally {
      const gone = once(manager, 'exit');
      manager.kill('SIGTERM');
      await gone;
    }
  });

  test('the host’s daemon takes its two as well: for login programs, and for the web', async () => {
    await using folder = await temporaryFolder();
    const [port, pam] = [await freePort(), join(folder.path, 'pam.sock')];
    const words = ['serve', '--data', join(folder.path, 'gate'), '--origin', 'https://app.example'];
    const manager = spawn(
      'systemd-socket-activate',
      [
        ...['-l', pam, '-l', `127.0.0.1:${port}`, '--fdname=pam:web'],
        ...[join(ROOT, 'packages/gate/bin/countersign-gate'), ...words],
      ],
      { stdio: 'ignore' },
    );
    try {
      await until(() => existsSync(pam));
      // the first who comes starts it
      const program = createConnection(pam);
      program
        .on('error', () => {})
        .resume()
        .write('no frame of the module');
      const cut = once(program, 'close');
      const page = await fetch(`http://127.0.0.1:${port}/countersign/`);
      assert.match(await page.text(), /Sign on to /);
      // A socket that nobody accepts from would be left as it is.
      await cut;
    } finally {
      const gone = once(manager, 'exit');
      manager.kill('SIGTERM');
      await gone;
    }
  });

  test('the host’s daemon knows its grants by the /proc that its unit leaves it', {
    skip: NO_NAMESPACES,
  }, async () => {
    await using folder = await temporaryFolder();
    const data = join(folder.path, 'gate');
    for (const words of [
      ['account', 'alice', 'alice@example.com'],
      ['approvers', 'alice', 'bob@example.com'],
      ['grant', 'alice', '--service', 'su', '--for', '1h'],
    ]) {
      assert.equal((await countersignGate(data, words)).status, 0, words.join(' '));
    }
    const daemon = spawn(
      'unshare',
      [
        ...['--mount', '--', 'sh', '-c', `mount -t proc -o "$1" proc /proc && shift && exec "$@"`, 'sh'],
        ...[procOptions('countersign-gate.service'), join(ROOT, 'packages/gate/bin/countersign-gate')],
        ...['serve', '--data', data, '--pam', join(folder.path, 'pam.sock')],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      for await (const line of createInterface({ input: daemon.stdout })) {
        const { event, what } = JSON.parse(line) as Record<string, string>;
        assert.notEqual(event, 'failure', line);
        if (what === 'GRANT OPEN') return;
      }
      assert.fail('it ended without a word of the grant');
    } finally {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      await gone;
    }
  });

  /** How systemd mounts /proc for a unit (systemd.exec(5)). */
  function procOptions(unit: string): string {
    const text = readFileSync(join(ROOT, 'deploy', unit), 'utf8');
    const is = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1];
    return `hidepid=${is('ProtectProc') ?? 'off'}${is('ProcSubset') === 'pid' ? ',subset=pid' : ''}`;
  }
});
