/**
 * The small chain as a program: `main.ts <genesis.json>`; one line of JSON says where it listens.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Genesis } from './ledger.ts';
import { startChain } from './node.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: main.ts <genesis.json>');
const node = await startChain(JSON.parse(readFileSync(file, 'utf8')) as Genesis);
process.stdout.write(`${JSON.stringify({ url: node.url, chain_id: node.ledger.chain.id })}\n`);
process.once('SIGTERM', () => node[Symbol.asyncDispose]().then(() => process.exit(0)));
