/**
 * Options of every command that makes a device's keys.
 * @module
 */
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { PROTECTIONS } from '../profile.ts';
import type { Cli } from './context.ts';

export const DEFAULT_BROKER = 'http://127.0.0.1:8470';

export function newDeviceOptions(command: Command, cli: Cli, brokerIs: string): Command {
  return command
    .option(
      '--broker <url>',
      `${brokerIs}; or set COUNTERSIGN_BROKER`,
      cli.variables.COUNTERSIGN_BROKER ?? DEFAULT_BROKER,
    )
    .addOption(
      new Option('--device <name>', 'what you call this device').default(hostname(), 'this machine’s name'),
    )
    .addOption(
      new Option('--alg <algorithm>', 'of its signing key').choices(['EdDSA', 'ES256']).default('EdDSA'),
    )
    .addOption(
      new Option(
        '--protect <how>',
        'what seals its keys: a passphrase, or a key that your system’s keyring holds',
      )
        .choices(PROTECTIONS)
        .default('passphrase'),
    );
}
