/**
 * The C module through its real entry point, on Linux-PAM by pam_wrapper and on OpenPAM's interface, before the
 * daemon's real listener: what each hears of the other, and who may ask. No root is needed, and none is used.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Attempt, type Authenticate, present } from '../packages/gate/src/pam/index.ts';
import { createPamDaemons, granted, ROOT } from './pam-daemons.ts';
import { type Converse, converse } from './pam-module.ts';
import { until } from './until.ts';

const { folder, served } = createPamDaemons();
const NOBODY = 65534;
const ROOTS = ROOT ? false : 'only root’s programs bring a command';

test('the module shows PAM’s two entries, and nothing else of its own', () => {
  const { status, stdout } = spawnSync(join(folder, 'symbols'), [join(folder, 'pam_countersign.so')]);
  assert.equal(status, 0, String(stdout));
});

for (const pam of ['linux', 'openpam'] as const) {
  const run = (socket: string, options?: Converse) => converse(pam, folder, socket, options);

  describe(`on ${pam === 'linux' ? 'Linux-PAM' : 'OpenPAM’s interface'}`, { concurrency: 2 }, () => {
    for (const [verdict, result] of [
      ['granted', 'success'],
      ['denied', 'auth-err'],
      ['exhausted', 'maxtries'],
      ['unavailable', 'authinfo-unavail'],
    ] as const) {
      test(`the daemon’s ${verdict} is ${result}`, async () => {
        await served(
          async () => verdict,
          async (socket) => assert.equal((await run(socket)).result, result),
        );
      });
    }

    test('the daemon hears who wants to come in, where, and how they can be spoken to', async () => {
      const heard: Attempt[] = [];
      const items = ['tty=pts/7', 'rhost=198.51.100.7', 'ruser=bob'];
      await served(
        async (attempt) => {
          heard.push(attempt);
          return 'granted';
        },
        (socket) => run(socket, { service: 'sshd', items, words: ['mode=push', 'timeout=30', 'qr=auto'] }),
      );
      const [{ signal: _signal, deadline, peer, ...rest }] = heard as [Attempt];
      assert.deepEqual(rest, {
        service: 'sshd',
        user: 'alice',
        mode: 'push',
        style: 'prompt',
        qr: 'ascii',
        tty: 'pts/7',
        remoteHost: '198.51.100.7',
        remoteUser: 'bob',
      });
      assert.equal(peer.uid, process.getuid?.());
      assert.ok(deadline > performance.now());
    });

    for (const [locale, form] of [
      ['en_US.utf8', 'utf8'],
      ['de_AT.UTF-8@euro', 'utf8'],
      ['C.utf-8', 'utf8'],
      ['en_US.ISO-8859-1', 'ascii'],
      ['POSIX', 'ascii'],
    ] as const) {
      test(`qr=auto takes ${form} in ${locale}`, async () => {
        const heard: string[] = [];
        await served(
          async ({ qr }) => {
            heard.push(qr);
            return 'granted';
          },
          (socket) => run(socket, { words: ['qr=auto'], env: { LC_ALL: '', LC_CTYPE: '', LANG: locale } }),
        );
        assert.deepEqual(heard, [form]);
      });
    }

    test('sudo’s own words go along, each as it was given', { skip: ROOTS }, async () => {
      const heard: Attempt[] = [];
      await served(
        async (attempt) => {
          heard.push(attempt);
          return 'granted';
        },
        (socket) => run(socket, { service: 'sudo', items: ['tty=x'], answers: ['', 'a b'] }),
      );
      assert.deepEqual(heard[0]?.command?.slice(1), ['sudo', 'alice', 'tty=x', '--', '', 'a b']);
      assert.equal(heard[0]?.folder, process.cwd());
    });

    test('a command that is too long to be told is not asked about', async () => {
      await served(granted, async (socket, events) => {
        const { result } = await run(socket, { service: 'sudo', answers: ['x'.repeat(5000)] });
        assert.equal(result, 'authinfo-unavail');
        assert.deepEqual(events, []);
      });
    });

    for (const [service, style] of [
      ['su', 'info'],
      ['sudo', 'info'],
      ['login', 'info'],
      ['xscreensaver', 'info'],
      ['lightdm', 'silent'],
      ['sshd', 'prompt'],
      ['imap', 'prompt'],
      ['vsftpd', 'silent'],
      ['i3lock', 'silent'],
    ] as const) {
      const skip = service === 'sudo' && ROOTS;
      test(`${service} is spoken to by ${style}, unless its line says otherwise`, { skip }, async () => {
        const styles: string[] = [];
        const note: Authenticate = async ({ style: heard }) => {
          styles.push(heard);
          return 'granted';
        };
        await served(note, async (socket) => {
          await run(socket, { service });
          await run(socket, { service, words: ['conv=silent'] });
        });
        assert.deepEqual(styles, [style, 'silent']);
      });
    }

    test('info is shown before the wait, prompts give what was typed, secrets are hidden', async () => {
      const typed: string[] = [];
      const { said, result, stderr } = await served(
        async (_attempt, conversation) => {
          await conversation.info('passcode 123 456');
          typed.push(await conversation.prompt('open? '));
          typed.push(await conversation.secret('hidden: '));
          await conversation.error('last words');
          return 'granted';
        },
        (socket) => run(socket, { answers: ['yes', 'ünïcode'] }),
      );
      assert.deepEqual(typed, ['yes', 'ünïcode']);
      assert.deepEqual(said, [
        { kind: 'info', text: 'passcode 123 456' },
        { kind: 'prompt', text: 'open? ' },
        { kind: 'secret', text: 'hidden: ' },
        { kind: 'error', text: 'last words' },
      ]);
      assert.equal(result, 'success');
      assert.equal(stderr, '');
    });

    test('in a prompt, the text begins on a line of its own and says how to go on', async () => {
      const { said } = await served(
        async (attempt, conversation) => {
          const { typed } = await present(attempt, conversation, ['one', 'two']);
          return (await typed) === '' ? 'granted' : 'denied';
        },
        (socket) => run(socket, { service: 'sshd', answers: [''] }),
      );
      assert.deepEqual(said, [{ kind: 'prompt', text: '\none\ntwo\nThen press Enter: ' }]);
    });

    test('a silent program is shown nothing, and its one field is the password', async () => {
      const typed: string[] = [];
      const { said, result } = await served(
        async (_attempt, conversation) => {
          await conversation.info('not seen');
          await conversation.error('nor this');
          typed.push(await conversation.prompt('Password: '), await conversation.secret('Password: '));
          return 'granted';
        },
        (socket) => run(socket, { service: 'vsftpd', answers: ['s3cret', 'never asked'] }),
      );
      assert.deepEqual(said, [{ kind: 'secret', text: 'Password: ' }]);
      assert.deepEqual(typed, ['s3cret', 's3cret']);
      assert.equal(result, 'success');
    });

    test('the user is asked for in the words of the line', async () => {
      const { said } = await served(granted, (socket) =>
        run(socket, {
          user: '-',
          answers: ['alice'],
          words: pam === 'linux' ? ['user_prompt=Who are you? '] : ['user_prompt=Who?'],
        }),
      );
      assert.deepEqual(said, [{ kind: 'prompt', text: pam === 'linux' ? 'Who are you? ' : 'Who?' }]);
    });

    for (const [what, answer] of [
      ['fails', '!'],
      ['gives nothing', '!null'],
      ['gives more than anybody types', '!long'],
    ] as const) {
      test(`a conversation that ${what} ends the attempt`, async () => {
        await served(
          async (_attempt, conversation) => {
            await conversation.prompt('open? ');
            return 'granted';
          },
          async (socket, events) => {
            assert.equal((await run(socket, { answers: [answer] })).result, 'conv-err');
            assert.deepEqual(
              events.map(({ what: happened }) => happened),
              ['attempt', 'left'],
            );
          },
        );
      });
    }

    test('text of the daemon can’t act on a terminal', async () => {
      const { said } = await served(
        async (_attempt, conversation) => {
          await conversation.info('a\x1b[2Jb\r\x07\x7f\x9b31m é\n█▀');
          return 'denied';
        },
        (socket) => run(socket),
      );
      assert.deepEqual(said, [{ kind: 'info', text: 'a?[2Jb?????31m é\n█▀' }]);
    });
  });
}

describe('a user’s own processes', {
  skip: ROOT ? false : 'another user’s processes are started by root only',
}, () => {
  const asNobody = (socket: string, options: Converse = {}) =>
    converse('linux', folder, socket, { ...options, uid: NOBODY });

  test('may ask for that user', async () => {
    await served(granted, async (socket) => {
      assert.equal((await asNobody(socket, { user: 'nobody' })).result, 'success');
    });
  });

  for (const [user, why] of [
    ['root', 'another user'],
    ['65534', 'a number in place of a name'],
    ['-h', 'an option in place of a name'],
    ['nobody2', 'a user that there is not'],
  ] as const) {
    test(`may not ask for ${why}`, async () => {
      await served(granted, async (socket, events) => {
        assert.equal((await asNobody(socket, { user })).result, 'auth-err');
        assert.deepEqual(
          events.map(({ what }) => what),
          ['refused'],
        );
      });
    });
  }

  test('may not bring a command, which root’s sudo alone does', async () => {
    await served(granted, async (socket) => {
      assert.equal((await asNobody(socket, { user: 'nobody', service: 'sudo' })).result, 'auth-err');
    });
  });

  test('may not ask as often as they like', async () => {
    await served(granted, async (socket) => {
      const results: string[] = [];
      for (let i = 0; i < 11; i++) results.push((await asNobody(socket, { user: 'nobody' })).result);
      assert.deepEqual(results, [...Array<string>(10).fill('success'), 'authinfo-unavail']);
      // Root is not held up by it.
      assert.equal((await converse('linux', folder, socket)).result, 'success');
    });
  });

  test('leave root’s login programs their places, as whomever they come', async () => {
    await served(granted, async (socket, events) => {
      // Whoever has subordinate uids (newuidmap(1)) comes as each of them.
      const come = `for (let uid = 100_000; uid < 100_400; uid++) {
        process.seteuid(uid);
        require('node:net').connect(${JSON.stringify(socket)}).on('error', () => {});
        process.seteuid(0);
      }
      console.log('there');`;
      const crowd = spawn(process.execPath, ['-e', come], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        await once(crowd.stdout, 'data');
        assert.equal((await converse('linux', folder, socket)).result, 'success');
        assert.ok(events.filter(({ what }) => what === 'refused').length > 300);
        assert.equal((await asNobody(socket, { user: 'nobody' })).result, 'authinfo-unavail');
      } finally {
        const gone = once(crowd, 'exit');
        crowd.kill('SIGKILL');
        await gone;
      }
      // The places are free again.
      await until(async () => (await asNobody(socket, { user: 'nobody' })).result === 'success');
    });
  });
});

test('the manual page is written as mdoc wants it', () => {
  const page = fileURLToPath(import.meta.resolve('../packages/gate/pam/pam_countersign.8'));
  const { status, stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning', page], { encoding: 'utf8' });
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
});
