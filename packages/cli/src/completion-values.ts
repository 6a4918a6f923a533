/**
 * Values to complete that this machine remembers: profiles, questions, accounts. No key is opened and no broker
 * is asked, since nobody waits for a Tab.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs';
import { askedQuestions, knownAccounts, type StateStore } from '@countersign/client';
import { BROKER_COMMANDS } from './commands/broker.ts';
import { COSIGN_COMMANDS } from './commands/cosign.ts';
import { VALIDATOR_COMMANDS } from './commands/validator.ts';
import type { Candidate, FindValues, Place } from './completion.ts';
import { type Environment, Profile, profilesFolder } from './profile.ts';
import { shownQuestions } from './shown-questions.ts';

type Remembered = (state: StateStore, now: number) => Promise<readonly Candidate[]>;

const shown: Remembered = async (state, now) =>
  (await shownQuestions(state, now)).map(({ id, enquirer }) => ({ value: id, description: enquirer }));
const asked: Remembered = async (state) =>
  (await askedQuestions(state)).map(({ id, account }) => ({ value: id, description: account }));
const accounts: Remembered = async (state) =>
  (await knownAccounts(state)).map((value) => ({ value, description: '' }));

/** By command and argument. */
const REMEMBERED: Readonly<Record<string, Remembered>> = {
  'confirm show id': shown,
  'confirm accept id': shown,
  'confirm reject id': shown,
  'confirm status id': asked,
  'confirm cancel id': asked,
  'confirm verify id': asked,
  'confirm post account and text': accounts,
  'confirm block name or id': accounts,
  'contact remove name': accounts,
  'contact unblock name': accounts,
  'account log name': accounts,
  'monitor name': accounts,
};

export function rememberedValues(environment: Environment): FindValues {
  return async (place) => {
    if (place.name === '--profile') return profiles(environment);
    if (place.index > 0) return [];
    const others = { broker: BROKER_COMMANDS, cosign: COSIGN_COMMANDS, validator: VALIDATOR_COMMANDS }[
      place.command
    ];
    if (others !== undefined) return others.map((value) => ({ value, description: '' }));
    const remembered = REMEMBERED[`${place.command} ${place.name}`];
    return remembered === undefined ? [] : recall(environment, place, remembered);
  };
}

async function recall(
  environment: Environment,
  { options }: Place,
  remembered: Remembered,
): Promise<readonly Candidate[]> {
  const profile = new Profile(options.get('--profile'), environment);
  if (!existsSync(profile.folder)) return [];
  try {
    return await remembered(profile.state, environment.clock.now());
  } finally {
    profile.close();
  }
}

function profiles({ variables }: Environment): Candidate[] {
  const folder = profilesFolder(variables);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ value: name, description: '' }));
}
