/**
 * Grants, whole: `su` with the module in its stack and web sign-on, on one host, by its own commands. Approvers can't
 * be reached here, so that nothing but a grant lets anybody in.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { countersignGate } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld, passcodeOn } from './gate-world.ts';
import { SKIP } from './pam-host.ts';
import { until } from './until.ts';

const ORIGIN = 'https://db1.example';

describe('grants on a host', { skip: SKIP }, () => {
  const world = createGateWorld({ name: 'db1.example', programs: true });
  const { command } = world;
  let alice: TestValidator;

  before(async () => {
    await world.ready();
    alice = await pairValidator(world.data, 'alice');
    await world.serve({ pam: world.pam, origin: ORIGIN, args: ['--gate', '10', '--acknowledge', '5'] });
    world.host.stack('su', world.line('mode=gate'));
    await command('approvers', 'alice', 'bob@example.com', '--own', 'alice@example.com');
  });

  async function grant(service: string, time: string): Promise<string> {
    const words = ['grant', 'alice', '--service', service, '--for', time, '--why', 'a broken disk', '--json'];
    return JSON.parse(await command(...words)).grant;
  }

  const heard = (what: string, service: string) =>
    until(
      () => world.gate.lines.some((line) => line.what === what && line.service === service),
      () => JSON.stringify(world.gate.lines),
    );

  async function su(): Promise<boolean> {
    const terminal = world.host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await alice.signOn(await passcodeOn(terminal));
    const status = await terminal.ended();
    return status === 0 && /^alice$/m.test(terminal.screen);
  }

  /** Signs on at the page. @returns the session’s cookie, where there is one */
  async function web(): Promise<string | undefined> {
    const visit = await visitGate(`http://127.0.0.1:${world.gate.webPort}`, ORIGIN, 'alice');
    await alice.signOn(visit.passcode);
    return (await visit.end()).session;
  }

  const passes = async (cookie: string) =>
    (await fetch(`http://127.0.0.1:${world.gate.webPort}/countersign/check`, { headers: { cookie } }))
      .status === 204;

  test('without one, whoever needs approvers who can’t be asked is not let in', async () => {
    assert.equal(await su(), false);
    assert.equal(await web(), undefined);
  });

  test('lets its user in at its service by their validator, and at no other; revoked, no more', async () => {
    const id = await grant('su', '1h');
    await heard('GRANT OPEN', 'su');
    assert.match(await command('grants'), /alice signs on by su without approvers.*(1 hour|59 minutes) left/);
    assert.equal(await su(), true);
    assert.equal(await web(), undefined);
    await command('revoke-grant', id.slice(0, 8));
    await heard('GRANT REVOKED', 'su');
    assert.equal(await su(), false);
    assert.match(await command('show', 'alice'), /GRANT REVOKED.*GRANT OPENED for 1 hour, by .*broken disk/s);
  });

  test('a web session lasts no longer than the grant that let it begin', async () => {
    const id = await grant('web', '12h');
    const session = await web();
    assert.ok(session);
    assert.equal(await passes(session), true);
    await command('revoke-grant', id);
    assert.equal(await passes(session), false);
  });

  test('times beyond a minute to 12 hours, users without approvers and unknown grants are refused', async () => {
    for (const words of [
      ['grant', 'alice', '--service', 'su', '--for', '13h'],
      ['grant', 'alice', '--service', 'su', '--for', '30'],
      ['grant', 'bob', '--service', 'su', '--for', '1h'],
      ['revoke-grant', 'ffff'],
    ]) {
      assert.notEqual((await countersignGate(world.data, words)).status, 0, words.join(' '));
    }
    assert.equal(await command('grants'), 'No grant is open.\n');
  });
});
