/**
 * A host with an account at a broker, and the people whom it may ask: each answers by the command line, with a profile
 * of their own.
 * @module
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { countersign, type Finished } from './processes.ts';
import { until } from './until.ts';

export interface AskedOfPeople {
  readonly id: string;
  readonly hash: string;
  readonly question: {
    readonly parts: readonly { readonly text: string }[];
    readonly fields: readonly { readonly name: string; readonly value: string }[];
    readonly passcode?: unknown;
  };
}

/** What a question says of the attempt, by the names that stand there. */
export const fieldsOf = ({ question }: AskedOfPeople): Record<string, string> =>
  Object.fromEntries(question.fields.map(({ name, value }) => [name, value]));

export class GatePeople {
  readonly #folder: string;
  readonly #origin: string;

  private constructor(folder: string, origin: string) {
    this.#folder = folder;
    this.#origin = origin;
  }

  /** Makes an account for `host` and one for each of the people, who know the host, and it them. */
  static async meet(folder: string, origin: string, names: readonly string[]): Promise<GatePeople> {
    const people = new GatePeople(folder, origin);
    const linkOf = async (name: string) => {
      await people.says(name, 'account', 'create', `${name}@example.com`);
      return people.says(name, 'account', 'show', '--link');
    };
    const [own, links] = await Promise.all([linkOf('host'), Promise.all(names.map(linkOf))]);
    for (const [i, name] of names.entries()) {
      await people.says(name, 'contact', 'add', own);
      await people.says('host', 'contact', 'add', links[i]!);
    }
    return people;
  }

  run(who: string, ...words: string[]): Promise<Finished> {
    return countersign(join(this.#folder, who), words, { env: { COUNTERSIGN_BROKER: this.#origin } });
  }

  /** What the command prints, which must be good. */
  async says(who: string, ...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(who, ...words);
    assert.equal(status, 0, `${who}: ${words.join(' ')}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  async pending(who: string): Promise<AskedOfPeople[]> {
    const { requests } = JSON.parse(await this.says(who, 'confirm', 'pending', '--json'));
    return requests as AskedOfPeople[];
  }

  /** The question that somebody has before them, once there is one. */
  asked(who: string): Promise<AskedOfPeople> {
    return until(
      async () => (await this.pending(who))[0],
      () => `${who} was never asked`,
    );
  }

  /** An answer, which must be taken. */
  async answer(...words: Parameters<GatePeople['tryAnswer']>): Promise<void> {
    const { status, stdout, stderr } = await this.tryAnswer(...words);
    assert.equal(status, 0, stdout + stderr);
  }

  /** An answer, whatever comes of it. */
  tryAnswer(
    who: string,
    word: 'accept' | 'reject',
    { id, hash }: AskedOfPeople,
    passcode?: string,
  ): Promise<Finished> {
    const digits = passcode === undefined ? [] : ['--passcode', passcode];
    return this.run(who, 'confirm', word, id, '--hash', hash, ...digits);
  }
}
