import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openPage, startChromium } from './chromium.ts';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';
import { freePort } from './free-port.ts';

const stack = new AsyncDisposableStack();
let world: CosignProcesses;
let browser: Browser;

before(async () => {
  world = stack.use(await startCosignProcesses());
  browser = await startChromium();
  stack.defer(() => browser.close());
});
after(() => stack.disposeAsync());

test('at the command line: a token that the operator gave, a security key on the provider’s page, and the device', async () => {
  const { cli, run, at, answer } = world;
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const fobs = ['--oath-token', 'issued', '--security-key'];
  const url = await world.provider('sfactor', ['--port', String(port), '--origin', origin, ...fobs]);

  // The secret of RFC 4226, appendix D, whose codes stand there.
  await writeFile(at('tokens'), 'otpauth://hotp/F-1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0\n', {
    mode: 0o600,
  });
  const data = ['--data', at('sfactor')];
  assert.equal(
    await cli('operator', ['cosign', 'token', 'add', at('tokens'), ...data]),
    'Added token F-1.\n',
  );
  assert.equal(await cli('operator', ['cosign', 'token', 'list', ...data]), 'F-1  nobody’s yet\n');

  const register = ['cosign', 'register', 'alice'];
  const who = ['--provider', url, '--countersign', await world.link()];
  const unnamed = await run('laptop', [...register, ...who]);
  assert.match(unnamed.stderr, /number of the token/);
  const begun = await run('laptop', [...register, ...who, '--token', 'F-1']);
  assert.equal(begun.status, 6, begun.stderr);
  assert.match(begun.stdout, /A code is asked for \(token\)/);
  const page = /http:\/\/localhost:\d+\/security-key\/\S+/.exec(begun.stdout)![0];

  const wrong = await run('laptop', [...register, '--code', '000000']);
  assert.match(wrong.stderr, /passcode-wrong/);

  const opened = await openPage(browser, page);
  const cdp = await opened.page.context().newCDPSession(opened.page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'usb', automaticPresenceSimulation: true },
  });
  const touch = async () => {
    await opened.page.getByRole('button', { name: 'Use the security key' }).click();
    await opened.page.getByText('Done.').waitFor();
    await answer('accept');
  };
  const [done] = await Promise.all([cli('laptop', [...register, '--code', '755224']), touch()]);
  assert.match(done, /alice is registered\./);
  assert.deepEqual(opened.failures, []);
  assert.equal(await cli('operator', ['cosign', 'token', 'list', ...data]), 'F-1  alice\n');
  assert.equal(
    await cli('operator', ['cosign', 'token', 'remove', 'F-1', ...data]),
    'Token F-1 is forgotten.\n',
  );
});

test('at the command line: a token of one’s own is set up by what is printed, and another by the owner key', async () => {
  const { run } = world;
  const url = await world.provider('guardian', ['--oath-token', 'own']);
  const words = ['cosign', 'register', 'alice', '--provider', url, '--countersign', await world.link()];
  const { status, stdout } = await run('laptop', words);
  assert.equal(status, 6);
  assert.match(stdout, /otpauth:\/\/totp\/guardian:alice\?\S*secret=[A-Z2-7]{32}/);
  const owner = await world.key('alice-owner.wif', world.alice.owner);
  const byOwner = await run('laptop', [...words, '--new-fob', '--owner-key-file', owner]);
  assert.equal(byOwner.status, 6, byOwner.stderr);
  assert.match(byOwner.stdout, /otpauth:/);
});
