/**
 * A visible countdown while somebody is waited for; nothing where nobody looks, or no time is left.
 * @module
 */
import { createLogUpdate } from 'log-update';
import type { Cli } from './commands/context.ts';
import { secondsText } from './question-text.ts';

export function startCountdown({ terminal, clock }: Cli, label: string, expiresAt: number): { stop(): void } {
  const seen = terminal.canAsk || process.stderr.isTTY;
  if (!seen || expiresAt <= clock.now()) return { stop() {} };
  const update = createLogUpdate(process.stderr);
  const draw = () =>
    update(`${label}: ${secondsText(expiresAt - clock.now())} left (Ctrl-C to stop waiting)`);
  const timer = setInterval(draw, 500);
  draw();
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      update.clear();
      update.done();
    },
  };
}
