/**
 * Which package may import which. Every forbidden arrow stands here with its reason; a new one is a line.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { describe, test } from 'node:test';

const PACKAGES = join(import.meta.dirname, '..', '..');

/** `to` is a package's folder, or `node` for whatever Node itself brings. */
interface Arrow {
  from: string;
  to: string;
  because: string;
}

const FORBIDDEN: readonly Arrow[] = [
  { from: 'core', to: 'node', because: 'the core runs in a browser, without I/O and without a clock' },
  { from: 'core', to: 'broker', because: 'the core knows nobody' },
  { from: 'core', to: 'client', because: 'the core knows nobody' },
  { from: 'core', to: 'cli', because: 'the core knows nobody' },
  { from: 'core', to: 'web', because: 'the core knows nobody' },
  { from: 'core', to: 'gate', because: 'the core knows nobody' },
  { from: 'core', to: 'graphene', because: 'the core knows nobody' },
  { from: 'core', to: 'http', because: 'the core knows nobody' },
  { from: 'broker', to: 'client', because: 'the broker serves clients, and must not see with their eyes' },
  { from: 'broker', to: 'cli', because: 'a server has no command line but its own' },
  { from: 'broker', to: 'web', because: 'the broker serves pages as files, and has none of their code' },
  { from: 'broker', to: 'gate', because: 'a door needs the broker, never the other way' },
  { from: 'broker', to: 'graphene', because: 'a door needs the broker, never the other way' },
  { from: 'client', to: 'broker', because: 'who verifies shares no code with whom it does not trust' },
  { from: 'client', to: 'http', because: 'the client calls servers, and is none' },
  { from: 'client', to: 'cli', because: 'a library knows no program' },
  { from: 'client', to: 'web', because: 'a library knows no program' },
  { from: 'client', to: 'gate', because: 'the client is below the doors' },
  { from: 'client', to: 'graphene', because: 'the client is below the doors' },
  { from: 'cli', to: 'broker', because: 'the broker is another process, reached by HTTP' },
  { from: 'cli', to: 'web', because: 'doors stand side by side' },
  { from: 'cli', to: 'gate', because: 'doors stand side by side' },
  { from: 'cli', to: 'graphene', because: 'doors stand side by side' },
  { from: 'web', to: 'broker', because: 'a page holds nothing of the server' },
  { from: 'web', to: 'http', because: 'a page holds nothing of a server' },
  { from: 'web', to: 'node', because: 'a page runs in a browser' },
  { from: 'web', to: 'cli', because: 'doors stand side by side' },
  { from: 'web', to: 'gate', because: 'doors stand side by side' },
  { from: 'web', to: 'graphene', because: 'doors stand side by side' },
  { from: 'gate', to: 'broker', because: 'the broker is another process, reached by HTTP' },
  { from: 'gate', to: 'cli', because: 'doors stand side by side' },
  { from: 'gate', to: 'web', because: 'doors stand side by side' },
  { from: 'gate', to: 'graphene', because: 'doors stand side by side' },
  { from: 'http', to: 'broker', because: 'what servers share knows none of them' },
  { from: 'http', to: 'client', because: 'a server does not see with a client’s eyes' },
  { from: 'http', to: 'cli', because: 'a library knows no program' },
  { from: 'http', to: 'web', because: 'a library knows no program' },
  { from: 'http', to: 'gate', because: 'what servers share knows none of them' },
  { from: 'http', to: 'graphene', because: 'what servers share knows none of them' },
  { from: 'graphene', to: 'broker', because: 'the broker is another process, reached by HTTP' },
  { from: 'graphene', to: 'cli', because: 'doors stand side by side' },
  { from: 'graphene', to: 'web', because: 'doors stand side by side' },
  { from: 'graphene', to: 'gate', because: 'doors stand side by side' },
];

