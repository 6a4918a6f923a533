#!/usr/bin/env node
/**
 * The chat's server: it builds and serves the page, and keeps e-mail addresses and passwords. What is said it
 * never sees: that goes through the broker, sealed.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import cookie from '@fastify/cookie';
import files from '@fastify/static';
import { Command } from 'commander';
import Fastify, { type FastifyReply } from 'fastify';
import * as v from 'valibot';
import { build } from 'vite';
import { Refusal, Users } from './accounts.ts';

const Credentials = v.strictObject({
  email: v.pipe(
    v.string(),
    v.maxLength(255),
    v.regex(/^[a-z0-9._-]+@[a-z0-9.-]+$/, 'an e-mail address, in small letters'),
  ),
  password: v.pipe(v.string(), v.maxLength(512)),
});
const Link = v.strictObject({ link: v.pipe(v.string(), v.maxLength(1024), v.startsWith('countersign:')) });
const SESSION = 'chat-session';

export interface ChatOptions {
  readonly port: number;
  /** Origin of the broker. */
  readonly broker: string;
  /** The database of users; in memory by default. */
  readonly data?: string;
}

export async function startChat({ port, broker, data = ':memory:' }: ChatOptions) {
  const pages = mkdtempSync(join(tmpdir(), 'countersign-chat-'));
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
  const users = new Users(data, () => Math.floor(Date.now() / 1000));
  const app = Fastify({ bodyLimit: 8192, forceCloseConnections: true });
  await app.register(cookie);
  await app.register(files, { root: pages });
  app.addHook('onSend', async (_call, reply) => {
    const socket = broker.replace(/^http/, 'ws');
    reply.header(
      'content-security-policy',
      `default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${broker} ${socket}; img-src 'self' data:; frame-ancestors 'none'`,
    );
    reply.header('referrer-policy', 'no-referrer');
    reply.header('x-content-type-options', 'nosniff');
  });
  app.setErrorHandler((error, _call, reply) => {
    const status = error instanceof Refusal ? error.status : v.isValiError(error) ? 400 : 500;
    return reply
      .code(status)
      .send({ message: status === 500 ? 'the server failed' : (error as Error).message });
  });
  const begin = (reply: FastifyReply, token: string) =>
    reply.setCookie(SESSION, token, { httpOnly: true, sameSite: 'strict', path: '/' });

  app.post('/sign-up', async (call, reply) => {
    const { email, password } = v.parse(Credentials, call.body);
    begin(reply, await users.signUp(email, password));
    return { email, broker };
  });
  app.post('/sign-in', async (call, reply) => {
    const { email, password } = v.parse(Credentials, call.body);
    const token = await users.signIn(email, password);
    begin(reply, token);
    return { email, broker, link: users.bySession(token).link };
  });
  app.post('/link', async (call) => {
    const { email } = users.bySession(call.cookies[SESSION]);
    users.setLink(email, v.parse(Link, call.body).link);
    return { kept: true };
  });

  const origin = await app.listen({ host: '127.0.0.1', port });
  return {
    origin,
    async close() {
      await app.close();
      users.close();
      rmSync(pages, { recursive: true, force: true });
    },
  };
}

if (import.meta.main) {
  const program = new Command('chat')
    .description(
      'A small end-to-end encrypted group chat. Run a broker with --web-origin <its address> beside it.',
    )
    .option('--port <number>', 'port to listen on', Number, 8480)
    .option('--broker <url>', 'origin of the broker', 'http://127.0.0.1:8470')
    .option('--data <file>', 'where users are kept', 'chat.db')
    .action(async (options: { port: number; broker: string; data: string }) => {
      const chat = await startChat(options);
      const stop = () => void chat.close();
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      process.stdout.write(`The chat is at ${chat.origin}; it uses the broker at ${options.broker}.\n`);
    });
  await program.parseAsync();
}
