#!/usr/bin/env node
import { runProgram } from '../program/run-program.ts';
/**
 * The program `countersign-gated`: the demultiplexer.
 * @module
 */
import { createDemultiplexerProgram } from './program.ts';

await runProgram('countersign-gated', createDemultiplexerProgram());
