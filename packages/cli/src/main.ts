#!/usr/bin/env node
/**
 * The program `countersign`. What its sources were compiled to is kept, since a person waits for its first word: with
 * it that comes in half the time.
 * @module
 */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { compiledFolder } from './compiled-folder.ts';

const folder = compiledFolder(process.getuid?.(), homedir(), process.env.XDG_CACHE_HOME);
if (folder !== undefined) enableCompileCache(folder);
await import('./run.ts');
