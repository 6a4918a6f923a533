/**
 * Approvers: further accounts whose consent a sign-on needs, asked by **confirm** with what the person saw. The person
 * who signs on is none of them; one rejection ends it, and when it is over nobody is asked any more.
 * @module
 */
import type { Enquirer } from '@countersign/client';
import type { Field } from '@countersign/core';
import { makeVisible } from '@countersign/core';
import type { SignOnContext } from '@countersign/core/m-auth';
import { grantTimeText } from '../grants/grant.ts';
import type { ApprovalRule } from '../host/host-records.ts';
import { ownProgramText } from '../pam/push-question.ts';

/** What is put to each approver. */
export interface ApproverQuestion {
  readonly text: string;
  readonly fields: readonly Field[];
  readonly kind: 'login' | 'approval';
}

/** Consent that is asked for. */
interface Asking {
  readonly rule: ApprovalRule;
  /** The account of whoever wants it, where the host knows it. */
  readonly requester: string | undefined;
  /** How long the questions stand. */
  readonly seconds: number;
  /** Aborted when there is nothing to ask for any more. */
  readonly signal: AbortSignal;
  /** An approver has said yes or no. */
  heard(yes: boolean): void;
  /** There are no longer enough who could say yes. */
  unavailable(): void;
}

/** Consent to a sign-on. */
export interface ApprovalCall extends Asking {
  readonly context: SignOnContext;
  /** It is a program of the user's own that asks. */
  readonly ownProgram: boolean;
}

export type AskApprovers = (call: ApprovalCall) => void;

type EnquirerPart = Pick<Enquirer, 'ask' | 'wait' | 'cancel'>;

/** Asks through the host's own account at a broker, which is opened when it is first needed. */
export function approversBy(enquirer: () => Promise<EnquirerPart>): AskApprovers {
  return (call) => askApprovers(enquirer, call, signOnQuestion(call));
}

/** Asks each approver of a rule the same question. */
export function askApprovers(
  enquirer: () => Promise<EnquirerPart>,
  asking: Asking,
  question: ApproverQuestion,
): void {
  const asked = approversOf(asking);
  let left = asked.length;
  const lost = () => {
    left--;
    if (left < asking.rule.needed) asking.unavailable();
  };
  if (left < asking.rule.needed) {
    asking.unavailable();
    return;
  }
  for (const account of asked) {
    askOne(enquirer, account, asking, question).then((yes) => yes ?? lost(), lost);
  }
}

function signOnQuestion({ rule: { openSeconds }, context, ownProgram }: ApprovalCall): ApproverQuestion {
  const stands = openSeconds === undefined ? undefined : grantTimeText(openSeconds);
  const again = stands === undefined ? '' : `, and again for ${stands}`;
  return {
    text: ownProgram
      ? ownProgramText(context.account, context.service, context.host)
      : `May ${context.account} sign on to ${context.host}${again}?`,
    fields: fieldsOf(context, stands),
    kind: 'login',
  };
}

/** Each once, and never the one who signs on. */
function approversOf({ rule, requester }: Asking): string[] {
  const own = requester?.toLowerCase();
  return [...new Set(rule.of.map((account) => account.toLowerCase()))].filter((account) => account !== own);
}

/** Says what an approver said; undefined where they said nothing that counts. */
async function askOne(
  open: () => Promise<EnquirerPart>,
  account: string,
  { seconds, signal, heard }: Asking,
  question: ApproverQuestion,
): Promise<true | undefined> {
  const enquirer = await open();
  const { hash } = await enquirer.ask({ ...question, account, lifetime: seconds });
  let settled = false;
  try {
    const { outcome } = await enquirer.wait(hash, signal);
    settled = outcome !== 'pending';
    if (outcome === 'accepted') heard(true);
    else if (outcome === 'rejected' || outcome === 'fraud') heard(false);
    else return undefined;
    return true;
  } finally {
    if (!settled) await enquirer.cancel(hash).catch(() => {});
  }
}

function fieldsOf(context: SignOnContext, stands: string | undefined): Field[] {
  const shown: [string, string | undefined][] = [
    ['User', context.account],
    ['Host', context.host],
    ['Service', context.service],
    ['Terminal', context.tty],
    ['From', context.remote],
    ['Address', context.address],
    ['Command', context.command],
    ['Not asked again for', stands === undefined ? undefined : `${stands}, whatever the command or address`],
  ];
  return shown
    .filter((field): field is [string, string] => field[1] !== undefined && field[1] !== '')
    .map(([name, value]) => ({ name, value: makeVisible(value) }));
}
