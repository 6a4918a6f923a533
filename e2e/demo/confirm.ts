/**
 * The door **confirm**, in the order and words of the document that it descends from.
 * @module
 */
import { join } from 'node:path';
import { startBrokerProcess, temporaryFolder } from '../processes.ts';
import { act, note, printed, say } from './narrator.ts';

export async function tellConfirm(): Promise<void> {
  await using folder = await temporaryFolder();
  const alice = { name: 'alice', profile: join(folder.path, 'alice') };
  const host1 = { name: 'host1', profile: join(folder.path, 'host1') };
  const receipt = join(folder.path, 'receipt.json');
  let fingerprints: [alice: string, host1: string];
  let brokerKey: string;

  say('A broker starts. It will carry the question and the answer, and can read or forge neither.');
  const broker = await startBrokerProcess(join(folder.path, 'broker'));
  note(`    the broker answers at ${broker.origin}, its database is a file`);
  try {
    say('Alice makes an account. Her keys are made on her device, and stay there.');
    const made = await act(
      alice,
      ['account', 'create', 'alice@example.com', '--broker', broker.origin, '--device', 'alice’s phone'],
      {
        shownAs: 'account create alice@example.com',
      },
    );

    say('Host1 has one too. The two know each other already: each was given the other’s link.');
    const madeHost = await act(
      host1,
      ['account', 'create', 'host1@example.com', '--broker', broker.origin, '--device', 'host1'],
      {
        shownAs: 'account create host1@example.com',
      },
    );
    fingerprints = [printed(made.stdout, 'fingerprint'), printed(madeHost.stdout, 'fingerprint')];
    const aliceLink = (await act(alice, ['account', 'show', '--link'])).stdout.trim();
    const hostLink = (await act(host1, ['account', 'show', '--link'])).stdout.trim();
    brokerKey = printed((await act(host1, ['account', 'show'])).stdout, 'its key');
    await act(alice, ['contact', 'add', hostLink], { shownAs: 'contact add "<the link of host1>"' });
    await act(host1, ['contact', 'add', aliceLink, '--default'], {
      shownAs: 'contact add "<the link of alice>" --default',
    });

    say('Host1 asks.');
    const posted = await act(host1, ['confirm', 'post', 'Log in to Host1']);
    const id = printed(posted.stdout, 'id');

    say('Host1 polls. Alice has not answered yet.');
    await act(host1, ['confirm', 'status', id], { expect: 6 });

    say('Alice lists what is pending, and accepts. Her device shows the question, then signs.');
    await act(alice, ['confirm', 'pending', '/'], { terminal: true });
    await act(alice, ['confirm', 'accept', id, '/'], { terminal: true });
    await act(alice, ['confirm', 'pending', '/'], { terminal: true });

    say(
      'Host1 polls again, gets her signed answer, and verifies it itself. It writes the receipt to a file.',
    );
    await act(host1, ['confirm', 'verify', id, '--out', receipt], {
      shownAs: `confirm verify ${id} --out receipt.json`,
    });
  } finally {
    await broker.stop();
  }

  say('The broker is stopped. The receipt verifies all the same, and will in ten years.');
  const trusted = ['--account', fingerprints[0], '--enquirer', fingerprints[1], '--broker-key', brokerKey];
  await act(
    { name: 'auditor', profile: join(folder.path, 'nobody') },
    ['receipt', 'verify', receipt, ...trusted],
    {
      shownAs: `receipt verify receipt.json ${trusted.join(' ')}`,
    },
  );

  process.stdout.write(`
That was the door “confirm”. What to run next:
    npm start                                 a broker for real use, on port 8470
    npx countersign account create            an account on it
    npx countersign --help                    everything else
The README has a tour of five minutes.
`);
}
