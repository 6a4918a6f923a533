/**
 * Somebody who has all of a provider's folder and the passphrase of its seal: prints the keys that sign for a person.
 *
 *   thief.ts <folder> <account>
 * @module
 */
import { join } from 'node:path';
import { passphraseProtection } from '@countersign/client/node';
import { formatWif } from '../../packages/graphene/src/index.ts';
import { Vault } from '../../packages/graphene/src/vault.ts';

const [folder, account] = process.argv.slice(2) as [string, string];
const protection = passphraseProtection(async () => process.env.COUNTERSIGN_PASSPHRASE ?? '');
const vault = await Vault.open(join(folder, 'chain-keys.db'), protection, 'the provider');
for (const key of vault.publicKeys(account))
  process.stdout.write(`${formatWif(await vault.key(account, key))}\n`);
vault.close();