/** What a source imports, in each of the ways of writing it; lines of comments are none. */
function importsOf(source: string): string[] {
  const code = source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const written =
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*(['"])(.+?)\1|\bimport\s*(['"])(.+?)\3|\b(?:import|require|import\.meta\.resolve)\s*\(\s*(['"`])(.+?)\5/g;
  return [...code.matchAll(written)].map((match) => (match[2] ?? match[4] ?? match[6])!);
}

/** The target of an import, as the table names targets; undefined for what is neither ours nor Node's. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relative(PACKAGES, join(dirname(file), specifier)).split(sep)[0];
  if (specifier.startsWith('@countersign/')) return specifier.split('/')[1];
  if (specifier === 'countersign') return 'cli';
  return isBuiltin(specifier) ? 'node' : undefined;
}

function sources(name: string): string[] {
  return globSync(`${name}/src/**/*.{ts,tsx,mts,js,mjs}`, { cwd: PACKAGES }).map((file) =>
    join(PACKAGES, file),
  );
}

/** The one door to each program of another package: it is started, and not loaded. */
const STARTED: Readonly<Record<string, string>> = {
  'cli/src/commands/broker.ts': '@countersign/broker/main',
  'cli/src/commands/cosign.ts': '@countersign/graphene/main',
  'cli/src/commands/validator.ts': '@countersign/gate/validator',
};

/** The files that go along a forbidden arrow. */
function offenders({ from, to }: Arrow): string[] {
  return sources(from).filter((file) => {
    const started = STARTED[relative(PACKAGES, file).split(sep).join('/')];
    const source = readFileSync(file, 'utf8');
    const read = started === undefined ? source : source.replace(`import.meta.resolve('${started}')`, '');
    return importsOf(read).some((specifier) => targetOf(file, specifier) === to);
  });
}

describe('nothing imports along a forbidden arrow', () => {
  for (const arrow of FORBIDDEN) {
    test(`${arrow.from} → ${arrow.to}: ${arrow.because}`, () => {
      assert.deepEqual(offenders(arrow), []);
    });
  }
});

/** Follows imports inside a package, and gathers what comes from outside of it. */
function walker() {
  const reached = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else outside.add(specifier);
    }
  };
  return { outside, visit };
}

test('the ordinary library does not load the curve that only mutual sessions need', () => {
  const { outside, visit } = walker();
  visit(join(PACKAGES, 'core', 'src', 'index.ts'));
  assert.ok(outside.has('valibot'));
  assert.deepEqual(
    [...outside].filter((specifier) => specifier.startsWith('@noble/')),
    [],
  );
  visit(join(PACKAGES, 'core', 'src', 'session-exchange.ts'));
  assert.ok(outside.has('@noble/curves/ed25519.js'));
});

test('what a wallet in a browser imports of graphene needs nothing that Node brings', () => {
  const { outside, visit } = walker();
  visit(join(PACKAGES, 'graphene', 'src', 'wallet', 'index.ts'));
  visit(join(PACKAGES, 'graphene', 'src', 'index.ts'));
  assert.ok(outside.has('@noble/curves/secp256k1.js'));
  const servers = ['fastify', '@countersign/client/node', '@countersign/http'];
  assert.deepEqual(
    [...outside].filter((specifier) => isBuiltin(specifier) || servers.includes(specifier)),
    [],
  );
});

describe('the table', () => {
  test('speaks of every package that there is', () => {
    const packages = globSync('*/package.json', { cwd: PACKAGES }).map((file) => dirname(file));
    const known = new Set(FORBIDDEN.map(({ from }) => from));
    assert.deepEqual(
      packages.filter((name) => !known.has(name)),
      [],
    );
  });

  test('lets nobody import the broker', () => {
    const others = new Set(FORBIDDEN.map(({ from }) => from).filter((from) => from !== 'broker'));
    for (const from of others)
      assert.ok(FORBIDDEN.some((arrow) => arrow.from === from && arrow.to === 'broker'));
  });

  test('leaves the arrows that are meant: to client and core', () => {
    for (const from of ['cli', 'web', 'gate', 'graphene']) {
      for (const to of ['client', 'core']) {
        assert.ok(!FORBIDDEN.some((arrow) => arrow.from === from && arrow.to === to));
      }
    }
  });

  test('has each arrow once, with a reason', () => {
    assert.equal(new Set(FORBIDDEN.map(({ from, to }) => `${from} ${to}`)).size, FORBIDDEN.length);
    for (const { because } of FORBIDDEN) assert.ok(because.length > 10);
  });
});

describe('the scanner', () => {
  for (const planted of [
    "import { broker } from '@countersign/broker';",
    "import type { Broker } from '@countersign/broker';",
    "import '@countersign/broker';",
    'import broker from "@countersign/broker/main";',
    "import {\n  one,\n  two,\n} from '@countersign/broker';",
    "import * as broker from '@countersign/broker';",
    "export * from '@countersign/broker';",
    "export type { Broker } from '@countersign/broker';",
    "const broker = await import('@countersign/broker');",
    'const broker = import(`@countersign/broker`);',
    "const broker = require('@countersign/broker');",
    "const path = import.meta.resolve('@countersign/broker/main');",
    "import { a } from './a.ts';import { b } from '@countersign/broker';",
    "type Broker = import('@countersign/broker').Broker;",
    "import { b } from '../../broker/src/broker.ts';",
    "import { b } from '../../../packages/broker/src/broker.ts';",
  ]) {
    test(`finds a planted ${JSON.stringify(planted)}`, () => {
      const file = join(PACKAGES, 'client', 'src', 'planted.ts');
      assert.ok(importsOf(planted).some((specifier) => targetOf(file, specifier) === 'broker'));
    });
  }

  test('knows what Node brings, with its prefix and without', () => {
    for (const specifier of ['node:fs', 'fs', 'fs/promises', 'node:sqlite', 'crypto', 'buffer']) {
      assert.equal(targetOf(join(PACKAGES, 'core/src/a.ts'), specifier), 'node');
    }
  });

  test('takes words in comments for no imports', () => {
    const source =
      "/**\n * import { b } from '@countersign/broker';\n */\n// import '@countersign/broker';\n";
    assert.deepEqual(importsOf(source), []);
  });

  test('reads the files that there are', () => {
    assert.ok(sources('core').length > 20);
    assert.ok(sources('core').some((file) => importsOf(readFileSync(file, 'utf8')).includes('valibot')));
  });
});
