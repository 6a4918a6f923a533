/**
 * `countersign signature`: signs a text for the profile's account, and checks a text by a signature's link.
 * @module
 */
import { checkSignedText, MemoryStateStore, signText } from '@countersign/client';
import { formatTextSignatureLink, parseTextSignatureLink, statementId } from '@countersign/core';
import type { Command } from 'commander';
import { duration } from '../arguments.ts';
import { EXIT } from '../exit-codes.ts';
import { type Cli, show, withProfile } from './context.ts';

const EXITS = { valid: EXIT.ok, expired: EXIT.expired, invalid: EXIT.notGood } as const;

export function addSignatureCommands(program: Command, cli: Cli): void {
  const signature = program.command('signature').description('sign a text, and check one that was signed');

  signature
    .command('create')
    .description('sign a text or a link: whoever has the signature’s link can check it')
    .argument('<text>', 'what is signed; it is sent to nobody')
    .option('--for <time>', 'how long it holds: 30s to 92d; for good, if absent', duration)
    .option('--prefill', 'put the text into the link, behind the #, where no server sees it')
    .action((text: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { session } = await profile.device();
        const lifetime = options.for as number | undefined;
        const made = await signText(session, lifetime === undefined ? { text } : { text, lifetime });
        const link = formatTextSignatureLink(options.prefill ? { ...made, text } : made);
        const until = lifetime === undefined ? {} : { expiresAt: session.clock.now() + lifetime };
        show(cli, json, { link, ...until }, () => link);
      }),
    );

  signature
    .command('verify')
    .description(
      'check a text by the link of its signature: exit status 0 if it is valid, 2 expired, 8 invalid',
    )
    .argument('<link>', 'as `signature create` or the console gave it')
    .argument('[text]', 'the text; the one in the link, if absent')
    .action(async (typed: string, given: string | undefined, _options, command: Command) => {
      const { json = false } = command.optsWithGlobals();
      const link = parseTextSignatureLink(typed);
      const text = given ?? link.text;
      if (text === undefined) command.error('error: the link has no text in it: give the text');
      const { crypto, clock } = cli;
      const { verdict, signature, log } = await checkSignedText(
        { crypto, clock, state: new MemoryStateStore() },
        link,
        text,
      );
      const fingerprint = await statementId(crypto, log.identity);
      const { iat, exp } = signature;
      const value = {
        verdict,
        account: { name: log.name, fingerprint },
        signedAt: iat,
        ...(exp === undefined ? {} : { expiresAt: exp }),
      };
      show(cli, json, value, () =>
        [
          `${cli.terminal.style('bold', verdict)}: ${SAID[verdict]}`,
          `  account  ${log.name}  ${fingerprint}`,
          `  signed   ${time(iat)}, ${exp === undefined ? 'for good' : `until ${time(exp)}`}`,
          'Whoever made the link chose the account: compare its fingerprint with what you know.',
        ].join('\n'),
      );
      cli.exit = EXITS[verdict];
    });
}

const SAID = {
  valid: 'the account signed exactly this text',
  expired: 'the account signed exactly this text, and its time is over',
  invalid: 'the account did not sign this text',
} as const;

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
