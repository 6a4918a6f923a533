/**
 * Times that a grant ends by: the seconds since this machine was started, which nobody can set back (clock_gettime(2),
 * CLOCK_BOOTTIME: it goes on while the machine sleeps), the boot that they count from, and the calendar's time.
 * @module
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { systemClock } from '@countersign/client';

export interface BootTime {
  /** Another one after each start of the machine. */
  readonly boot: string;
  /** Since then. */
  readonly seconds: number;
  /** Seconds since 1970, by the clock that can be set. */
  readonly now: number;
}

export type ReadBootTime = () => BootTime;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** @throws whatever reading says, where this is no Linux: no grant is open then */
export const systemBootTime: ReadBootTime = () => ({
  boot: readFileSync(BOOT_ID, 'utf8').trim(),
  seconds: uptime(),
  now: systemClock.now(),
});
