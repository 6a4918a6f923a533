/**
 * The door **devices**, in the order and words of the document that it descends from: a second device signs in,
 * meets the wall, is approved on the first with its details shown, and is shown out again.
 * @module
 */
import { join } from 'node:path';
import { startBrokerProcess, temporaryFolder } from '../processes.ts';
import { act, note, printed, say } from './narrator.ts';

export async function tellDevices(): Promise<void> {
  await using folder = await temporaryFolder();
  const person = (name: string) => ({ name, profile: join(folder.path, name) });
  const [laptop, phone, tablet, host1] = ['laptop', 'phone', 'tablet', 'host1'].map(person) as [
    ReturnType<typeof person>,
    ReturnType<typeof person>,
    ReturnType<typeof person>,
    ReturnType<typeof person>,
  ];
  const receipt = join(folder.path, 'receipt.json');

  say('A broker starts. Alice makes an account on her laptop: its keys are made there, and stay there.');
  const broker = await startBrokerProcess(join(folder.path, 'broker'));
  note(`    the broker answers at ${broker.origin}`);
  try {
    await act(
      laptop,
      ['account', 'create', 'alice@example.com', '--broker', broker.origin, '--device', 'alice’s laptop'],
      {
        shownAs: 'account create alice@example.com',
      },
    );
    await act(
      host1,
      ['account', 'create', 'host1@example.com', '--broker', broker.origin, '--device', 'host1'],
      {
        shownAs: 'account create host1@example.com',
      },
    );
    const aliceLink = await printedLink(laptop, ['account', 'show', '--link']);
    const hostLink = await printedLink(host1, ['account', 'show', '--link']);
    await act(laptop, ['contact', 'add', hostLink], { shownAs: 'contact add "<the link of host1>"' });
    await act(host1, ['contact', 'add', aliceLink, '--default'], {
      shownAs: 'contact add "<the link of alice>" --default',
    });

    say(
      'She wants in on her phone. Her laptop gives a link: it brings a device before the door, and no further.',
    );
    const link = await printedLink(laptop, ['device', 'link']);

    say(
      'The phone makes keys of its own, proves that it holds them, and waits. It shows what the laptop will show.',
    );
    const asked = await act(phone, ['device', 'request', link, '--device', 'alice’s phone', '--no-wait'], {
      shownAs: 'device request "<the link>" --no-wait',
    });
    const id = printed(asked.stdout, 'fingerprint');
    const code = /\bcode\s+([A-Z2-7]{4}-[A-Z2-7]{4})/.exec(asked.stdout)![1]!;

    say(
      'The wall: until somebody lets it in, the phone reads nothing, and approves nobody, itself least of all.',
    );
    await act(phone, ['confirm', 'pending'], { expect: 8 });
    await act(phone, ['device', 'accept', id, '--code', code], {
      expect: 9,
      shownAs: `device accept ${id.slice(0, 9)} --code ${code}`,
    });

    say('The laptop is told at once, and shows the same fingerprint, name, model, system, address and time.');
    await act(laptop, ['device', 'pending'], { terminal: true });

    say('Alice types the code that the phone shows. A key that was swapped on the way would not fit it.');
    await act(laptop, ['device', 'accept', id, '--code', code, '--rights', 'answer'], {
      shownAs: `device accept ${id.slice(0, 9)} --code ${code} --rights answer`,
      terminal: true,
    });

    say('The phone opens the account key that was sealed to it, signs so, and is in.');
    await act(phone, ['device', 'complete']);
    await act(phone, ['device', 'list']);

    say('Host1 asks, and the phone answers under the same identity, with a key of its own.');
    const posted = await act(host1, ['confirm', 'post', 'Log in to Host1']);
    const question = printed(posted.stdout, 'id');
    await act(phone, ['confirm', 'accept', question], { terminal: true });
    await act(host1, ['confirm', 'verify', question, '--out', receipt], {
      shownAs: `confirm verify ${question} --out receipt.json`,
    });

    say('A device that Alice does not know comes with the same link. She rejects it, and it is told so.');
    const stranger = await act(
      tablet,
      ['device', 'request', link, '--device', 'alice’s tablet', '--no-wait'],
      { shownAs: 'device request "<the link>" --no-wait' },
    );
    const strangerId = printed(stranger.stdout, 'fingerprint');
    await act(laptop, ['device', 'reject', strangerId], {
      shownAs: `device reject ${strangerId.slice(0, 9)}`,
    });
    await act(tablet, ['device', 'complete'], { expect: 1 });

    say('The tablet was hers after all. A PIN lets it in with the rights that the PIN names, and only once.');
    const pinned = await act(laptop, ['device', 'pin', '--rights', 'answer', '--expire', '10m']);
    const pin = /\bPIN\s+([A-Z2-7-]{29})/.exec(pinned.stdout)![1]!;
    const request = ['device', 'request', 'alice@example.com', '--pin', pin, '--broker', broker.origin];
    const again = await act(tablet, [...request, '--device', 'alice’s tablet', '--no-wait'], {
      shownAs: `device request alice@example.com --pin ${pin} --no-wait`,
    });
    const tabletId = printed(again.stdout, 'fingerprint');
    await act(laptop, ['device', 'accept', tabletId], {
      shownAs: `device accept ${tabletId.slice(0, 9)}`,
      terminal: true,
    });
    await act(tablet, ['device', 'complete']);
    await act(person('thief'), request, {
      expect: 3,
      shownAs: `device request alice@example.com --pin ${pin}`,
    });

    say('The phone is lost: frozen at once, then shown out. A new account key goes to those that remain.');
    await act(laptop, ['device', 'lost', id], { shownAs: `device lost ${id.slice(0, 9)}` });
    await act(laptop, ['device', 'revoke', id], { shownAs: `device revoke ${id.slice(0, 9)}` });
    await act(phone, ['confirm', 'pending'], { expect: 8 });

    say('What is asked from now on the phone can’t read. The tablet can.');
    const later = printed((await act(host1, ['confirm', 'post', 'Restart Host1'])).stdout, 'id');
    await act(phone, ['confirm', 'accept', later, '--shown'], { expect: 8 });
    await act(tablet, ['confirm', 'accept', later], { terminal: true });
    await act(host1, ['confirm', 'status', later]);

    say('What the phone answered before it was lost stays good.');
    await act(host1, ['receipt', 'verify', receipt], { shownAs: 'receipt verify receipt.json' });
    await act(laptop, ['device', 'list', '--all']);
  } finally {
    await broker.stop();
  }

  process.stdout.write(`
That was the door “devices”. What to run next:
    npx countersign device link --qr          a link for your own second device
    npx countersign device pending            who waits before your door
    npx countersign device --help             everything else
`);
}

async function printedLink(who: { name: string; profile: string }, words: string[]): Promise<string> {
  return (await act(who, words)).stdout.trim();
}
