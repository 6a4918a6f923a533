#!/usr/bin/env node
/**
 * The program `countersign-gate`.
 * @module
 */
import { runProgram } from '../program/run-program.ts';
import { createHostProgram } from './program.ts';

await runProgram('countersign-gate', createHostProgram());
