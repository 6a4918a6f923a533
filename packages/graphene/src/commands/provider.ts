/**
 * `countersign cosign`, the provider's side: provider init, serve, enroll, rotate.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CountersignError, isOrigin } from '@countersign/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { pino } from 'pino';
import { formatAmount, parseAmount } from '../amounts.ts';
import { MAX_FEE } from '../build-transaction.ts';
import { ChainClient } from '../chain-client.ts';
import { formatWif, newPrivateKey } from '../keys.ts';
import type { ProviderContext } from '../provider/context.ts';
import { enroll, ownKey, publish, rotate } from '../provider/enrolment.ts';
import { initProvider } from '../provider/init.ts';
import { type TokenSource, tokenWay } from '../provider/oath-token.ts';
import { openProvider, SETTINGS, serveProvider } from '../provider/provider.ts';
import { securityKeyWay } from '../provider/security-key.ts';
import { emailWay, smsWay, type Way } from '../provider/ways.ts';
import { readKeys, type Shell } from './context.ts';
import { addTokenCommands } from './token.ts';

const DEFAULT_PORT = 8480;
const CORE = '1.3.0';

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('0 to 65535');
  return value;
}

function origin(text: string): string {
  if (!isOrigin(text)) throw new InvalidArgumentError('like https://secondfactor.example');
  return text;
}

function dataOption(): Option {
  const folder = join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'countersign-provider');
  return new Option('--data <folder>', 'where the provider keeps its keys and its database').default(
    folder,
    '~/.local/share/countersign-provider',
  );
}

function maxFeeOption(): Option {
  return new Option(
    '--max-fee <amount>',
    'what a transaction of the provider’s own may cost, in the core asset',
  ).default(MAX_FEE);
}

export function addProviderCommands(program: Command, shell: Shell): void {
  const provider = program.command('provider').description('set up a provider');

  provider
    .command('init')
    .description(
      'make a provider: its Countersign account, and its account on the chain, new or its own already',
    )
    .argument('<name>', 'its account on the chain, like sfactor')
    .addOption(dataOption())
    .requiredOption('--node <url...>', 'nodes of the chain; where there are two, both must agree')
    .requiredOption(
      '--account <name>',
      'its Countersign account, by which it asks, like sfactor@secondfactor.example',
    )
    .requiredOption('--broker <url>', 'the broker of that account', origin)
    .option('--key-file <file>', 'the active key of an account that is there already, in WIF')
    .option('--registrar <name>', 'who registers a new account on the chain, and pays for it')
    .option('--registrar-key-file <file>', 'the registrar’s active key, in WIF; it is not kept')
    .option(
      '--fund <amount>',
      'what the registrar gives the new account for its fees, in the core asset',
      '10',
    )
    .option(
      '--owner-key-file <file>',
      'where the new account’s owner key is written; keep it off this machine',
    )
    .addOption(maxFeeOption())
    .action(async (name: string, options) => {
      const adopt = options.keyFile === undefined ? [] : readKeys(options.keyFile);
      const registrar = options.registrar === undefined ? undefined : await newOwner(options);
      const done = await initProvider({
        data: options.data,
        protection: shell.protection,
        crypto: shell.crypto,
        clock: shell.clock,
        name,
        nodes: options.node,
        countersign: { name: options.account, broker: options.broker },
        adopt,
        maxFee: options.maxFee,
        ...(registrar === undefined ? {} : { registrar }),
      });
      if (done.outcome === 'not-on-chain') {
        shell.print(
          `${name} is no account of the chain yet: --registrar registers it, with the same command.`,
        );
      } else {
        const registered = done.outcome === 'registered';
        shell.print(
          `${registered ? 'Registered' : 'Adopted'} ${name} (${done.id}) as the provider’s account on the chain.`,
        );
        if (registered) {
          shell.print(`  fees paid by    ${options.registrar}`);
          shell.print(`  owner key in    ${options.ownerKeyFile}: keep it elsewhere, it is not needed here`);
        }
      }
      await withProvider(shell, options, async ({ enquirer }) => {
        shell.print(`  asks people as  ${enquirer.session.keys.name}`);
      });
    });

  program
    .command('serve')
    .description('run a provider until it is told to stop (Ctrl-C, SIGTERM)')
    .addOption(dataOption())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any free one', port, DEFAULT_PORT)
    .option('--origin <url>', 'where wallets reach it, which is published on the chain', origin)
    .option(
      '--trust-proxy <address...>',
      'proxies, by address or network, that are believed where a call came from (X-Forwarded-For)',
    )
    .option('--smtp <url>', 'ask for an e-mail address at registration; the server that sends, smtp://…')
    .option('--mail-from <address>', 'whom the e-mails are from')
    .option('--sms-webhook <url>', 'ask for a phone number at registration; the gateway that sends')
    .option('--security-key', 'ask for a WebAuthn security key at registration; needs --origin')
    .addOption(
      new Option(
        '--oath-token <whose>',
        'ask for an OATH token at registration: one that you gave, or their own',
      ).choices(['issued', 'own']),
    )
    .addOption(maxFeeOption())
    .addOption(
      new Option('--log <level>', 'as JSON lines on standard output')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default(process.stdout.isTTY ? 'warn' : 'info', 'warn on a terminal, else info'),
    )
    .action(async (options) => {
      const logger = pino({ level: options.log });
      const running = await serveProvider({
        data: options.data,
        protection: shell.protection,
        crypto: shell.crypto,
        clock: shell.clock,
        logger,
        ways: waysOf(options),
        maxFee: options.maxFee,
        trustProxy: options.trustProxy ?? [],
        host: options.host,
        port: options.port,
      });
      const address = options.origin ?? running.origin;
      await announce(running.context, address);
      const { name } = running.context.account;
      // Before it says that it answers: whoever waits for that may stop it at once.
      const stopped = Promise.withResolvers<void>();
      process.once('SIGINT', stopped.resolve);
      process.once('SIGTERM', stopped.resolve);
      logger.info({ origin: address, local: running.origin }, `${name} signs at ${running.origin}`);
      if (process.stdout.isTTY) shell.print(`${name} signs at ${running.origin}. Ctrl-C stops it.`);
      await stopped.promise;
      await running[Symbol.asyncDispose]();
      logger.info('stopped');
    });

  program
    .command('enroll')
    .description(
      'make the account that signs for a registered person, like sfactor.alice, owned by the provider',
    )
    .argument('<account>', 'the person’s account on the chain')
    .addOption(dataOption())
    .addOption(maxFeeOption())
    .action((account: string, options) =>
      withProvider(shell, options, async (context) => {
        const { signer, fees, key } = await enroll(context, account);
        shell.print(`${signer.name} (${signer.id}) signs for ${account} from now on.`);
        shell.print(`  owner     ${context.account.name}`);
        shell.print(`  active    ${key}`);
        shell.print(`  fee       ${await coreText(context.client, fees)}, paid by ${context.account.name}`);
      }),
    );

  program
    .command('rotate')
    .description('give the account that signs for a person a new key; the person has nothing to do')
    .argument('<account>', 'the person’s account on the chain')
    .addOption(dataOption())
    .addOption(maxFeeOption())
    .action((account: string, options) =>
      withProvider(shell, options, async (context) => {
        const { key, fees } = await rotate(context, account);
        shell.print(`${context.account.name}.${account} has a new active key; the old one is erased.`);
        shell.print(`  active    ${key}`);
        shell.print(`  fee       ${await coreText(context.client, fees)}, paid by ${context.account.name}`);
      }),
    );

  addTokenCommands(program, shell, dataOption, (data, work) => withProvider(shell, { data }, work));

  async function newOwner(options: Record<string, string>) {
    const { registrar: name, registrarKeyFile, ownerKeyFile, node, fund } = options;
    if (registrarKeyFile === undefined || ownerKeyFile === undefined) {
      throw new CountersignError('usage', 'a new account needs --registrar-key-file and --owner-key-file');
    }
    const owner = newPrivateKey();
    // Kept before the chain hears of it; a file that is there already is never written over.
    writeFileSync(ownerKeyFile, `${formatWif(owner)}\n`, { mode: 0o600, flag: 'wx' });
    const client = new ChainClient({ nodes: node as unknown as string[] });
    try {
      const [core] = await client.assets([CORE]);
      return { name: name!, key: readKeys(registrarKeyFile)[0]!, fund: parseAmount(fund!, core!), owner };
    } finally {
      client.close();
    }
  }
}

/** Remembered, so that an account that is registered later can publish it. */
async function announce(context: ProviderContext, url: string): Promise<void> {
  const { store, client, maxFee } = context;
  store.setSetting(SETTINGS.origin, url);
  const id = store.setting(SETTINGS.accountId);
  if (id !== undefined) await publish(client, id, url, await ownKey(context), maxFee);
}

