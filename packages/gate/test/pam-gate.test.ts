import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { formatPasscodeCode } from '@countersign/core/m-auth';
import decodeQR from 'qr/decode.js';
import type { Attempt, Conversation, Decision } from '../src/pam/door.ts';
import { gateAuthenticator } from '../src/sign-on/pam-gate.ts';
import type { SignOn } from '../src/sign-on/sign-on.ts';
import type { Door } from '../src/sign-on/system-interface.ts';
import { startHost } from './host.ts';

const PASSCODE = '123456';
const SCALE = 4;

/** What the person sees, who is then refused. */
async function screen(qr: Attempt['qr']): Promise<string[]> {
  const shown: string[] = [];
  const no = async () => '';
  const conversation: Conversation = {
    prompt: no,
    secret: no,
    error: async () => {},
    info: async (text) => void shown.push(...text.split('\n')),
  };
  const signOn = {
    passcode: PASSCODE,
    context: { host: 'db1.example' },
    result: Promise.resolve({ outcome: 'refused', why: 'denied' }),
    cancel() {},
  };
  const authenticate = gateAuthenticator({ open: async () => signOn as unknown as SignOn });
  await authenticate(attemptOf({ service: 'su', style: 'info', qr, tty: 'pts/1' }), conversation);
  return shown;
}

/** Rows of modules, each light or not, as a dark terminal shows a form’s characters. */
const FORMS = {
  ascii: (lines: readonly string[]) =>
    lines.map((line) => [...line].filter((_, i) => i % 2 === 0).map((c) => c !== ' ')),
  utf8: (lines: readonly string[]) =>
    lines.flatMap((line) => ['█▀', '█▄'].map((light) => [...line].map((c) => light.includes(c)))),
};

/** Reads modules as a camera sees them. */
function scan(rows: readonly (readonly boolean[])[]): string {
  const [width, height] = [rows[0]!.length * SCALE, rows.length * SCALE];
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = rows[Math.floor(y / SCALE)]![Math.floor(x / SCALE)] ?? false;
      const at = (y * width + x) * 4;
      data.fill(light ? 255 : 0, at, at + 3);
    }
  }
  return decodeQR({ width, height, data });
}

/** Of sshd, which goes on at Enter; a test says of what else. */
const attemptOf = (more: Partial<Attempt>): Attempt => ({
  ...{ service: 'sshd', user: 'alice', mode: 'gate', style: 'prompt', qr: 'none', remoteHost: '192.0.2.1' },
  peer: { pid: 1, uid: 0, gid: 0 },
  deadline: performance.now() + 30_000,
  signal: new AbortController().signal,
  ...more,
});

describe('a yes that waits for Enter', () => {
  type Host = Awaited<ReturnType<typeof startHost>>;

  /** The verdict, where something happens after alice's yes, which a grant lets stand for approvers'. */
  async function verdictAfter(happens: (host: Host) => unknown): Promise<Decision> {
    await using host = await startHost();
    const alice = await host.pair('alice');
    host.records.setUser('alice', { approvals: { needed: 1, of: ['bob@example.com'] } });
    host.records.grants.open({ user: 'alice', service: 'sshd', seconds: 1800, by: 'root' });
    const seen = Promise.withResolvers<string>();
    const enter = Promise.withResolvers<string>();
    const nothing = async () => '';
    const verdict = gateAuthenticator(host.gate)(attemptOf({}), {
      ...{ secret: nothing, info: async () => {}, error: async () => {} },
      prompt(text) {
        seen.resolve(text);
        return enter.promise;
      },
    });
    const passcode = /passcode (\d{3}) (\d{3})/
      .exec(await seen.promise)!
      .slice(1)
      .join('');
    assert.equal((await alice.signOn(passcode)).end.outcome, 'granted');
    happens(host);
    enter.resolve('');
    return verdict;
  }

  const approvals = { needed: 2, of: ['bob@example.com', 'carol@example.com'] };
  for (const [what, happens] of Object.entries<(host: Host) => unknown>({
    'the user is disabled': ({ records }) => records.setDisabled('alice', true),
    'the user is removed': ({ records }) => records.removeUser('alice'),
    'the pair is erased': ({ records }) => records.removePair(records.pairsOf('alice')[0]!.id),
    'the grant is revoked': ({ records: { grants } }) => grants.revoke(grants.list()[0]!.id, 'root'),
    'other approvers are needed': ({ records }) => records.setUser('alice', { approvals }),
  })) {
    test(`opens nothing once ${what}`, async () => assert.equal(await verdictAfter(happens), 'denied'));
  }

  test('opens where nothing has changed', async () => {
    assert.equal(await verdictAfter(() => {}), 'granted');
  });
});

describe('sudo’s folder', () => {
  /** What is shown as the command on a validator. */
  async function shown(command: string[], folder?: string): Promise<string | undefined> {
    const doors: Door[] = [];
    const open = async (_user: string, door: Door): Promise<SignOn> => {
      doors.push(door);
      throw new CountersignError('too-often', 'no more');
    };
    const nothing = async () => '';
    await gateAuthenticator({ open })(
      attemptOf({ service: 'sudo', command, ...(folder === undefined ? {} : { folder }) }),
      { prompt: nothing, secret: nothing, info: async () => {}, error: async () => {} },
    );
    return doors[0]?.command;
  }

  test('stands behind the command', async () => {
    assert.equal(await shown(['make', 'install'], '/srv/app'), 'make install (in folder /srv/app)');
    assert.equal(await shown(['make', 'install']), 'make install');
  });

  test('can be told from words of the command that say the same, and from its own odd characters', async () => {
    assert.equal(
      await shown(['make', '(in', 'folder', '/srv/app)'], '/srv/a b'),
      "make '(in' folder '/srv/app)' (in folder '/srv/a b')",
    );
    assert.equal(await shown(['make'], '/srv/\u202e'), "make (in folder $'/srv/\\u202E')");
  });

  test('is part of what must be shown whole', async () => {
    assert.equal(await shown(['make'], `/srv/${'x'.repeat(1024)}`), undefined);
  });
});

describe('the QR code beside the digits', () => {
  for (const qr of ['ascii', 'utf8'] as const) {
    test(`of ${qr} is read from a dark terminal, and is light around`, async () => {
      const [words, ...lines] = await screen(qr);
      assert.match(words!, /passcode 123 456$/);
      const drawn = FORMS[qr](lines);
      // Two rows a line of block characters, of which the last one may be nothing.
      const rows = drawn.slice(0, drawn[0]!.length);
      for (const edge of [rows[0]!, rows[1]!, rows.map((row) => row[0]), rows.map((row) => row[1])]) {
        assert.ok(edge.every(Boolean));
      }
      assert.equal(scan(rows), formatPasscodeCode(PASSCODE));
    });
  }

  test('is not there where none is wanted', async () => assert.equal((await screen('none')).length, 1));
});
