/**
 * `countersign organisation`: what is known of an organisation, and a look at its domains of one's own.
 * @module
 */
import { isIP } from 'node:net';
import { readOrganisation } from '@countersign/client';
import { lookAtDomain } from '@countersign/client/node';
import { DOMAIN_PROOFS, parseAccountName, statementId } from '@countersign/core';
import { type Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { type Cli, show, withProfile } from './context.ts';

const SAID = {
  proven: 'names this account',
  absent: 'does not name this account',
  unreachable: 'did not answer',
} as const;

export function addOrganisationCommands(program: Command, cli: Cli): void {
  const organisation = program
    .command('organisation')
    .description('what an organisation says of itself, and others of it');

  organisation
    .command('show')
    .description('show its card, verified domains, recommenders and counts, each by whose word it is')
    .argument('<account>', 'the organisation’s account')
    .option('--look', 'look at its domains from here too; exit status 8 where one doesn’t name the account')
    .option('--dns <address...>', 'with --look: DNS servers to ask; by default the system’s', dnsServer)
    .action((typed: string, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { session } = await profile.device();
        const { log, known, recommendations, counts } = await readOrganisation(
          session,
          parseAccountName(typed),
        );
        const fingerprint = await statementId(cli.crypto, log.identity);
        const looked = options.look
          ? await Promise.all(
              (known?.card.domains ?? []).flatMap((domain) =>
                DOMAIN_PROOFS.map(async (by) => ({
                  domain,
                  by,
                  found: await lookAtDomain({ domain, by }, log, options.dns),
                })),
              ),
            )
          : undefined;
        const { name, description, country, team } = known?.card ?? {};
        const value = {
          account: { name: log.name, identity: log.identity, fingerprint },
          ...(known === undefined ? {} : { card: { name, description, country, team } }),
          domains: known?.domains ?? [],
          ...(looked === undefined ? {} : { looked }),
          recommendations: recommendations.map(({ iss, iss_id, iat, text }) => ({ iss, iss_id, iat, text })),
          counts,
        };
        show(cli, json, value, () =>
          [
            `${cli.terminal.style('bold', name ?? log.name)}${country === undefined ? '' : ` (${country})`}`,
            ...(description === undefined ? [] : [`  ${description}`]),
            `  account      ${log.name}  ${fingerprint}`,
            ...(team === undefined ? [] : [`  team         ${team}, as it says itself`]),
            ...value.domains.map(
              ({ domain, by, at }) => `  domain       ${domain}, by ${by}: the broker found it ${time(at)}`,
            ),
            ...(looked ?? []).map(
              ({ domain, by, found }) => `  seen here    ${domain}, by ${by}: ${SAID[found]}`,
            ),
            ...value.recommendations.map(
              ({ iss, text }) => `  recommended  by ${iss}${text === undefined ? '' : `: ${text}`}`,
            ),
            ...(counts === undefined
              ? []
              : [
                  `  sessions     ${counts.sessions}, ${counts.authenticated} confirmed by both sides, as the broker counted`,
                  `  answers      ${counts.answers}, as the broker counted`,
                ]),
          ].join('\n'),
        );
        const good = (domain: string) =>
          looked?.some((one) => one.domain === domain && one.found === 'proven');
        if (looked !== undefined && !(known?.card.domains ?? []).every(good)) cli.exit = EXIT.notGood;
      }),
    );
}

function dnsServer(text: string, before: string[] = []): string[] {
  const address = text.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0 && isIP(text) === 0) throw new InvalidArgumentError('like 192.0.2.53');
  return [...before, text];
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
