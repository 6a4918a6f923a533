/**
 * A sign-on in words: what is asked, and how it ended.
 * @module
 */
import { makeVisible } from '@countersign/core';
import type { ContextMessage, Refusal, SignOnEnd, ValidatorRecord } from '@countersign/core/m-auth';

const REFUSALS: Record<Refusal, string> = {
  approver: 'an approver rejected it',
  'approval-late': 'the approvers did not answer in time',
  withdrawn: 'the interface took it back',
};

const ENDS: Record<Exclude<SignOnEnd['outcome'], 'granted' | 'refused' | 'answered'>, string> = {
  'not-recognised':
    'The interface has no sign-on with this passcode. Mistyped, too late, or the screen is not the interface that you picked: do not go on there. Nothing was given away.',
  forged:
    'ALARM: what answered is not the interface that you picked. Do not sign on there, and tell its administrator.',
  stale:
    'ALARM: this validator is behind. Either it was restored from an old copy, or somebody has signed on with a copy of it. If you restored nothing, show your erase statement to the host, tell its administrator, and pair anew.',
  copied:
    'ALARM: somebody was let in with a copy of this validator. This sign-on was reported as fraud. Show your erase statement to the host, tell its administrator, and pair anew.',
  mismatch:
    'ALARM: the interface asked for an account, a host or a service that this pair is not for. It was denied; tell its administrator.',
  late: 'Not answered in time: nothing was accepted.',
  unknown:
    'Accepted, and no result came. Look at the interface: it may have let you in. The next sign-on is not disturbed.',
  'unknown-forged':
    'ALARM: accepted, and what came in place of the result is not the interface’s. Somebody is on the line. Look at the interface: it may have let you in.',
  'record-changed': 'Another sign-on of this validator was faster; nothing was accepted. Try again.',
  withdrawn: 'Given up; nothing was accepted.',
};

/** All of a context, nothing in it able to act on a terminal. */
export function contextText(message: ContextMessage): string {
  const { context, failed, alarms, last, approvals } = message;
  const when = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  const rows: [string, string | undefined][] = [
    ['account', context.account],
    ['host', context.host],
    ['service', context.service],
    ['tty', context.tty],
    ['from', context.remote],
    ['address', context.address],
    ['command', context.command],
    ['time', when(context.time)],
    ['then', approvals === 0 ? undefined : `${approvals} approver${approvals === 1 ? '' : 's'} must agree`],
    ['before', last === undefined ? undefined : `${last.service}, ${when(last.time)}`],
    ['since', failed === 0 ? undefined : `${failed} sign-on${failed === 1 ? '' : 's'} not finished`],
    ['ALARMS', alarms === 0 ? undefined : `${alarms} since: ask the host’s administrator`],
  ];
  const lines = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(8)} ${makeVisible(value)}`],
  );
  return `\n${lines.join('\n')}\n`;
}

export function endText(end: SignOnEnd, { account, host }: ValidatorRecord): string {
  switch (end.outcome) {
    case 'granted': {
      const { secret } = end;
      const handed =
        secret === undefined ? '' : `\n${makeVisible(secret.name)}: ${makeVisible(secret.value)}`;
      return `Signed on: ${account} on ${host}${handed}`;
    }
    case 'refused':
      return `Not signed on: ${REFUSALS[end.reason]}.`;
    case 'answered':
      return end.answer === 'fraud' ? 'Denied, and reported as fraud.' : 'Denied.';
    default:
      return ENDS[end.outcome];
  }
}
