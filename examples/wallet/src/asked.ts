/**
 * What a link asks for that the page was opened by: behind the `#` of its address, where no server sees it. Who asks,
 * and for what, in words; and what comes of a yes or a no.
 * @module
 */
import { systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import {
  explainOperations,
  formatLoginAnswer,
  type LoginRequest,
  newPrivateKey,
  parseArgumentLink,
  parseLogin,
} from '@countersign/graphene';
import {
  carryOutRequest,
  type Desk,
  factsOf,
  gatherLogin,
  type OpenedRequest,
  openRequest,
  operationsOf,
  refuseRequest,
  type Step,
} from '@countersign/graphene/wallet';
import type { Wallet } from './own.ts';

/** What came of it: words, and where the answer is brought, if anywhere. */
export interface Done {
  readonly text: string;
  readonly address?: string | undefined;
}

export interface Asked {
  readonly title: string;
  readonly operations: ReturnType<typeof explainOperations>;
  /** What else there is to know before a yes. */
  readonly notes: readonly string[];
  /** Whom an answer goes to. */
  readonly host?: string;
  readonly yes: string;
  accept(onStep: (step: Step) => void): Promise<Done>;
  /** Where it can still be refused. */
  readonly refuse?: () => Promise<Done>;
}

/** @param account the name of this wallet's @throws what is wrong with the link, or that it is another's */
export async function readLink(wallet: Wallet, account: string, link: string): Promise<Asked> {
  const { chain } = wallet;
  const said = parseArgumentLink(link);
  if (typeof said === 'object' && said !== null && 'onetimekey' in said) {
    return loginOf(wallet, account, parseLogin(link, chain));
  }
  const desk: Desk = { ...wallet, now: systemClock.now() };
  const opened = await openRequest(desk, link);
  checkMeant(opened.request.account, account);
  return transactionOf(wallet, desk, opened);
}

function loginOf(wallet: Wallet, account: string, request: LoginRequest): Asked {
  checkMeant(request.account ?? account, account);
  const { host } = new URL(request.callback);
  return {
    title: `${host} asks you to log in there as ${account}`,
    operations: [],
    notes: ['Nothing is paid. Log in only where you have just asked for it yourself.'],
    host,
    yes: 'Log in',
    async accept(onStep) {
      const own = newPrivateKey();
      const signatures = await gatherLogin(request, account, own, { ...wallet, onStep });
      const address = formatLoginAnswer(request, account, own, signatures, wallet.chain);
      return { text: 'All have signed. The link below logs you in: give it to nobody.', address };
    },
    refuse: async () => ({ text: 'Nothing was signed.' }),
  };
}

async function transactionOf(wallet: Wallet, desk: Desk, opened: OpenedRequest): Promise<Asked> {
  const { request, transaction, begun } = opened;
  const facts = await factsOf(wallet.client, operationsOf(transaction));
  const host = request.callback === undefined ? undefined : new URL(request.callback).host;
  return {
    title: `${request.by} asks you to sign for ${request.account}`,
    operations: explainOperations(transaction.operations, facts),
    notes: [
      ...(request.apply ? [] : ['It is handed back with your signature, and not sent from here.']),
      ...(begun ? ['You said yes to this link before: this goes on with it.'] : []),
    ],
    ...(host === undefined ? {} : { host }),
    yes: request.apply ? 'Sign and send' : 'Sign',
    async accept(onStep) {
      const done = await carryOutRequest(desk, opened, { ...wallet, onStep });
      if (done.status === 'signed') return { text: 'Signed, and not sent from here.', address: done.address };
      const where = done.block === 0 ? 'already' : `in block ${done.block}`;
      return { text: `Executed by the chain, ${where}.`, address: done.address };
    },
    ...(begun
      ? {}
      : {
          refuse: async () => ({
            text: 'Nothing was signed.',
            address: await refuseRequest(desk, opened),
          }),
        }),
  };
}

function checkMeant(meant: string, account: string): void {
  if (meant === account) return;
  throw new CountersignError('link-invalid', `this link is for ${meant}, and this wallet is of ${account}`);
}
