/**
 * What every command is given, and what all have in common.
 * @module
 */
import type { Command } from 'commander';
import { type Environment, Profile } from '../profile.ts';

export interface Cli extends Environment {
  /** The exit status, once the command has run. */
  exit: number;
  /** This command waits for no answer: a wrong passcode, or a device that there is not, is what the person here typed. */
  givenHere: boolean;
}

interface GlobalOptions {
  profile?: string;
  json?: boolean;
}

/** Runs a command's work with its profile, and closes the profile after it. */
export async function withProfile(
  cli: Cli,
  command: Command,
  work: (profile: Profile, json: boolean) => Promise<void>,
): Promise<void> {
  const { profile: named, json = false } = command.optsWithGlobals<GlobalOptions>();
  const profile = new Profile(named, cli);
  try {
    await work(profile, json);
  } finally {
    profile.close();
  }
}

/** Text for a person, or JSON for a script. */
export function show({ terminal }: Cli, json: boolean, value: object, text: () => string): void {
  terminal.print(json ? JSON.stringify(value) : text());
}