interface WayOptions {
  readonly smtp?: string;
  readonly mailFrom?: string;
  readonly smsWebhook?: string;
  readonly securityKey?: true;
  readonly oathToken?: TokenSource;
  readonly origin?: string;
}

function waysOf({ smtp, mailFrom, smsWebhook, securityKey, oathToken, origin }: WayOptions): Way[] {
  if (smtp !== undefined && mailFrom === undefined) {
    throw new CountersignError('usage', 'whom are the e-mails from? --mail-from is missing');
  }
  return [
    ...(smtp === undefined ? [] : [emailWay(smtp, mailFrom!)]),
    ...(smsWebhook === undefined ? [] : [smsWay(smsWebhook)]),
    ...(oathToken === undefined ? [] : [tokenWay(oathToken)]),
    ...(securityKey === undefined ? [] : [securityKeyWay(publicOrigin(origin))]),
  ];
}

/** Keys are bound to its name: it is not guessed. */
function publicOrigin(named: string | undefined): string {
  if (named !== undefined) return named;
  throw new CountersignError('usage', 'where do people reach the provider? --security-key needs --origin');
}

async function withProvider(
  shell: Shell,
  { data, maxFee = MAX_FEE }: { readonly data: string; readonly maxFee?: string },
  work: (context: ProviderContext) => Promise<void>,
): Promise<void> {
  const { crypto, clock, protection } = shell;
  await using provider = await openProvider({ data, protection, crypto, clock, maxFee });
  await work(provider.context);
}

async function coreText(client: ChainClient, amount: bigint): Promise<string> {
  const [core] = await client.assets([CORE]);
  return formatAmount(amount, core!);
}
