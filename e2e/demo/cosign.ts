/**
 * The door **cosign**, in the order and words of the document that it descends from: five steps, and what they are
 * worth.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatWif } from '../../packages/graphene/src/index.ts';
import { genesisOf, newPerson } from '../../packages/graphene/test/chain/people.ts';
import { startProgram } from '../json-programs.ts';
import { countersign, startBrokerProcess, temporaryFolder } from '../processes.ts';
import { act, note, say } from './narrator.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const CHAIN = path('../../packages/graphene/test/chain/main.ts');
const MAIL = path('../cosign/mail-server.ts');
const PLAIN_WALLET = path('../cosign/plain-wallet.mjs');
const THIEF = path('../cosign/thief.ts');
const PROVIDER = path('../../packages/graphene/src/main.ts');

export async function tellCosign(): Promise<void> {
  await using folder = await temporaryFolder();
  await using stack = new AsyncDisposableStack();
  const at = (name: string) => join(folder.path, name);
  const laptop = { name: 'alice', profile: at('alice-laptop') };
  const phone = { name: 'alice’s phone', profile: at('alice-phone') };
  const operator = { name: 'secondfactor.org', profile: at('operator') };
  const data = at('sfactor');

  say(
    'A broker starts, and a small Graphene chain, on which alice and bob have accounts, each moved by one key.',
  );
  const broker = await startBrokerProcess(at('broker'));
  stack.defer(() => broker.stop());
  const people = ['faucet', 'alice', 'bob'].map(newPerson);
  const [faucet, alice] = people as [(typeof people)[0], (typeof people)[0]];
  await writeFile(at('genesis.json'), JSON.stringify(genesisOf(people)));
  const chain = await startProgram(stack, [CHAIN, at('genesis.json')]);
  const node = String(chain.ready.url);
  note(`    the broker answers at ${broker.origin}, the chain’s node at ${node}`);
  const key = async (name: string, of: (typeof alice)['owner']) => {
    await writeFile(at(name), `${formatWif(of)}\n`, { mode: 0o600 });
    return at(name);
  };

  say('Alice has her Countersign account on her phone, and her key of the chain in a wallet on her laptop.');
  await act(
    phone,
    ['account', 'create', 'alice@example.com', '--broker', broker.origin, '--device', 'alice’s phone'],
    {
      shownAs: 'account create alice@example.com',
    },
  );
  const link = (await countersign(phone.profile, ['account', 'show', '--link'])).stdout.trim();
  await act(laptop, ['cosign', 'key', 'add', 'alice', await key('alice.wif', alice.active), '--node', node], {
    shownAs: 'cosign key add alice alice.wif',
  });

  say('secondfactor.org sets its provider up, and runs it. It wants to verify an email address.');
  const init = ['cosign', 'provider', 'init', 'sfactor', '--data', data, '--node', node];
  const account = ['--account', 'sfactor@secondfactor.org', '--broker', broker.origin];
  await act(operator, [...init, ...account], {
    shownAs: 'cosign provider init sfactor --account sfactor@secondfactor.org',
  });
  const mail = await startProgram(stack, [MAIL]);
  const provider = await startProgram(
    stack,
    [
      PROVIDER,
      'serve',
      '--data',
      data,
      '--port',
      '0',
      '--smtp',
      String(mail.ready.url),
      '--mail-from',
      'codes@secondfactor.org',
    ],
    (line) => 'local' in line,
  );
  const url = String(provider.ready.local);
  note(`    the provider answers at ${url}`);

  say(
    'Step 1 - User Registration. Alice identifies herself with secondfactor.org: by the key of her account …',
  );
  const { countersign: providerLink } = (await (await fetch(`${url}/v1/provider`)).json()) as {
    countersign: string;
  };
  await act(phone, ['contact', 'add', providerLink], { shownAs: 'contact add "<the link of sfactor>"' });
  await act(
    laptop,
    ['cosign', 'register', 'alice', '--provider', url, '--countersign', link, '--email', 'alice@example.com'],
    { shownAs: `cosign register alice --provider ${url} --email alice@example.com`, expect: 6 },
  );

  say('… by verifying an email address …');
  const letter = await mail.next((line) => 'mail' in line);
  const code = /\b(\d{6}) is your code/.exec(String(letter.mail))?.[1];
  if (code === undefined) throw new Error('no code came by mail');
  note(`    a mail for ${String(letter.to)}: “${code} is your code for sfactor. …”`);
  note('… and on her phone, which will be asked from now on.');
  await Promise.all([
    act(laptop, ['cosign', 'register', 'alice', '--code', code], {}),
    answerOn(phone, 'accept'),
  ]);

  say('Step 2 - Create Graphene Account for secondfactor.org. It registers the account name sfactor.');
  const registrar = ['--registrar', 'faucet', '--registrar-key-file', await key('faucet.wif', faucet.active)];
  await act(operator, [...init, ...account, ...registrar, '--owner-key-file', at('sfactor-owner.wif')], {
    shownAs: 'cosign provider init sfactor --registrar faucet --owner-key-file sfactor-owner.wif',
  });

  say('Step 3 - Create a Dedicated Graphene Account for the alice/sfactor Combination.');
  await act(operator, ['cosign', 'enroll', 'alice', '--data', data], { shownAs: 'cosign enroll alice' });
  note('At any time sfactor may update the active authority of sfactor.alice using the owner permissions:');
  await act(operator, ['cosign', 'rotate', 'alice', '--data', data], { shownAs: 'cosign rotate alice' });

  say('Step 4 - Add sfactor.alice as a required authority for alice.');
  note(
    'The provider asks for it by a link of the Transaction Request Protocol, which it signs; her wallet opens it:',
  );
  const asked = [
    'cosign',
    'require',
    'alice',
    '--provider',
    'sfactor',
    '--link',
    'https://wallet.example/request',
  ];
  const request = (await act(laptop, asked)).stdout.trim();
  await act(laptop, ['cosign', 'open', request, '--yes'], { shownAs: 'cosign open "<the link>" --yes' });

  say('Step 5 - Alice Requests an Action requiring 2FA. Her phone shows what is to be signed; she accepts.');
  const pay = ['cosign', 'sign', '--from', 'alice', '--to', 'bob', '--amount', '10 TEST'];
  await Promise.all([act(laptop, pay), answerOn(phone, 'accept')]);

  say('Alice’s key alone is refused by the chain: a thief of her laptop moves nothing.');
  const plain = [PLAIN_WALLET, node, 'alice', 'bob', '100'];
  const aliceKey = formatWif(alice.active);
  await script('alice’s thief$ a plain wallet, with the key of alice', [...plain, aliceKey], 1);

  say('The provider alone is refused: a thief of all its keys, and of its passphrase, moves nothing either.');
  const stolen = (await script(undefined, [THIEF, data, 'sfactor.alice'], 0)).trim();
  await script('sfactor’s thief$ a plain wallet, with the key of sfactor.alice', [...plain, stolen], 1);

  say('A wallet that was not written for this gets its second signature over HTTP. Both: executed.');
  await Promise.all([
    script(
      'alice$ a plain wallet, with the key of alice, and --provider',
      [...plain, '--provider', url, aliceKey],
      0,
    ),
    answerOn(phone, 'accept'),
  ]);

  say('Rejected on the phone, there is no signature anywhere.');
  await Promise.all([act(laptop, pay, { expect: 1 }), answerOn(phone, 'reject')]);

  say(
    'Leaving: Alice’s owner key alone removes the provider. The provider is stopped before; it is not asked.',
  );
  await provider.stop();
  const owner = await key('alice-owner.wif', alice.owner);
  await act(laptop, ['cosign', 'leave', 'alice', '--provider', 'sfactor', '--owner-key-file', owner], {
    shownAs: 'cosign leave alice --provider sfactor --owner-key-file alice-owner.wif',
  });
  await act(laptop, pay);

  process.stdout.write(`
That was the door “cosign”. What to run next:
    npx countersign cosign --help             all commands, for wallets and for providers
    spec/cosign-provider.md                   the provider’s API, for other wallets
    npm run wallet -- --help                  a wallet in a browser, for any number of providers
`);
}

/** Waits for a question on a device, and answers it there; the command shows it first. */
async function answerOn(
  who: { name: string; profile: string },
  decision: 'accept' | 'reject',
): Promise<void> {
  for (;;) {
    const { status, stdout, stderr } = await countersign(who.profile, ['--json', 'confirm', 'pending']);
    if (status !== 0) throw new Error(stderr);
    const { requests } = JSON.parse(stdout) as { requests: { id: string }[] };
    const [first] = requests;
    if (first === undefined) continue;
    await act(who, ['confirm', decision, first.id], { terminal: true });
    return;
  }
}

async function script(
  shownAs: string | undefined,
  words: readonly string[],
  expect: number,
): Promise<string> {
  if (shownAs !== undefined) process.stdout.write(`${shownAs}\n`);
  const env = { ...process.env, COUNTERSIGN_PASSPHRASE: 'only for this demonstration' };
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (shownAs !== undefined) process.stdout.write(text.replace(/^(?=.)/gm, '    '));
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== expect) throw new Error(`expected exit status ${expect}, got ${status}`);
  return output;
}
