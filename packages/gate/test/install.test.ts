import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { linesByHand } from '../src/install/install.ts';
import {
  byHand,
  optionsIn,
  pamAuthUpdateProfile,
  STANDS,
  socketIn,
  withOptions,
} from '../src/install/stack.ts';
import { asksEachTime } from '../src/install/sudo.ts';
import { type PamSystem, readSystem } from '../src/install/system.ts';

/** Reads a system that has these files, each empty. */
function system(...files: string[]): PamSystem | undefined {
  const root = mkdtempSync(join(tmpdir(), 'countersign-system-'));
  try {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), '');
    }
    return readSystem(root, 'x86_64');
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('a system', () => {
  test('of Debian: the modules of its own machine, and pam-auth-update', () => {
    const modules = ['i386-linux-gnu', 'x86_64-linux-gnu'].map(
      (one) => `usr/lib/${one}/security/pam_unix.so`,
    );
    assert.deepEqual(system('etc/pam.d/su', 'usr/sbin/pam-auth-update', ...modules), {
      keeper: 'pam-auth-update',
      security: '/usr/lib/x86_64-linux-gnu/security',
      selinux: false,
    });
  });

  test('of Fedora: those of 64 bits, authselect and SELinux', () => {
    const modules = ['usr/lib/security/pam_unix.so', 'usr/lib64/security/pam_unix.so'];
    const files = ['etc/pam.d/su', 'usr/bin/authselect', 'sys/fs/selinux/enforce', ...modules];
    assert.deepEqual(system(...files), {
      keeper: 'authselect',
      security: '/usr/lib64/security',
      selinux: true,
    });
  });

  test('of FreeBSD: modules that are added go where added things go', () => {
    assert.deepEqual(system('etc/pam.d/su', 'usr/lib/pam_unix.so', 'usr/lib/pam_unix.so.6'), {
      keeper: 'nobody',
      security: '/usr/local/lib',
      selinux: false,
    });
  });

  test('without PAM is none', () => assert.equal(system('etc/passwd'), undefined));
});

describe('what is written by hand', () => {
  const line = { stand: 'beside', options: ['mode=gate'] } as const;

  test('says where the line goes, and ends with a second session', () => {
    const text = linesByHand({ keeper: 'nobody', security: '/usr/local/lib', selinux: false }, line);
    assert.match(
      text,
      /Put the module at \/usr\/local\/lib\/pam_countersign\.so, and its manual page, .*\/man8\/pam_countersign\.8\./,
    );
    assert.match(text, /above that of pam_unix\.so, in the file of each service/);
    assert.match(text, /\n {4}auth sufficient pam_countersign\.so mode=gate\n/);
    assert.match(text, /second session before you close this one\.$/);
    assert.doesNotMatch(text, /authselect|SELinux/);
  });

  test('with authselect and SELinux: their commands too', () => {
    const text = linesByHand({ keeper: 'authselect', security: '/usr/lib64/security', selinux: true }, line);
    assert.match(text, /authselect create-profile countersign -b sssd\n.*system-auth and password-auth/s);
    assert.match(text, /authselect select custom\/countersign --backup=before-countersign/);
    assert.match(
      text,
      /ausearch -m avc -ts recent \| audit2allow -M countersign && semodule -i countersign\.pp/,
    );
  });

  test('the gate after the password stands below it', () => {
    const text = linesByHand(
      { keeper: 'nobody', security: '/usr/lib/security', selinux: false },
      { ...line, stand: 'both' },
    );
    assert.match(text, /below that of pam_unix\.so, which must be required/);
    assert.match(text, /auth required pam_countersign\.so/);
  });
});

describe('sudo', () => {
  for (const [defaults, each] of [
    ['env_reset, use_pty', false],
    ['env_reset, timestamp_timeout=0', true],
    ['timestamp_timeout=0, use_pty', true],
    ['env_reset, !timestamp_timeout', true],
    ['timestamp_timeout=0, timestamp_timeout=5', false],
    ['timestamp_timeout=5,\n    timestamp_timeout=0', true],
    ['timestamp_timeout=0.5', false],
    ['timestamp_timeout=-1', false],
  ] as const) {
    test(`with ${JSON.stringify(defaults)} asks about ${each ? 'each command' : 'the first one alone'}`, () => {
      const listed = `Matching Defaults entries for root on db1:\n    ${defaults}\n\nUser root may run the following`;
      assert.equal(asksEachTime(listed), each);
    });
  }
  test('that says nothing is taken to ask about the first one alone', () =>
    assert.equal(asksEachTime(''), false));
});

describe('a line of a stack', () => {
  test('has one control for each stand, by hand and in a profile', () => {
    const controls = STANDS.map((stand) => [
      stand,
      byHand({ stand, options: [] }).split(' ')[1],
      /^\t(.*)\tpam_countersign\.so$/m.exec(pamAuthUpdateProfile({ stand, options: [] }))?.[1],
    ]);
    assert.deepEqual(controls, [
      ['beside', 'sufficient', '[success=end default=ignore]'],
      ['both', 'required', 'required'],
      ['before', 'requisite', '[success=ignore default=die]'],
      ['instead', 'required', '[success=end default=die]'],
    ]);
  });

  test('is read back as it was written', () => {
    const options = ['mode=push', 'user_prompt=Who [are] you? ', 'socket=/run/a b.sock'];
    for (const stand of STANDS) {
      assert.deepEqual(optionsIn(byHand({ stand, options })), options);
      assert.deepEqual(optionsIn(byHand({ stand, options: [] })), []);
    }
    assert.deepEqual(
      optionsIn('auth [success=2 default=ignore] /lib/security/pam_countersign.so debug # ours'),
      ['debug'],
    );
    for (const other of ['# auth required pam_countersign.so', 'auth required pam_unix.so nullok', '']) {
      assert.equal(optionsIn(other), undefined);
    }
  });

  test('takes other options in the place of those of the same name', () => {
    const options = withOptions(['mode=gate', 'debug', 'socket=/a'], ['mode=push', 'qr=auto']);
    assert.deepEqual(options, ['debug', 'socket=/a', 'mode=push', 'qr=auto']);
    assert.equal(socketIn(options), '/a');
    assert.equal(socketIn([]), '/run/countersign/pam.sock');
  });
});
