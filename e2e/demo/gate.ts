/**
 * The door **gate**, in the order and words of the document that it descends from: a person signs on to a host with
 * a user name and their validator, and nothing secret is typed. Every part is a process of its own.
 * @module
 */
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../chromium.ts';
import { installNeeded } from '../debian-packages.ts';
import { freePort } from '../free-port.ts';
import {
  countersignGate,
  type DemultiplexerProcess,
  type GateProcess,
  gateCommand,
  type NginxProcess,
  startDemultiplexer,
  startGate,
  startNginx,
} from '../gate-processes.ts';
import { Host, SKIP, type Terminal } from '../pam-host.ts';
import { build, sharedFolder } from '../pam-module.ts';
import {
  type BrokerProcess,
  type Finished,
  PASSPHRASE,
  type RunOptions,
  startBrokerProcess,
} from '../processes.ts';
import { act, note, printed, say } from './narrator.ts';

const HOST = 'app.example';

/** What the story is told with. */
interface World {
  readonly folder: string;
  readonly data: string;
  readonly pictures: string;
  readonly demultiplexer: DemultiplexerProcess;
  readonly gate: GateProcess;
  readonly nginx: NginxProcess;
  readonly broker: BrokerProcess;
  readonly browser: Browser;
}

export async function tellGate(): Promise<void> {
  installNeeded();
  // Programs of other users of the host reach the module and its socket.
  using folder = sharedFolder();
  const pictures = await mkdtemp(join(tmpdir(), 'countersign-pictures-'));
  const data = join(folder.path, 'gate');
  await using running = new AsyncDisposableStack();

  say('A demultiplexer listens on one well-known port; it will join validators to the system interfaces.');
  const demultiplexer = await startDemultiplexer(folder.path);
  running.defer(() => demultiplexer.stop());
  await gateAct(data, [
    ...['configure', '--host', HOST, '--address', `127.0.0.1:${demultiplexer.port}`],
    ...['--demultiplexer', demultiplexer.interfaces],
  ]);

  say('Alice’s account on the host is paired with the validator on her phone: a code, once, ten minutes.');
  await enrol(folder.path, data, 'alice');

  say('A web application stands behind nginx, which asks the host’s system interface about every request.');
  const broker = await startBrokerProcess(join(folder.path, 'broker'));
  running.defer(() => broker.stop());
  await makeAccounts(folder.path, broker);
  const application = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Reports</title><h1>Reports</h1><p>Signed on as
      <strong>${request.headers['countersign-user']}</strong></p>`);
  });
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  running.defer(() => void application.close());
  const port = await freePort();
  const gate = await startGate(data, {
    origin: `https://127.0.0.1:${port}`,
    pam: join(folder.path, 'pam.sock'),
    args: ['--gate', '30', '--account', join(folder.path, 'host')],
    env: { COUNTERSIGN_PASSPHRASE: PASSPHRASE },
  });
  running.defer(() => gate.stop());
  const { port: behind } = application.address() as { port: number };
  const nginx = await startNginx(folder.path, { port, web: gate.webPort, application: behind });
  running.defer(() => nginx.stop());
  note(`    ${nginx.origin}`);
  const browser = await startChromium();
  running.defer(() => browser.close());
  const world = { folder: folder.path, data, pictures, demultiplexer, gate, nginx, broker, browser };

  await tellWeb(world);
  await tellApprover(world);
  await tellFailures(world);
  await tellPam(world);
  await tellWifi(world);
  await tellLoss(world);

  process.stdout.write(`
That was the door “gate”. The pictures are in ${pictures}. What to run next:
    npx countersign-gated --help
    npx countersign-gate --help
    npx countersign validator --help
`);
}

