/**
 * `countersign-gate enroll`: shows a code, and waits for the validator that it pairs.
 * @module
 */
import { systemClock } from '@countersign/client';
import { nodeNoise } from '@countersign/client/node';
import { CountersignError } from '@countersign/core';
import { formatPairLink, parseContext } from '@countersign/core/m-auth';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import encodeQR from 'qr';
import { each } from '../../program/arguments.ts';
import { type Enrolled, type Enrolling, enrol } from '../enrol.ts';
import { withRecords } from '../program.ts';
import { demultiplexerAt } from '../settings.ts';

/** The same as those of `countersign device request`. */
const EXITS: Readonly<Record<Enrolled['outcome'], number>> = {
  paired: 0,
  declined: 1,
  expired: 2,
  forged: 8,
  'not-kept': 9,
  cancelled: 1,
};

export function addEnrolCommand(program: Command): void {
  program
    .command('enroll')
    .description('pair a user with a validator: shows a code, good once and for ten minutes')
    .argument('<user>', 'as this host calls them')
    .option(
      '--service <name...>',
      'what the validator is for, like login, sshd, web; by default everything',
      each,
    )
    .option('--no-qr', 'show no QR code')
    .action((user: string, options: { service?: string[]; qr: boolean }, command: Command) =>
      withRecords(command, async ({ records, json, show }) => {
        const { settings } = records;
        const { host, addresses, page } = settings;
        checkNames(user, host);
        if (records.user(user).disabled) {
          throw new CountersignError(
            'usage',
            `${user} is disabled: a validator of theirs would open nothing`,
            {
              hint: `\`countersign-gate enable ${user}\` first`,
            },
          );
        }
        const enrolling = await start(() =>
          enrol({
            records,
            demultiplexer: demultiplexerAt(settings),
            noise: nodeNoise,
            crypto: webCrypto,
            user,
            host,
            services: options.service ?? ['*'],
          }),
        );
        const link = formatPairLink({ code: enrolling.code, addresses });
        const seconds = Math.round((enrolling.closes - systemClock.monotonic()) / 1000);
        // What is after the `#` stays on the telephone.
        const address = page === undefined ? undefined : `${page}/#${link}`;
        const shown = { user, host, code: enrolling.code, link, seconds };
        show(address === undefined ? shown : { ...shown, address }, () =>
          [
            `Pair ${user} with a validator: on that device, run`,
            '  countersign validator add',
            'and give this when it asks:',
            `  ${link}`,
            ...(address === undefined ? [] : ['or open this on a telephone:', `  ${address}`]),
            ...(options.qr ? ['or scan this:', '', encodeQR(address ?? link, 'ascii', { ecc: 'low' })] : []),
          ].join('\n'),
        );
        const enrolled = await wait(enrolling, json);
        show(resultJson(user, enrolled), () => resultText(user, enrolled));
        process.exitCode = EXITS[enrolled.outcome];
      }),
    );
}

async function wait(enrolling: Enrolling, json: boolean): Promise<Enrolled> {
  const update = json || !process.stderr.isTTY ? undefined : createLogUpdate(process.stderr);
  const draw = () => {
    const left = Math.max(0, Math.ceil((enrolling.closes - systemClock.monotonic()) / 1000));
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    update?.(`Waiting for the validator: ${clock} left (Ctrl-C to stop)`);
  };
  const timer = setInterval(draw, 1000);
  draw();
  process.once('SIGINT', enrolling.cancel);
  process.once('SIGTERM', enrolling.cancel);
  try {
    return await enrolling.result;
  } finally {
    clearInterval(timer);
    update?.clear();
    update?.done();
  }
}

async function start(open: () => Promise<Enrolling>): Promise<Enrolling> {
  try {
    return await open();
  } catch (cause) {
    throw new CountersignError('gate-unavailable', 'the demultiplexer does not answer', {
      cause,
      hint: 'is `countersign-gated` running, and `countersign-gate configure` right?',
    });
  }
}

/** @throws `input-invalid` */
function checkNames(user: string, host: string): void {
  try {
    parseContext({ account: user, host, service: 'any', time: 0 });
  } catch (cause) {
    throw new CountersignError('input-invalid', `“${user}” is no name that can be shown as a user’s`, {
      cause,
    });
  }
}

function resultJson(user: string, enrolled: Enrolled): object {
  if (enrolled.outcome !== 'paired') return { user, outcome: enrolled.outcome };
  const { id, validator, services } = enrolled.record;
  return { user, outcome: enrolled.outcome, pair: id, validator, services };
}

function resultText(user: string, enrolled: Enrolled): string {
  switch (enrolled.outcome) {
    case 'paired':
      return `${user} is paired with “${enrolled.record.validator}”.`;
    case 'expired':
      return 'Nobody came within ten minutes. The code is no longer good.';
    case 'forged':
      return 'Somebody came who does not know the code. It is no longer good: enroll again, out of sight.';
    case 'declined':
      return 'The validator did not go on. The code is no longer good.';
    case 'not-kept':
      return `The pair could not be kept: ${user} may have too many validators, or this one is not honest.`;
    case 'cancelled':
      return 'Stopped. The code is no longer good.';
  }
}
