#!/usr/bin/env node
/**
 * The wallet's server: it builds and serves the page, and says which nodes of the chain to ask. It learns no key and
 * no transaction: the page speaks to the chain and to providers itself.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import files from '@fastify/static';
import { Command } from 'commander';
import Fastify from 'fastify';
import { build } from 'vite';

export interface WalletOptions {
  readonly port: number;
  /** Nodes of the chain, `wss://node.example/ws`; where there are two, both must agree. */
  readonly nodes: readonly string[];
}

export async function startWallet({ port, nodes }: WalletOptions) {
  const pages = mkdtempSync(join(tmpdir(), 'countersign-wallet-'));
  await build({
    root: import.meta.dirname,
    logLevel: 'warn',
    build: {
      outDir: pages,
      emptyOutDir: true,
      target: 'esnext',
      // HPKE asks Node before version 19 for it, and a browser never.
      rolldownOptions: { external: ['crypto'] },
    },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  // Providers are wherever the chain says that they are; without TLS only on this machine, to try it out.
  const reached = ["'self'", 'https:', 'http://127.0.0.1:*', 'http://localhost:*', ...nodes].join(' ');
  const app = Fastify({ forceCloseConnections: true });
  await app.register(files, { root: pages });
  app.addHook('onSend', async (_call, reply) => {
    reply.header(
      'content-security-policy',
      `default-src 'self'; connect-src ${reached}; img-src 'self' data:; frame-ancestors 'none'`,
    );
    reply.header('referrer-policy', 'no-referrer');
    reply.header('x-content-type-options', 'nosniff');
  });
  // Where links to a wallet lead, by their protocols: it is one page, which reads them.
  for (const path of ['/transaction', '/login'])
    app.get(path, (_call, reply) => reply.sendFile('index.html'));
  app.get('/settings.json', async () => ({ nodes }));
  const origin = await app.listen({ host: '127.0.0.1', port });
  return {
    origin,
    async close() {
      await app.close();
      rmSync(pages, { recursive: true, force: true });
    },
  };
}

if (import.meta.main) {
  const program = new Command('wallet')
    .description('A small wallet in a browser, for accounts that need the signatures of providers.')
    .option('--port <number>', 'port to listen on', Number, 8490)
    .requiredOption('--node <url...>', 'nodes of the chain; where there are two, both must agree')
    .action(async ({ port, node: nodes }: { port: number; node: string[] }) => {
      const wallet = await startWallet({ port, nodes });
      const stop = () => void wallet.close();
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      process.stdout.write(`The wallet is at ${wallet.origin}.\n`);
    });
  await program.parseAsync();
}
