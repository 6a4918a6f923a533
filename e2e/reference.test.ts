import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { visibleCommands } from '../docs/commands.ts';
import { commandTree } from '../docs/reference.ts';
import { countersign } from './processes.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

test('the reference is as the programs are, on any machine', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'docs/generate.ts'), '--check'], {
    encoding: 'utf8',
    env: {
      ...process.env,
      HOME: '/nowhere',
      XDG_DATA_HOME: '/nowhere',
      COUNTERSIGN_BROKER: 'https://elsewhere.example',
    },
  });
  assert.equal(status, 0, stderr);
});

interface Named {
  readonly words: readonly string[];
  readonly command: Command;
}

function allCommands(): Named[] {
  const { program, commands } = commandTree();
  const below = (words: readonly string[], command: Command): Named[] => [
    { words, command },
    ...visibleCommands(command).flatMap((child) => below([...words, child.name()], child)),
  ];
  return [
    { words: [], command: program },
    ...commands.flatMap((command) => below([command.name().replace(/^countersign /, '')], command)),
  ];
}

describe('the help', { concurrency: 4 }, () => {
  for (const { words, command } of allCommands()) {
    test(`of \`${['countersign', ...words].join(' ')}\` says what all of it is for`, async () => {
      const { status, stdout } = await countersign('unused', [...words, '--help']);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Usage: ${['countersign', ...words].join(' ')} `));
      assert.notEqual(command.description(), '');
      for (const argument of command.registeredArguments)
        assert.notEqual(argument.description, '', argument.name());
      for (const { flags, description } of command.options) {
        assert.notEqual(description, '', flags);
        assert.ok(stdout.includes(flags), `${flags} is in the help`);
      }
    });
  }
});

/** The commands that a page shows: in its blocks of shell, and in its running text. */
function shownCommands(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) => block!.split('\n'));
  const prose = page.replace(/^```.*?^```/gms, '');
  const spans = [...prose.matchAll(/`(countersign [^`]+)`/g)].map(([, span]) => span!);
  return [...blocks.map((line) => line.replace(/(^|\s)#.*/, '')), ...spans]
    .flatMap((line) => {
      const inner = [...line.matchAll(/[$<]\(([^)]*)\)/g)].map(([, within]) => within!);
      return [line.replaceAll(/[$<]\([^)]*\)/g, 'substituted'), ...inner];
    })
    .flatMap((line) => /(?:^|\s)countersign (.*)/.exec(line)?.slice(1) ?? []);
}

/** Lets the real parser read a command line, and does nothing of it. @throws CommanderError */
async function parse(line: string): Promise<void> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain!.replace(/^\[(.*)\]$/, '$1'))
    .filter((word) => word !== '|' && word !== '&');
  const { program, commands } = commandTree();
  const other = commands.find((command) => command.name() === `countersign ${words[0]}`);
  const tree = other ?? program;
  disarm(tree);
  await tree.parseAsync(other === undefined ? words : words.slice(1), { from: 'user' });
}

function disarm(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const child of command.commands) disarm(child);
}

describe('the README', () => {
  const lines = shownCommands(readFileSync(join(ROOT, 'README.md'), 'utf8'));

  test('shows the commands of a whole story', () => {
    for (const word of ['account create', 'contact add', 'confirm post', 'confirm accept']) {
      assert.ok(
        lines.some((line) => line.includes(word)),
        word,
      );
    }
  });

  for (const line of new Set(lines)) {
    test(`\`countersign ${line}\` is a command that there is, with its options`, () => parse(line));
  }

  for (const wrong of [
    'confirm psot "Log in"',
    'watch --no-such-option',
    'broker serve --nope',
    'validator sign-on --nope',
    'contact add',
  ]) {
    test(`\`countersign ${wrong}\` would be found out`, () => assert.rejects(parse(wrong)));
  }
});
