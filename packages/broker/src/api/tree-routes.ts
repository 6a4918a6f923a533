/**
 * The tree of all heads, as C2SP tlog-tiles serves one; and consistency proofs, for readers that would rather
 * not put them together from tiles.
 * @module
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { CountersignError, formatBundle, Hash, TILE_HEIGHT, TILE_WIDTH, tileIndex } from '@countersign/core';
import type { ValibotFastify } from '@countersign/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as v from 'valibot';
import type { BrokerContext } from '../context.ts';
import { Failed, treeSize } from './schemas.ts';

const TILE_PATH = /^(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

interface Tile {
  readonly level: number | 'entries';
  readonly n: number;
  readonly width: number;
}

const compress = promisify(gzip);

export function addTreeRoutes(app: ValibotFastify, context: BrokerContext): void {
  app.get(
    '/tlog/proof',
    {
      schema: {
        summary: 'Prove that the tree of all heads grew from one size to another',
        'x-caller': 'anybody',
        'x-errors': ['input-invalid'],
        tags: ['tree'],
        querystring: v.strictObject({ from: treeSize('The older size'), to: treeSize('The newer size') }),
        response: { 200: v.object({ consistency: v.array(Hash) }), ...Failed },
      },
    },
    async ({ query: { from, to } }) => {
      if (from > to || to > (await context.tree.size())) {
        throw new CountersignError('input-invalid', 'the tree has not had these sizes, in this order');
      }
      return { consistency: await context.tree.consistency(from, to) };
    },
  );

  // c2sp.org/tlog-tiles describes these.
  const hidden = { schema: { hide: true } as object };
  app.get('/tlog/checkpoint', hidden, async (_call, reply) => {
    const { note } = await context.tree.head();
    return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store').send(note);
  });

  app.get('/tlog/tile/*', hidden, async (call, reply) => {
    const tile = parseTile((call.params as { '*': string })['*']);
    if (tile === undefined || !(await exists(context, tile))) {
      throw new CountersignError('route-unknown', 'there is no such tile');
    }
    reply.type('application/octet-stream').header('cache-control', 'public, max-age=31536000, immutable');
    if (tile.level === 'entries') return sendCompressed(call, reply, await readEntries(context, tile));
    return reply.send(Buffer.concat(await readHashes(context, tile.level, tile)));
  });
}

function parseTile(path: string): Tile | undefined {
  const [, level, index, partial] = TILE_PATH.exec(path) ?? [];
  if (level === undefined || index === undefined) return undefined;
  const n = Number(index.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const good = (level === 'entries' || Number(level) < 64) && index === tileIndex(n);
  if (!good || (partial !== undefined && width >= TILE_WIDTH)) return undefined;
  return { level: level === 'entries' ? level : Number(level), n, width };
}

async function exists({ tree }: BrokerContext, { level, n, width }: Tile): Promise<boolean> {
  const below = level === 'entries' ? 1 : TILE_WIDTH ** level;
  return n * TILE_WIDTH + width <= Math.floor((await tree.size()) / below);
}

function readHashes({ store }: BrokerContext, level: number, { n, width }: Tile): Promise<Uint8Array[]> {
  const first = n * TILE_WIDTH;
  return store.tree.readHashes(
    Array.from({ length: width }, (_, i) => ({ level: level * TILE_HEIGHT, n: first + i })),
  );
}

async function readEntries({ store }: BrokerContext, { n, width }: Tile): Promise<Uint8Array> {
  const leaves = await store.tree.readLeaves(n * TILE_WIDTH, width);
  return formatBundle(leaves.map((leaf) => Buffer.from(leaf)));
}

async function sendCompressed(
  call: FastifyRequest,
  reply: FastifyReply,
  bytes: Uint8Array,
): Promise<FastifyReply> {
  reply.header('vary', 'accept-encoding');
  const accepted = (call.headers['accept-encoding'] ?? '').split(',').map((one) => one.trim());
  if (!accepted.includes('gzip')) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(await compress(bytes));
}
