/**
 * The C module where something is wrong: its line, its daemon, the time that is taken, or a person who is gone. On
 * Linux-PAM by pam_wrapper and on OpenPAM's interface, through its real entry point; its parser by itself as well.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Authenticate, servePam } from '../packages/gate/src/pam/index.ts';
import { createPamDaemons, granted, own, ROOT, raw } from './pam-daemons.ts';
import { build, type Converse, converse } from './pam-module.ts';
import { until } from './until.ts';

const { folder, newSocket, served, rude } = createPamDaemons();

for (const pam of ['linux', 'openpam'] as const) {
  const run = (socket: string, options?: Converse) => converse(pam, folder, socket, options);

  describe(`on ${pam === 'linux' ? 'Linux-PAM' : 'OpenPAM’s interface'}`, { concurrency: 2 }, () => {
    for (const word of [
      'mode=open',
      'conv=loud',
      'timeout=0',
      'timeout=601',
      'timeout=5s',
      'socket=relative',
      'owner=-1',
      'owner=root',
      'nonsense',
      'debug=1',
      '=',
      'qr=png',
    ]) {
      test(`a line with ${word} opens nothing`, async () => {
        await served(granted, async (socket, events) => {
          assert.equal((await run(socket, { words: [word] })).result, 'service-err');
          assert.deepEqual(events, []);
        });
      });
    }

    test('where there is no daemon, nobody can be asked', async () => {
      const { result, ms } = await run(newSocket());
      assert.equal(result, 'authinfo-unavail');
      assert.ok(ms < 5000);
    });

    test('a socket that another user listens on is not believed', async () => {
      await served(granted, async (socket) => {
        const words = [`owner=${(process.getuid?.() ?? 0) + 1}`];
        assert.equal((await run(socket, { words })).result, 'authinfo-unavail');
      });
    });

    for (const [what, onSocket] of [
      ['never answers', () => {}],
      [
        'trickles',
        (socket) => {
          const bytes = raw('I', 'x'.repeat(4000));
          let at = 0;
          const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 20);
          socket.on('close', () => clearInterval(timer));
        },
      ],
    ] as [string, (socket: Socket) => void][]) {
      test(`a daemon that ${what} holds nobody longer than the timeout`, async () => {
        await rude(onSocket, async (path) => {
          const { result, ms } = await run(path, { words: ['timeout=1'] });
          assert.equal(result, 'authinfo-unavail');
          assert.ok(ms >= 900 && ms < 10_000, `${ms} ms`);
        });
      });
    }

    test('a yes that comes after the timeout opens nothing', async () => {
      await served(
        async (_attempt, conversation) => {
          await conversation.info('wait');
          await new Promise((resolve) => setTimeout(resolve, 1500));
          return 'granted';
        },
        async (socket) => {
          assert.equal((await run(socket, { words: ['timeout=1'] })).result, 'authinfo-unavail');
        },
      );
    });

    for (const [what, bytes] of Object.entries({
      'ends without a word': Buffer.alloc(0),
      'ends inside a frame': raw('V', 'granted').subarray(0, 6),
      'says granted with more behind it': raw('V', 'granted\0'),
      'says a part of granted': raw('V', 'grant'),
      'gives an empty verdict': raw('V', ''),
      'sends a frame that is too long': Buffer.concat([
        Buffer.from('I\x10\x01'),
        Buffer.alloc(0x1001, 65),
        raw('V', 'granted'),
      ]),
      'sends an unknown frame first': Buffer.concat([raw('X', ''), raw('V', 'granted')]),
      'talks without end': Buffer.concat([
        ...Array.from({ length: 16 }, () => raw('I', 'x')),
        raw('V', 'granted'),
      ]),
    })) {
      test(`a daemon that ${what} opens nothing`, async () => {
        await rude(
          (socket) => socket.end(bytes),
          async (path) =>
            assert.equal((await run(path, { words: ['timeout=2'] })).result, 'authinfo-unavail'),
        );
      });
    }

    test('a daemon that ends tells those who wait, and the next one serves', async () => {
      const socket = newSocket();
      const start = (authenticate: Authenticate) =>
        servePam({ socket, authenticate, monotonic: () => performance.now(), uidOf: own });
      const begun = Promise.withResolvers<void>();
      const first = await start(async ({ signal }) => {
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'granted';
      });
      const waiting = run(socket);
      await begun.promise;
      await first.close();
      const { result, ms } = await waiting;
      assert.equal(result, 'authinfo-unavail');
      assert.ok(ms < 5000);
      await using _second = await start(granted);
      assert.equal((await run(socket)).result, 'success');
    });

    test('who is gone no longer waits: the daemon hears it at once', async () => {
      const left = Promise.withResolvers<void>();
      const shown = Promise.withResolvers<void>();
      let pid = 0;
      await served(
        async ({ signal }, conversation) => {
          await conversation.info('waiting');
          shown.resolve();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          left.resolve();
          return 'granted';
        },
        async (socket, events) => {
          const running = run(socket, { onSpawn: (child) => (pid = child) });
          await shown.promise;
          process.kill(pid, 'SIGINT');
          await left.promise;
          assert.equal((await running).result, 'killed');
          await until(() => events.length >= 2);
          assert.deepEqual(
            events.map(({ what }) => what),
            ['attempt', 'left'],
          );
        },
      );
    });

    test('valgrind finds nothing, whatever way an attempt ends', async () => {
      const talk: Authenticate = async (_attempt, conversation) => {
        await conversation.info('hello');
        return (await conversation.prompt('open? ')) === 'yes' ? 'granted' : 'denied';
      };
      await served(talk, async (socket) => {
        const runs: [Converse, string][] = [
          [{ answers: ['yes'] }, 'success'],
          [{ answers: ['no'], service: ROOT ? 'sudo' : 'login' }, 'auth-err'],
          [{ answers: ['!'] }, 'conv-err'],
          [{ answers: ['!long'] }, 'conv-err'],
          [{ answers: ['yes'], service: 'vsftpd' }, 'success'],
          [{ words: ['nonsense'] }, 'service-err'],
        ];
        for (const [options, expected] of runs) {
          const { result, stderr } = await run(socket, { ...options, valgrind: true });
          assert.deepEqual({ result, stderr }, { result: expected, stderr: '' });
        }
      });
    });
  });
}

describe('the module’s parser', () => {
  const corpus = fileURLToPath(import.meta.resolve('../packages/gate/pam/fuzz/corpus'));

  test('reads its corpus under the sanitizers without a word from them', () => {
    build(folder, ['fuzz-replay']);
    const inputs = readdirSync(corpus).map((name) => join(corpus, name));
    const { status, stdout, stderr } = spawnSync(join(folder, 'fuzz-replay'), inputs, {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.deepEqual(stdout.trimEnd().split('\n'), inputs);
  });

  const slow = process.env.SLOW ? false : 'SLOW=1 runs AFL++ for two minutes';
  test('gives AFL++ nothing', { skip: slow }, () => {
    build(folder, ['fuzz-afl'], ['CC=afl-clang-fast']);
    const findings = join(folder, 'findings');
    const { status, stdout } = spawnSync(
      'afl-fuzz',
      ['-V', '120', '-i', corpus, '-o', findings, '--', join(folder, 'fuzz-afl')],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          AFL_NO_UI: '1',
          AFL_NO_AFFINITY: '1',
          AFL_SKIP_CPUFREQ: '1',
          AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES: '1',
        },
      },
    );
    assert.equal(status, 0, stdout);
    const stats = readFileSync(join(findings, 'default', 'fuzzer_stats'), 'utf8');
    const numberOf = (name: string) => Number(new RegExp(`^${name} *: (\\d+)`, 'm').exec(stats)?.[1]);
    assert.ok(numberOf('execs_done') > 100_000, stats);
    assert.deepEqual([numberOf('saved_crashes'), numberOf('saved_hangs')], [0, 0], stats);
  });
});