async function tellWeb(world: World): Promise<void> {
  const { folder } = world;
  say('1. Alice visits the sign-on page, and is prompted for a user name.');
  const page = await open(world);
  await picture(world, page, '1-user-name');

  say('2. She submits it. That invokes the system interface, and starts the timer: the gate is open.');
  say('3. A new page shows the passcode, as digits and as a QR code. The interface waits for her validator.');
  const passcode = await submit(page, 'alice');
  note(`    ${passcode}`);
  await picture(world, page, '3-passcode');

  say(
    '4. She starts her validator, and selects the interface from her own list; no server can pick for her.',
  );
  await validator(folder, ['list']);

  say(
    '   She enters the passcode. The validator connects, both sides run M-AUTH, and she sees what it is about.',
  );
  await Promise.all([
    validator(folder, ['sign-on', `alice@${HOST}`, passcode], { terminal: true, input: 'y\n' }),
    page.waitForURL(`${world.nginx.origin}/`),
  ]);

  say('5. Sign-on completes, and her browser is redirected by itself. No password, no secret was in it.');
  note(`    ${page.url()}: ${(await page.locator('body').innerText()).replaceAll(/\s+/g, ' ')}`);
  await picture(world, page, '5-signed-on');
  await page.context().close();
}

async function tellApprover(world: World): Promise<void> {
  const { folder, data, broker } = world;
  say('A sign-on approver: from now on Bob must agree, too. He is asked after Alice has acknowledged.');
  await gateAct(data, ['approvers', 'alice', 'bob@example.com', '--own', 'alice@example.com']);
  const page = await open(world);
  const passcode = await submit(page, 'alice');
  const signingOn = validator(folder, ['sign-on', `alice@${HOST}`, passcode], {
    terminal: true,
    input: 'y\n',
  });
  await page.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
  await picture(world, page, '6-waiting-for-approval');
  const bob = { name: 'bob', profile: join(folder, 'bob') };
  const env = { COUNTERSIGN_BROKER: broker.origin };
  const id = await firstPending(bob, env);
  await act(bob, ['confirm', 'accept', id], { terminal: true, env });
  await signingOn;
  await page.waitForURL(`${world.nginx.origin}/`);
  note(`    ${page.url()}: Alice is in`);
  await page.context().close();

  say('One rejection ends it.');
  const again = await open(world);
  const second = await submit(again, 'alice');
  const refused = validator(folder, ['sign-on', `alice@${HOST}`, second], {
    terminal: true,
    input: 'y\n',
    expect: 1,
  });
  await again.getByRole('heading', { name: 'Waiting for approval' }).waitFor();
  await act(bob, ['confirm', 'reject', await firstPending(bob, env)], { terminal: true, env });
  await refused;
  await ends(world, again, 'Not approved', '7-not-approved');

  say(
    'Bob is away tonight. Whoever looks after the host opens for an hour: Alice’s own validator, and nobody else.',
  );
  await gateAct(data, ['grant', 'alice', '--service', 'web', '--for', '1h', '--why', 'a broken disk']);
  await signOnByWeb(world);
  await gateAct(data, ['grants']);
  note('    Other approvers, or none: what was granted before is over.');
  await gateAct(data, ['approvers', 'alice']);
  await gateAct(data, ['grants']);
}

async function tellFailures(world: World): Promise<void> {
  const { folder, data } = world;
  say('A late passcode: Alice lets a gate stand open, for its 30 seconds. The validator finds nobody there.');
  const unanswered = await open(world);
  unanswered.setDefaultTimeout(90_000);
  const late = await submit(unanswered, 'alice');
  await ends(world, unanswered, 'Too late', '8-too-late');
  await validator(folder, ['sign-on', `alice@${HOST}`, late], { expect: 3 });

  say('Crossed passcodes: Carol signs on as well, and each types the passcode on the other’s screen.');
  await enrol(folder, data, 'carol');
  const screens = [await open(world), await open(world)] as const;
  const passcodes = [await submit(screens[0], 'alice'), await submit(screens[1], 'carol')] as const;
  await Promise.all([
    validator(folder, ['sign-on', `alice@${HOST}`, passcodes[1]], { expect: 3 }),
    validator(folder, ['sign-on', `carol@${HOST}`, passcodes[0]], { who: 'carol', expect: 3 }),
  ]);
  note('    Each with their own, both are in:');
  for (const [i, who] of ['alice', 'carol'].entries()) {
    const yes = { who, terminal: true, input: 'y\n' };
    await Promise.all([
      validator(folder, ['sign-on', `${who}@${HOST}`, passcodes[i]!], yes),
      screens[i]!.waitForURL(`${world.nginx.origin}/`),
    ]);
  }
  for (const screen of screens) await screen.context().close();

  say('A fake interface: Mallory copies the page, and shows Alice a passcode of her own making.');
  note('    No password is there to be stolen; and the real interface knows nothing of this passcode.');
  await validator(folder, ['sign-on', `alice@${HOST}`, '000 000'], { expect: 3 });

  say('Disabled while she looks at it: the sign-on is cut.');
  const cut = await open(world);
  const passcode = await submit(cut, 'alice');
  const looking = validator(folder, ['sign-on', `alice@${HOST}`, passcode], {
    terminal: true,
    expect: 1,
  });
  await cut.getByRole('heading', { name: 'Look at your validator' }).waitFor();
  await gateAct(data, ['disable', 'alice']);
  await looking;
  await ends(world, cut, 'Failed', '9-disabled');
  await gateAct(data, ['enable', 'alice']);
}

