/**
 * `countersign receipt verify`: offline, with nothing but the file.
 * @module
 */
import { readFileSync } from 'node:fs';
import {
  CountersignError,
  matchesFingerprint,
  parseFingerprint,
  parseStrictJson,
  statementId,
  verifyReceipt,
} from '@countersign/core';
import type { Command } from 'commander';
import { EXIT_HELP, exitOfOutcome } from '../exit-codes.ts';
import { questionText } from '../question-text.ts';
import { type Cli, show } from './context.ts';

const OUTCOMES = {
  accept: 'accepted',
  reject: 'rejected',
  fraud: 'fraud',
  'passcode-failed': 'passcode-failed',
} as const;

export function addReceiptCommands(program: Command, cli: Cli): void {
  const receipt = program.command('receipt').description('check receipts');
  receipt
    .command('verify')
    .description('verify a receipt offline: who asked what, who answered how, and when')
    .argument('<file>', 'the receipt, as `confirm verify --out` or `confirm history --receipt` wrote it')
    .option('--account <fingerprint>', 'the fingerprint that the answering account must have')
    .option('--enquirer <fingerprint>', 'the fingerprint that the asking account must have')
    .option('--broker-key <fingerprint>', 'the fingerprint that the key behind the time must have')
    .addHelpText('after', EXIT_HELP)
    .action(async (file: string, options, command: Command) => {
      const { json = false } = command.optsWithGlobals();
      const verified = await verifyReceipt(cli.crypto, parseStrictJson(readFileSync(file)));
      const { request, response, enquirer, account, checkpoint, seat } = verified;
      const accountId = await statementId(cli.crypto, account.identity);
      const enquirerId = await statementId(cli.crypto, enquirer.identity);
      checkExpected('account', accountId, options.account);
      checkExpected('enquirer', enquirerId, options.enquirer);
      const brokerKey = checkpoint.kid;
      checkExpected('broker’s key', brokerKey, options.brokerKey);
      const outcome = OUTCOMES[response.decision.decision];
      const answeredAt = response.statement.payload.iat;
      const trusted = options.account !== undefined && options.enquirer !== undefined;
      const member = seat && {
        name: seat.member.name,
        fingerprint: await statementId(cli.crypto, seat.member.identity),
        role: seat.role,
      };
      const by = member === undefined ? '' : `, its member ${member.name} (${member.role})`;
      const value = {
        outcome,
        account: { name: account.name, fingerprint: accountId },
        enquirer: { name: enquirer.name, fingerprint: enquirerId },
        ...(member === undefined ? {} : { member }),
        device: { kid: response.device.kid, name: response.device.name },
        question: request.question,
        askedAt: request.statement.payload.iat,
        answeredAt,
        checkpointAt: checkpoint.payload.iat,
        broker: { origin: checkpoint.payload.iss, key: brokerKey },
      };
      show(cli, json, value, () =>
        [
          `${cli.terminal.style('bold', account.name)} ${outcome}, at ${time(answeredAt)}, on ${response.device.name}:`,
          questionText(request.question, cli.terminal),
          `asked by ${enquirer.name}${by} at ${time(request.statement.payload.iat)}`,
          `  account   ${accountId}`,
          `  enquirer  ${enquirerId}`,
          ...(member === undefined ? [] : [`  member    ${member.fingerprint}`]),
          `  broker    ${brokerKey}  (${checkpoint.payload.iss})`,
          `  that key vouches for the device log as of ${time(checkpoint.payload.iat)}`,
          ...(options.brokerKey === undefined
            ? [
                'Whose key it is was not compared: anybody can make one, and with it date an answer of a device that was shown out. Compare it with what `countersign account show` says of the broker, or give --broker-key.',
              ]
            : []),
          trusted
            ? 'Every signature is good, and both fingerprints are the expected ones.'
            : 'Every signature is good. Whose they are rests on the two fingerprints: compare them with what you know, or give --account and --enquirer.',
        ].join('\n'),
      );
      cli.exit = exitOfOutcome({ outcome } as Parameters<typeof exitOfOutcome>[0]);
    });
}

function checkExpected(role: string, actual: string, expected: string | undefined): void {
  if (expected === undefined || matchesWell(actual, expected)) return;
  throw new CountersignError(
    'account-mismatch',
    `the ${role} of this receipt has another fingerprint: ${actual}`,
  );
}

/** A handful of letters is not enough to tell accounts apart. */
function matchesWell(actual: string, expected: string): boolean {
  const typed = parseFingerprint(expected);
  if (typed.replaceAll('-', '').length < 20) {
    throw new CountersignError('fingerprint-invalid', 'give at least 20 letters of the fingerprint');
  }
  return matchesFingerprint(actual, typed);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
