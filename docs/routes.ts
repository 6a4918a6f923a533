/**
 * The broker's routes, as a running broker describes them.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CALL_ERRORS, PROOF_ERRORS, STATEMENT_ERRORS } from '../packages/broker/src/api/route-errors.ts';
import { sodiumCrypto, startBroker } from '../packages/broker/src/index.ts';
import type { ProviderContext } from '../packages/graphene/src/provider/context.ts';
import type { Cosigning } from '../packages/graphene/src/provider/cosigning.ts';
import { createServer } from '../packages/graphene/src/provider/server.ts';
import { code, table } from './markdown.ts';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly 'x-caller'?: string;
  readonly 'x-errors'?: readonly string[];
}

/** Errors that come together, and the word that stands for them. */
const SHORT: readonly (readonly [word: string, errors: readonly string[]])[] = [
  ['*statement*', STATEMENT_ERRORS],
  ['*proof*', PROOF_ERRORS],
];

type Paths = Record<string, Record<string, Operation>>;

/** A table for each group of routes. */
function groupTables(paths: Paths): string[] {
  const groups = new Map<string, string[][]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const group = operation.tags?.[0] ?? 'others';
      const row = [code(`${method.toUpperCase()} ${path}`), operation.summary ?? '', ...refusals(operation)];
      groups.set(group, [...(groups.get(group) ?? []), row]);
    }
  }
  return [...groups].flatMap(([group, rows]) => [
    `\n### ${group}\n`,
    table(['', 'what', 'who may call', 'refused as'], rows),
  ]);
}

/** The provider's, from its schemas: describing them needs no chain. */
export async function providerRoutes(): Promise<string> {
  const app = await createServer({} as ProviderContext, {} as Cosigning, undefined);
  await app.ready();
  const { paths } = app.swagger() as unknown as { paths: Paths };
  await app.close();
  return [
    'The forms of bodies and answers are in OpenAPI at `/openapi.json` of every provider; what a form cannot say is in',
    '[spec/cosign-provider.md](../spec/cosign-provider.md). Any call may be refused as `input-invalid`, `json-invalid`,',
    '`body-too-large` or `internal`.',
    ...groupTables(paths),
  ].join('\n');
}

export async function routeTables(): Promise<string> {
  const paths = await describedPaths();
  return [
    'The forms of bodies and answers are in OpenAPI at `/openapi.json` of every broker; what a form cannot say is in',
    '[spec/broker-api.md](../spec/broker-api.md). Beside what stands with a route, a call may be refused as one of',
    `these, and one that takes a *statement* or a *proof* as one of those:\n`,
    table(
      ['', ''],
      [['any call', codes(CALL_ERRORS)], ...SHORT.map(([word, errors]) => [word, codes(errors)])],
    ),
    ...groupTables(paths),
  ].join('\n');
}

function refusals(operation: Operation): [caller: string, errors: string] {
  const proven = operation.security !== undefined;
  const caller = operation['x-caller'] ?? (proven ? 'a device of the account, by a proof of its key' : '');
  const all = operation['x-errors'] ?? [];
  const short = SHORT.filter(([, errors]) => errors.every((error) => all.includes(error)));
  const covered = new Set(short.flatMap(([, errors]) => errors));
  const rest = all.filter((error) => !covered.has(error));
  return [caller, [...short.map(([word]) => word), ...rest.map(code)].join(', ')];
}

function codes(list: readonly string[]): string {
  return list.map(code).join(', ');
}

async function describedPaths(): Promise<Paths> {
  const data = await mkdtemp(join(tmpdir(), 'countersign-reference-'));
  const broker = await startBroker({
    data,
    host: '127.0.0.1',
    port: 0,
    crypto: sodiumCrypto,
    now: () => Math.floor(Date.now() / 1000),
  });
  try {
    const answer = await fetch(`${broker.local}/openapi.json`);
    return ((await answer.json()) as { paths: Paths }).paths;
  } finally {
    await broker.close();
    await rm(data, { recursive: true });
  }
}
