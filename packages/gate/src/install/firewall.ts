/**
 * Opens the demultiplexer's port in the firewall that is at work here, and closes it again. What was opened carries our
 * name, and what doesn't is never touched.
 * @module
 */
import { CountersignError } from '@countersign/core';
import * as v from 'valibot';
import { ask, run } from './run.ts';

export type Firewall = 'firewalld' | 'ufw' | 'nftables';
type Words = readonly [program: string, ...words: string[]];

/** By it we know what is ours. */
const MARK = 'countersign-gate';
const UFW_LINE = /^ufw allow (\d+)\/tcp comment 'countersign-gate'$/m;
const NFT_RULE = /tcp dport \d+ accept comment "countersign-gate"/;

const Ruleset = v.object({
  nftables: v.array(
    v.object({
      chain: v.optional(
        v.object({
          family: v.string(),
          table: v.string(),
          name: v.string(),
          hook: v.optional(v.string()),
          type: v.optional(v.string()),
        }),
      ),
      rule: v.optional(
        v.object({
          family: v.string(),
          table: v.string(),
          chain: v.string(),
          handle: v.number(),
          comment: v.optional(v.string()),
        }),
      ),
    }),
  ),
});

/** Which one is at work; a keeper of rules before the kernel's own, since it would write over ours. */
export async function readFirewall(): Promise<Firewall | undefined> {
  if ((await ask('firewall-cmd', ['--state'])).trim() === 'running') return 'firewalld';
  if (/^Status: active$/m.test(await ask('ufw', ['status']))) return 'ufw';
  return (await inputChains()).length > 0 ? 'nftables' : undefined;
}

/** The commands that let validators come to a port, over TCP. */
export async function opening(firewall: Firewall, port: number): Promise<Words[]> {
  switch (firewall) {
    case 'firewalld':
      return [
        ['firewall-cmd', '--permanent', `--new-service=${MARK}`],
        ['firewall-cmd', '--permanent', `--service=${MARK}`, `--add-port=${port}/tcp`],
        ['firewall-cmd', '--permanent', `--add-service=${MARK}`],
        ['firewall-cmd', '--reload'],
      ];
    case 'ufw':
      return [['ufw', 'allow', `${port}/tcp`, 'comment', MARK]];
    case 'nftables':
      return (await inputChains()).map(
        ({ family, table, name }): Words => [
          ...(['nft', 'insert', 'rule', family, table, name] as const),
          ...['tcp', 'dport', String(port), 'accept', 'comment', `"${MARK}"`],
        ],
      );
  }
}

/** The commands that take away what was opened; none where nothing was. */
export async function closing(): Promise<Words[]> {
  const words: Words[] = [];
  const services = await ask('firewall-cmd', ['--permanent', '--get-services']);
  if (services.split(/\s+/).includes(MARK)) {
    words.push(
      ['firewall-cmd', '--permanent', `--remove-service=${MARK}`],
      ['firewall-cmd', '--permanent', `--delete-service=${MARK}`],
      ['firewall-cmd', '--reload'],
    );
  }
  for (const line of (await ask('ufw', ['show', 'added'])).split('\n')) {
    const [, port] = UFW_LINE.exec(line) ?? [];
    if (port !== undefined) words.push(['ufw', 'delete', 'allow', `${port}/tcp`]);
  }
  for (const { rule } of await ruleset()) {
    if (rule?.comment !== MARK) continue;
    const { family, table, chain, handle } = rule;
    words.push(['nft', 'delete', 'rule', family, table, chain, 'handle', String(handle)]);
  }
  return words;
}

/** The port that an installation has opened, where one has. */
export async function openedPort(firewall: Firewall): Promise<number | undefined> {
  const said = {
    firewalld: () => ask('firewall-cmd', ['--permanent', `--service=${MARK}`, '--get-ports']),
    ufw: async () => (await ask('ufw', ['show', 'added'])).match(UFW_LINE)?.[0] ?? '',
    nftables: async () => (await ask('nft', ['list', 'ruleset'])).match(NFT_RULE)?.[0] ?? '',
  }[firewall];
  const [port] = /\d+/.exec(await said()) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** What a person should know who has had it opened. */
export function afterwards(firewall: Firewall): string | undefined {
  if (firewall !== 'nftables') return undefined;
  return 'nft’s rules last until the machine is started anew: write this one into /etc/nftables.conf as well';
}

/** Runs commands, each said before it is done. @throws `usage` where one fails */
export async function runAll(commands: readonly Words[], say: (text: string) => void): Promise<void> {
  for (const [program, ...words] of commands) {
    say([program, ...words].join(' '));
    await run(program, words);
  }
}

/** Where packets for this machine are let in or not. */
async function inputChains() {
  return (await ruleset()).flatMap(({ chain }) =>
    chain?.hook === 'input' && chain.type === 'filter' && ['inet', 'ip', 'ip6'].includes(chain.family)
      ? [chain]
      : [],
  );
}

async function ruleset(): Promise<v.InferOutput<typeof Ruleset>['nftables']> {
  const text = await ask('nft', ['--json', 'list', 'ruleset']);
  if (text === '') return [];
  const parsed = v.safeParse(Ruleset, JSON.parse(text));
  if (parsed.success) return parsed.output.nftables;
  throw new CountersignError('usage', 'nft lists its rules in a way that we do not know');
}
