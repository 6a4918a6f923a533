/**
 * A visible countdown while somebody is waited for; nothing where nobody looks.
 * @module
 */
import { createLogUpdate } from 'log-update';
import type { Cli } from './commands/context.ts';
import { secondsText } from './question-text.ts';

export function startCountdown({ terminal, clock }: Cli, label: string, expiresAt: number): { stop(): void } {
  if (!terminal.canAsk && !process.stderr.isTTY) return { stop() {} };
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
