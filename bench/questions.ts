/**
 * Signed questions and their signed answers, made before the clock runs: what is measured is the broker, and
 * the enquirer's verifying.
 * @module
 */
import {
  type CryptoProvider,
  checkDisclosed,
  createRequest,
  createResponse,
  type OpenRequest,
  readWithKeys,
  verifyResponse,
} from '@countersign/core';
import { sodiumCrypto } from '../packages/broker/src/index.ts';
import { type Member, now, type Population, standInSealing } from './population.ts';

export interface Question {
  readonly enquirer: Member;
  readonly account: Member;
  readonly request: OpenRequest;
  readonly hash: string;
  /** Bodies of the two calls. */
  readonly post: string;
  readonly answer: string;
  readonly answerPlaintext: string | undefined;
}

/** How a question travels: sealed with stand-in boxes, really sealed, or in clear. */
export type Sealing = 'stand-in' | 'hpke' | 'clear';

/**
 * Makes questions for one broker. They go round all pairs of enquirer and account, so that no limit of the
 * broker is reached.
 */
export class QuestionSupply {
  readonly #population: Population;
  readonly #broker: string;
  #made = 0;

  /** @param broker the origin that the questions are meant for */
  constructor(population: Population, broker: string) {
    this.#population = population;
    this.#broker = broker;
    if (population.accounts.length % population.enquirers.length !== 0) {
      throw new TypeError('the number of accounts must be a multiple of that of enquirers');
    }
  }

  async make(count: number, sealing: Sealing = 'stand-in'): Promise<Question[]> {
    const { enquirers, accounts } = this.#population;
    const crypto = sealing === 'hpke' ? sodiumCrypto : standInSealing;
    const questions: Question[] = [];
    for (let i = 0; i < count; i++) {
      const n = this.#made++;
      const enquirer = enquirers[(n + Math.floor(n / accounts.length)) % enquirers.length]!;
      const account = accounts[n % accounts.length]!;
      questions.push(await makeQuestion(crypto, this.#broker, enquirer, account, sealing !== 'clear'));
    }
    return questions;
  }
}

async function makeQuestion(
  crypto: CryptoProvider,
  broker: string,
  enquirer: Member,
  account: Member,
  sealed: boolean,
): Promise<Question> {
  const asking = {
    signer: enquirer.signer,
    enquirer: enquirer.log,
    account: account.log,
    broker,
    now: now(),
  };
  const request = await createRequest(crypto, asking, {
    kind: 'login',
    parts: [{ type: 'h1', text: 'Log in to Host1' }],
    fields: [{ name: 'from', value: '192.0.2.1, Utrecht' }],
    lifetime: 600,
    sealed,
  });
  const answering = {
    signer: account.signer,
    account: account.log,
    enquirer: enquirer.log,
    now: now(),
  };
  const decided = { decision: 'accept', shown: 'screen' } as const;
  const { statement, plaintext } = await createResponse(crypto, answering, request, decided);
  return {
    enquirer,
    account,
    request,
    hash: request.statement.hash,
    post: JSON.stringify({ request: request.statement.jws }),
    answer: JSON.stringify({ response: statement.jws }),
    answerPlaintext: plaintext,
  };
}

/** What the enquirer does with an answer, all but opening the box: it reads the plaintext, as a receipt's reader does. */
export async function verifyAnswer(question: Question, response: string): Promise<void> {
  const { request, account, answerPlaintext } = question;
  const { decision } = await verifyResponse(sodiumCrypto, request, account.log, response, async (sealed) => {
    await checkDisclosed(sodiumCrypto, sealed, answerPlaintext!);
    return answerPlaintext!;
  });
  if (decision.decision !== 'accept') throw new Error(`expected accept, got ${decision.decision}`);
}

/** The same with the box opened by HPKE. */
export async function openAnswer(question: Question, population: Population): Promise<void> {
  const { response } = JSON.parse(question.answer) as { response: string };
  const read = readWithKeys(sodiumCrypto, async () => population.opener);
  await verifyResponse(sodiumCrypto, question.request, question.account.log, response, read);
}