async function tellPam(world: World): Promise<void> {
  say('Standard system services, by PAM: su shows the passcode on the terminal, and goes on by itself.');
  if (SKIP !== false) {
    note(`    left out here: ${SKIP}`);
    return;
  }
  build(world.folder, ['pam_countersign.so']);
  await using host = await Host.start();
  const module = join(world.folder, 'pam_countersign.so');
  host.stack('su', `auth required ${module} socket=${join(world.folder, 'pam.sock')} mode=gate`);
  note('bob$ su alice -c "id -un"');
  const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
  const passcode = await passcodeOn(terminal);
  await validator(world.folder, ['sign-on', `alice@${HOST}`, passcode], { terminal: true, input: 'y\n' });
  await terminal.see(/^alice$/m);
  await terminal.ended();
  note(terminal.screen.trim().replace(/^/gm, '    '));
}

async function tellWifi(world: World): Promise<void> {
  const { data } = world;
  say(
    'The Wi-Fi of the office: whoever signs on is handed a passphrase of their own, in their validator alone.',
  );
  await gateAct(data, ['wifi', 'configure', '--network', 'Office', '--service', 'web']);
  await signOnByWeb(world);
  say('It is replaced again and again; an account that is disabled gets no next one.');
  await gateAct(data, ['wifi', 'rotate']);
  await signOnByWeb(world);
}

async function tellLoss({ folder, data, broker }: World): Promise<void> {
  say('What the host knows, without a secret in it.');
  await gateAct(data, ['list']);
  await gateAct(data, ['interfaces']);

  say('Carol takes her pair back: the host is told, and forgets it as well.');
  await validator(folder, ['remove', `carol@${HOST}`], { who: 'carol' });
  await gateAct(data, ['list']);

  say('Alice’s phone is about to be taken from her: all keys on it are wiped at once, without a passphrase.');
  await validator(folder, ['erase', '--all']);

  say('Were it lost instead: the statement that Alice kept on paper kills the pair, without a login.');
  await gateAct(data, ['erase', statements.get('alice')!]);
  await gateAct(data, ['list']);

  say(
    'Or from another device of hers. Dave keeps it so, sealed to his account, and then loses his telephone.',
  );
  await enrol(folder, data, 'dave');
  const env = { COUNTERSIGN_BROKER: broker.origin, COUNTERSIGN_VALIDATOR: join(folder, 'dave-phone') };
  const laptop = { name: 'dave’s laptop', profile: join(folder, 'dave-laptop') };
  const phone = { name: 'dave’s phone', profile: join(folder, 'dave-account') };
  await act(laptop, ['account', 'create', 'dave@example.com'], { env });
  const { stdout } = await act(laptop, ['device', 'pin', '--rights', 'answer'], { env });
  const pin = /\bPIN\s+([A-Z2-7-]{29})/.exec(stdout)![1]!;
  const asked = await act(phone, ['device', 'request', 'dave@example.com', '--pin', pin, '--no-wait'], {
    env,
  });
  const id = printed(asked.stdout, 'fingerprint');
  await act(laptop, ['device', 'accept', id], { terminal: true, env });
  await act(phone, ['device', 'complete'], { env });
  await act(phone, ['device', 'keep-validator'], { env });
  await gateAct(data, ['list']);
  await act(laptop, ['device', 'lost', id], { env });
  await gateAct(data, ['list']);
}

/** Erase statements, which people keep on paper. */
const statements = new Map<string, string>();

