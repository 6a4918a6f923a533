/**
 * `npm run demo [door]`: tells a door's story with the real programs, in separate processes.
 * @module
 */
import { compileOnce } from '../compile-once.ts';
import { tellConfirm } from './confirm.ts';
import { tellCosign } from './cosign.ts';
import { tellDevices } from './devices.ts';
import { tellGate } from './gate.ts';
import { tellSessions } from './sessions.ts';

const DOORS: Readonly<Record<string, () => Promise<void>>> = {
  confirm: tellConfirm,
  devices: tellDevices,
  gate: tellGate,
  sessions: tellSessions,
  cosign: tellCosign,
};

const door = process.argv[2] ?? 'confirm';
const tell = DOORS[door];
if (tell === undefined) {
  process.stderr.write(`demo: no such door: ${door}; there is ${Object.keys(DOORS).join(', ')}\n`);
  process.exitCode = 64;
} else {
  compileOnce();
  await tell();
}
