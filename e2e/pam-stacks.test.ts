/**
 * What else than the daemon's yes is in a stack: passwords before the module, after it, beside it or not at all; codes on
 * paper; and a daemon that is not there.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { webCrypto } from '@countersign/core/webcrypto';
import { servePam } from '../packages/gate/src/pam/index.ts';
import { SpareCodes } from '../packages/gate/src/spare-codes/spare-codes.ts';
import { withSpareCodes } from '../packages/gate/src/spare-codes/with-spare-codes.ts';
import { createPamAttempts } from './pam-attempts.ts';
import { type Host, SKIP } from './pam-host.ts';
import { startSshd, startVsftpd } from './pam-servers.ts';

describe('stacks', { skip: SKIP }, () => {
  const { world, next, line } = createPamAttempts();
  let host: Host;

  before(() => {
    ({ host } = world);
  });

  describe('a daemon that is not there', () => {
    test('lets nobody in, and a password further down the stack still does', async () => {
      const nowhere = `${world.module} socket=${world.pam}.none`;
      host.stack('su', `auth required ${nowhere}`);
      const alone = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await alone.see('su: Authentication service cannot retrieve authentication info');
      assert.notEqual(await alone.ended(), 0);
      host.stack('su', `auth sufficient ${nowhere}`, 'auth required pam_unix.so');
      const beside = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await beside.see('Password: ');
      beside.type('pw-bob\n');
      await beside.see(/^bob$/m);
      assert.equal(await beside.ended(), 0);
    });
  });

  describe('a code on paper', () => {
    const store = new SpareCodes(world.at('codes.db'), webCrypto);
    const path = world.at('codes.sock');
    const line = `auth required ${world.module} socket=${path}`;
    const used: string[] = [];

    before(async () => {
      world.ends.defer(() => store.close());
      const offline = await servePam({
        socket: path,
        monotonic: () => performance.now(),
        authenticate: withSpareCodes(
          async () => 'unavailable',
          store,
          ({ user }, use) => used.push(`${user}, ${use}`),
        ),
      });
      world.ends.use(offline);
    });

    test('su asks for it where nobody can be asked; it opens once', async () => {
      host.stack('su', line);
      const [code] = (await store.make('bob', 2)) as [string];
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await terminal.see('A code from your sheet: ');
      terminal.type(`${code}\n`);
      await terminal.see(/^bob$/m);
      assert.doesNotMatch(terminal.screen, new RegExp(code));
      const again = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await again.see('A code from your sheet: ');
      again.type(`${code}\n`);
      await again.see('su: Authentication service cannot retrieve authentication info');
    });

    test('sshd takes the break-glass code of the host, and so the daemon is told', async () => {
      host.stack('sshd', line);
      const code = await store.makeBreakGlass();
      const ssh = await startSshd(host);
      const terminal = host.terminal(ssh('id', '-un'), 'bob');
      await terminal.see('A code from your sheet: ');
      terminal.type(`${code}\n`);
      await terminal.see(/^alice$/m);
      assert.equal(used.at(-1), 'alice, break-glass');
    });

    test('vsftpd takes it as the password', async () => {
      host.stack('vsftpd', line);
      const [code] = (await store.make('bob', 1)) as [string];
      const login = await startVsftpd(host);
      assert.equal(await login('bob', 'pw-bob'), '530 Login incorrect.');
      assert.equal(await login('bob', code), '230 Login successful.');
      assert.equal(await login('bob', code), '530 Login incorrect.');
    });
  });

  describe('a stack', () => {
    test('beside passwords: a yes is enough, and after a no the password is asked', async () => {
      host.stack('su', line().replace('required', 'sufficient'), 'auth required pam_unix.so try_first_pass');
      const yes = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('granted');
      await yes.see(/^bob$/m);
      assert.equal(await yes.ended(), 0);
      const no = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('denied');
      await no.see('Password: ');
      no.type('pw-bob\n');
      await no.see(/^bob$/m);
      assert.equal(await no.ended(), 0);
    });

    test('before passwords: both are needed', async () => {
      host.stack('su', line().replace('required', 'requisite'), 'auth required pam_unix.so');
      const both = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('granted');
      await both.see('Password: ');
      both.type('pw-bob\n');
      await both.see(/^bob$/m);
      assert.equal(await both.ended(), 0);
      const wrong = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('granted');
      await wrong.see('Password: ');
      wrong.type('pw-alice\n');
      await wrong.see('Authentication failure');
      const no = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('denied');
      await no.see('Authentication failure');
      assert.doesNotMatch(no.screen, /Password/);
    });

    test('after passwords: both are needed, the password first', async () => {
      host.stack('su', 'auth required pam_unix.so', line());
      const both = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await both.see('Password: ');
      both.type('pw-bob\n');
      (await next()).decide('granted');
      await both.see(/^bob$/m);
      const no = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await no.see('Password: ');
      no.type('pw-bob\n');
      (await next()).decide('denied');
      await no.see('Authentication failure');
    });

    test('instead of passwords: no password is asked at all', async () => {
      host.stack('su', line());
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('granted');
      await terminal.see(/^bob$/m);
      assert.doesNotMatch(terminal.screen, /Password/);
    });
  });
});