async function enrol(folder: string, data: string, user: string): Promise<void> {
  note(`host# countersign-gate enroll ${user}`);
  const child = gateCommand(data, ['enroll', user]);
  const lines = createInterface({ input: child.stdout });
  let added: Promise<Finished> | undefined;
  lines.on('line', (line) => {
    note(`    ${line}`);
    const [link] = /countersign-pair:\S+/.exec(line) ?? [];
    // the QR code comes first
    if (link !== undefined) added = new Promise((resolve) => setTimeout(resolve, 100)).then(() => add(link));
  });
  const add = (link: string) =>
    validator(folder, ['add', link, '--yes', '--device', `${user}’s phone`], {
      who: user,
      shownAs: 'validator add "<the link>" --yes',
    });
  await once(child, 'close');
  const { stderr = '' } = (await added) ?? {};
  const [statement] = /countersign-erase:\S+/.exec(stderr) ?? [];
  if (statement === undefined) throw new Error(`${user} was not paired`);
  statements.set(user, statement);
}

async function makeAccounts(folder: string, broker: BrokerProcess): Promise<void> {
  const env = { COUNTERSIGN_BROKER: broker.origin };
  const people = ['host', 'bob'].map((name) => ({ name, profile: join(folder, name) }));
  const [host, bob] = people as [(typeof people)[0], (typeof people)[0]];
  for (const one of people) await act(one, ['account', 'create', `${one.name}@example.com`], { env });
  const linkOf = async (one: typeof host) =>
    (await act(one, ['account', 'show', '--link'], { env })).stdout.trim();
  await act(bob, ['contact', 'add', await linkOf(host)], {
    env,
    shownAs: 'contact add "<the link of the host>"',
  });
  await act(host, ['contact', 'add', await linkOf(bob)], { env, shownAs: 'contact add "<the link of bob>"' });
}

/** Runs a person's validator, which must end with the expected status. */
function validator(
  folder: string,
  words: readonly string[],
  { who = 'alice', ...options }: RunOptions & { expect?: number; shownAs?: string; who?: string } = {},
): Promise<Finished> {
  const env = { COUNTERSIGN_VALIDATOR: join(folder, `${who}-phone`), ...options.env };
  return act({ name: who, profile: 'none' }, ['validator', ...words], { ...options, env });
}

async function gateAct(data: string, words: readonly string[]): Promise<void> {
  note(`host# countersign-gate ${words.join(' ')}`);
  const { status, stderr } = await countersignGate(data, words, {
    onOutput: (text) => process.stdout.write(text.replace(/^(?=.)/gm, '    ')),
  });
  if (status !== 0) throw new Error(stderr);
}

async function firstPending(who: { name: string; profile: string }, env: NodeJS.ProcessEnv): Promise<string> {
  for (;;) {
    const { stdout } = await act(who, ['confirm', 'pending'], { env });
    const [id] = /[A-Z2-7]{4}(?:-[A-Z2-7]{4}){6}/.exec(stdout) ?? [];
    if (id !== undefined) return id;
  }
}

/** Alice signs on at the page, and nobody else is asked. */
async function signOnByWeb(world: World): Promise<void> {
  const page = await open(world);
  const passcode = await submit(page, 'alice');
  await Promise.all([
    validator(world.folder, ['sign-on', `alice@${HOST}`, passcode], { terminal: true, input: 'y\n' }),
    page.waitForURL(`${world.nginx.origin}/`),
  ]);
  await page.context().close();
}

async function open({ browser, nginx }: World): Promise<Page> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    viewport: { width: 480, height: 720 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(nginx.origin);
  return page;
}

async function submit(page: Page, user: string): Promise<string> {
  await page.getByLabel('User name').fill(user);
  await page.getByRole('button', { name: 'Sign on' }).click();
  return page.locator('.passcode').innerText();
}

async function ends(world: World, page: Page, title: string, name: string): Promise<void> {
  await page.getByRole('heading', { name: title, exact: true }).waitFor();
  note(`    the browser says: ${(await page.getByRole('alert').innerText()).trim()}`);
  await picture(world, page, name);
  await page.context().close();
}

async function picture({ pictures }: World, page: Page, name: string): Promise<void> {
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  note(`    ${path}`);
}

async function passcodeOn(terminal: Terminal): Promise<string> {
  await terminal.see(/enter the passcode \d{3} \d{3}/);
  return /passcode (\d{3} \d{3})/.exec(terminal.screen)![1]!;
}
