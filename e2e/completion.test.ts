import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { visibleCommands } from '../docs/commands.ts';
import { commandTree } from '../docs/reference.ts';
import { createProgram as createBrokerProgram } from '../packages/broker/src/program.ts';
import { BROKER_COMMANDS } from '../packages/cli/src/commands/broker.ts';
import { COSIGN_COMMANDS } from '../packages/cli/src/commands/cosign.ts';
import { VALIDATOR_COMMANDS } from '../packages/cli/src/commands/validator.ts';
import { processShell } from '../packages/graphene/src/commands/context.ts';
import { createProgram as createCosignProgram } from '../packages/graphene/src/program.ts';
import { countersign, inTerminal, startBrokerProcess, temporaryFolder } from './processes.ts';
import { PATIENCE_MS } from './until.ts';

const BIN = fileURLToPath(new URL('../packages/cli/bin', import.meta.url));
const scriptOf = (shell: string) =>
  fileURLToPath(new URL(`../packages/cli/completion/countersign.${shell}`, import.meta.url));

const stack = new AsyncDisposableStack();
let env: NodeJS.ProcessEnv;
let folder: string;
let questionId: string;

/** Alice has seen a question of the host; then the broker goes away. */
before(async () => {
  const temporary = stack.use(await temporaryFolder());
  folder = temporary.path;
  const broker = await startBrokerProcess(join(folder, 'broker'));
  env = {
    ...process.env,
    PATH: [BIN, process.env.PATH].join(delimiter),
    XDG_CONFIG_HOME: folder,
    HOME: folder,
    COUNTERSIGN_PROFILE: 'alice',
    TERM: 'dumb',
  };
  const run = (who: string, ...words: string[]) =>
    countersign(who, words, { env: { COUNTERSIGN_BROKER: broker.origin, XDG_CONFIG_HOME: folder } });
  await run('alice', 'account', 'create', 'alice@example.com');
  await run('host', 'account', 'create', 'host@example.com');
  await run('alice', 'contact', 'add', (await run('host', 'account', 'show', '--link')).stdout.trim());
  // Of the kind that stands longest: three shells take their time.
  const words = ['alice@example.com', 'Deploy?', '--kind', 'approval', '--json'];
  const asked = await run('host', 'confirm', 'post', ...words);
  questionId = (JSON.parse(asked.stdout) as { id: string }).id;
  await run('alice', 'confirm', 'pending');
  await mkdir(join(folder, 'papers'));
  await broker.stop();
});
after(() => stack.disposeAsync());

function run(program: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env, cwd: folder });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

/** What each shell offers after some text, as its completion function is called by it. */
const OFFERS: Record<string, (line: string) => string[]> = {
  bash: (line) =>
    run('bash', [
      '--norc',
      '-c',
      'source <(countersign completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _countersign; printf "%s\\n" "${COMPREPLY[@]}"',
      'bash',
      line,
    ]).split('\n'),
  fish: (line) =>
    run('fish', ['--no-config', '-c', 'countersign completion fish | source; complete -C $argv[1]', line])
      .split('\n')
      .map((row) => row.split('\t')[0]!),
};

for (const [shell, offers] of Object.entries(OFFERS)) {
  describe(`${shell} completes`, () => {
    const has = (line: string, ...words: string[]) => {
      const offered = offers(line).filter((word) => word !== '');
      for (const word of words) assert.ok(offered.includes(word), `${word} is among ${offered}`);
    };
    test('commands', () => {
      has('countersign conf', 'confirm');
      has('countersign confirm acc', 'accept');
    });
    test('options and their choices', () => {
      has('countersign confirm post --ki', '--kind');
      has('countersign account create --alg ', 'EdDSA', 'ES256');
    });
    test('names of profiles', () => has('countersign --profile ', 'alice', 'host'));
    test('ids of questions that were seen, while no broker answers', () => {
      has('countersign confirm accept ', questionId);
      has('countersign --profile host confirm status ', questionId);
    });
    test('accounts that are known', () => has('countersign confirm block ', 'host@example.com'));
    test('paths', () => has('countersign confirm verify --out pa', shell === 'fish' ? 'papers/' : 'papers'));
    test('nothing where nothing may follow, and runs nothing that was typed', () => {
      const trap = join(folder, `trap-${shell}`);
      const offered = offers(`countersign confirm show "$(touch ${trap})" `);
      assert.deepEqual(
        offered.filter((word) => word !== ''),
        [],
      );
      assert.equal(existsSync(trap), false);
    });
  });
}

test('bash completes after a character at which it breaks words', () => {
  assert.deepEqual(OFFERS.bash!('countersign confirm block host@ex'), ['example.com', '']);
  assert.deepEqual(OFFERS.bash!('countersign account create --alg=ES'), ['ES256', '']);
});

/** A person at a shell: each line is typed once the shell is ready for it. */
async function typeInto(words: string[], lines: string[]): Promise<string> {
  const [program, args] = inTerminal(['env', 'PS1=ready> ', ...words]);
  const child = spawn(program, args, { env, cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  let typed = 0;
  let readyAt = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const ready = screen.indexOf('ready> ', readyAt);
    if (ready === -1 || typed === lines.length) return;
    readyAt = ready + 1;
    child.stdin.write(lines[typed++]!);
  });
  const ended = Promise.withResolvers<void>();
  child.on('exit', () => ended.resolve());
  const limit = setTimeout(() => child.kill(), PATIENCE_MS);
  await ended.promise;
  clearTimeout(limit);
  return stripVTControlCharacters(screen);
}

const AT_THE_KEYBOARD = {
  bash: { words: ['bash', '--norc', '--noprofile', '-i'], load: 'source <(countersign completion bash)\n' },
  zsh: {
    words: ['zsh', '-f', '-i'],
    load: 'autoload -Uz compinit; compinit -u -D; source <(countersign completion zsh)\n',
  },
};

for (const [shell, { words, load }] of Object.entries(AT_THE_KEYBOARD)) {
  test(`a person at ${shell} types beginnings and the Tab key, and gets the whole command`, async () => {
    const screen = await typeInto(words, [load, 'countersign acc\tsho\t--he\t\n', 'exit\n']);
    assert.match(screen, /Usage: countersign account show/);
  });
}

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`the script for ${shell} has no error of syntax`, () => {
    run(shell, ['-n', scriptOf(shell)]);
  });
}

test('the commands of co-signing are all known', () => {
  assert.deepEqual(
    visibleCommands(createCosignProgram(processShell())).map((command) => command.name()),
    [...COSIGN_COMMANDS],
  );
});

test('the broker’s commands are all known', () => {
  assert.deepEqual(
    visibleCommands(createBrokerProgram()).map((command) => command.name()),
    [...BROKER_COMMANDS],
  );
});

test('the validator’s commands are all known', () => {
  const { commands } = commandTree();
  const validator = commands.find((command) => command.name() === 'countersign validator')!;
  assert.deepEqual(
    visibleCommands(validator).map((command) => command.name()),
    [...VALIDATOR_COMMANDS],
  );
});
