/**
 * What was found, as tables for people. They are Markdown, ready for bench/README.md.
 * @module
 */
import type { benchAccount } from './account.ts';
import type { benchConfirm } from './confirm.ts';
import type { benchCosign, CosignRound } from './cosign.ts';
import type { benchGate } from './gate.ts';
import type { Round } from './measure.ts';
import type { benchStored } from './stored.ts';
import type { benchStreams } from './streams.ts';

type Found<T extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<T>>;

export function accountTable(found: Found<typeof benchAccount>): string {
  const row = (what: string, { milliseconds, floor, ratioToFloor }: typeof found.replay) => [
    what,
    milliseconds,
    floor,
    ratioToFloor,
  ];
  return table(
    ['', 'ms', 'bare operations, ms', 'ratio'],
    [
      row(`replay of a log of ${found.entries} entries`, found.replay),
      row(`an epoch sealed to ${found.devices} devices`, found.epoch),
      row('from the code typed to the first message read', found.admission),
    ],
  ).join('\n');
}

export function confirmTable(found: Found<typeof benchConfirm>): string {
  const { ours, floor, peerSqlite, peerMemory } = found.contestants;
  const { acceptToWoken, sealing } = found;
  return [
    ...contestants([
      ['Countersign', ours],
      ['floor', floor],
      ['oidc-provider CIBA, SQLite', peerSqlite],
      ['oidc-provider CIBA, memory', peerMemory],
    ]),
    '',
    ...table(
      ['reach', 'wanted', 'measured'],
      [
        ['CPU, ours over floor', '≤ 1.5', found.ratioToFloor],
        ['CPU, peer on SQLite over ours', '≥ 8', found.ratioToPeer],
        ['CPU, peer in memory over ours', '≥ 5', found.ratioToPeerMemory],
        [
          `accept to woken at half load (${acceptToWoken.perSecond}/s), p50 / p99 ms`,
          'p99 < 10',
          `${acceptToWoken.p50} / ${acceptToWoken.p99}`,
        ],
        [
          'the same of the floor, at the same rate',
          '',
          `${acceptToWoken.floor.p50} / ${acceptToWoken.floor.p99}`,
        ],
      ],
    ),
    '',
    `broker CPU with stand-in boxes, HPKE boxes, in clear: ${sealing['stand-in']}, ${sealing.hpke}, ${sealing.clear} µs`,
  ].join('\n');
}

export function storedTable(found: Found<typeof benchStored>): string {
  return [
    ...contestants([
      ['empty', found.contestants.empty],
      [`${found.requests} requests, ${found.accounts} accounts`, found.contestants.full],
    ]),
    '',
    ...table(['reach', 'wanted', 'measured'], [['CPU, full over empty', '≤ 1.15', found.ratioToEmpty]]),
  ].join('\n');
}

export function streamsTable(found: Found<typeof benchStreams>): string {
  return table(
    ['reach', 'wanted', 'measured'],
    [
      [`memory for each of ${found.streams} streams, KiB`, '≤ 12', found.kibPerStream],
      ['memory of the broker with all of them, MiB', '', found.memoryMiB],
      [
        'from posting a question to its event on the device, p50 / p99 ms',
        '',
        `${found.postToEvent.p50} / ${found.postToEvent.p99}`,
      ],
    ],
  ).join('\n');
}

export function cosignTable(found: Found<typeof benchCosign>): string {
  const { ours, peer } = found.contestants;
  const row = (name: string, { perSecond, decode, authority, sign }: CosignRound) => [
    name,
    perSecond,
    decode,
    authority,
    sign,
  ];
  return [
    ...table(
      ['', 'transactions per second', 'decode ms', 'recover and check authority ms', 'sign ms'],
      [row('Countersign', ours), row('bitsharesjs', peer)],
    ),
    '',
    ...table(['reach', 'wanted', 'measured'], [['transactions, ours over peer', '≥ 5', found.ratioToPeer]]),
  ].join('\n');
}

export function gateTable(found: Found<typeof benchGate>): string {
  const { handshakes, forwarding, pam, concurrent, flood, idle, load } = found;
  const { cpuMicroseconds: host } = handshakes;
  const { cpuMicroseconds: proxy } = forwarding;
  const range = (all: readonly number[]) => `${Math.min(...all)} to ${Math.max(...all)}`;
  return [
    ...table(
      ['CPU µs', ''],
      [
        ['M-AUTH, host\u2019s side', host.mAuth],
        ['the same bytes on a socket, without a secret', host.bare],
        ['mutual TLS 1.3, server\u2019s side', host.mutualTls],
        ['M-AUTH by the daemon, records on disk', host.daemon],
        ['demultiplexer, a connection', proxy.demultiplexer],
        ['HAProxy in TCP mode, a connection', proxy.haproxy],
        ['the least proxy in Node, a connection', proxy.nodePipe],
      ],
    ),
    '',
    ...table(
      ['reach', 'wanted', 'measured'],
      [
        [
          'M-AUTH over mutual TLS 1.3',
          '≤ 0.4',
          `${handshakes.ratioToMutualTls} (rounds ${range(handshakes.ratios)})`,
        ],
        [
          'demultiplexer over HAProxy',
          '≤ 2',
          `${forwarding.ratioToHaproxy} (rounds ${range(forwarding.ratios)})`,
        ],
        ...('skipped' in pam
          ? [['PAM login', '< 20', `not run: ${pam.skipped}`]]
          : [
              ['PAM login, p50 ms', '< 20', pam.countersign.p50],
              ['(its p99)', '', pam.countersign.p99],
              ['pam_permit', '', `${pam.permit.p50} / ${pam.permit.p99}`],
              [
                'pam_google_authenticator',
                '',
                `${pam.googleAuthenticator.p50} / ${pam.googleAuthenticator.p99}`,
              ],
            ]),
        [
          `sign-ons at a time: granted, p50 / p99 ms`,
          concurrent.signOns,
          `${concurrent.granted}, ${concurrent.p50} / ${concurrent.p99}`,
        ],
        [
          `a sign-on within a flood of ${flood.perSecond}/s over one without`,
          '< 2',
          `${flood.ratio} (rounds ${range(flood.ratios)}; ${flood.unloadedMs} ms without)`,
        ],
        [`memory for each of ${idle.connections} idle connections, KiB`, '', idle.kibPerConnection],
        ['a sign-on beside them, ms', '', idle.signOnMs],
      ],
    ),
    '',
    `load average of the machine, before and after: ${load.before}, ${load.after}`,
  ].join('\n');
}

function contestants(rows: readonly (readonly [string, Round])[]): string[] {
  return table(
    ['', 'server CPU µs', 'per second', 'p50 ms', 'p99 ms', 'memory MiB', 'load CPU µs'],
    rows.map(([name, round]) => [
      name,
      round.cpu,
      round.perSecond,
      round.p50,
      round.p99,
      round.memory,
      round.loadCpu,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}
