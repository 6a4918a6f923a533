/**
 * `countersign monitor`: watches an account, and whether its broker shows the same log to all.
 * @module
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Alarm, BrokerApi, type LogAlarm, LogMonitor, type Round } from '@countersign/client';
import { CountersignError, parseAccountName, parseTreeHead } from '@countersign/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import ms from 'ms';
import { stateOf, time } from '../device-text.ts';
import { EXIT } from '../exit-codes.ts';
import type { Profile } from '../profile.ts';
import { type Cli, show, withProfile } from './context.ts';

const HELP = `
An alarm is a device that appears, is recovered or thawed, or gets more rights or a new signing key, and a new recovery
code, where this profile did not sign it itself; and whatever shows that the broker does not show the same log to all. Alarms
about the log are given once, those about the broker at every look with --once.

With --exec, the command gets the alarm as JSON on its standard input, and its kind in COUNTERSIGN_ALARM.

Exit status:
   0  no alarm
   7  the log gained something that this profile did not sign
   8  the broker was caught at showing different things, or not showing all
   9  any other error
  64  the command was not understood
  69  the broker does not answer (with --once)`;

interface Options {
  readonly every: number;
  readonly once?: true;
  readonly exec?: string;
  readonly compare?: string;
}

export function addMonitorCommand(program: Command, cli: Cli): void {
  program
    .command('monitor')
    .description(
      'watch an account: be told of devices that its owner did not let in, and of a broker that lies',
    )
    .argument('[name]', 'whose; yours by default')
    .addOption(
      new Option('--every <time>', 'how often to look, like 60s or 1h')
        .argParser(milliseconds)
        .default(60_000, '60s'),
    )
    .option('--once', 'look once, and exit by what was found')
    .option('--exec <command>', 'run this in a shell at every alarm')
    .option(
      '--compare <file>',
      'compare with the tree head that somebody else has (their `account log --tree`; - for standard input)',
    )
    .addHelpText('after', HELP)
    .action((name: string | undefined, options: Options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        if (options.compare !== undefined) return compare(cli, profile, json, options.compare);
        const wanted = name === undefined ? (await profile.account()).name : parseAccountName(name);
        await new Watchman(cli, json, wanted, options).run(profile);
      }),
    );
}

async function compare(cli: Cli, profile: Profile, json: boolean, file: string): Promise<void> {
  const { tree } = await profile.book();
  const { own, other } = await tree.compare(readTreeHead(file));
  show(
    cli,
    json,
    { consistent: true, own: own.size, other: other.size },
    () =>
      `The same tree: what they were shown at ${other.size} leaves is in what the broker shows here, at ${own.size}.`,
  );
}

/** What is no tree head at all is a mistake of the caller, and no fault of the broker. */
function readTreeHead(file: string): string {
  try {
    const note = readFileSync(file === '-' ? 0 : file, 'utf8');
    parseTreeHead(note);
    return note;
  } catch (cause) {
    throw new CountersignError('usage', `there is no tree head in ${file}`, {
      cause,
      hint: 'give what their `countersign account log --tree` printed, every line of it',
    });
  }
}

class Watchman {
  readonly #cli: Cli;
  readonly #json: boolean;
  readonly #name: string;
  readonly #options: Options;
  readonly #commands = new Set<Promise<void>>();
  /** What the broker is accused of at present: said once, for as long as it lasts. */
  #accused: string | undefined;
  #alarms = 0;

  constructor(cli: Cli, json: boolean, name: string, options: Options) {
    this.#cli = cli;
    this.#json = json;
    this.#name = name;
    this.#options = options;
  }

  async run(profile: Profile): Promise<void> {
    const { crypto } = this.#cli;
    const api = new BrokerApi((await profile.account()).broker);
    const monitor = new LogMonitor(
      { api, book: await profile.book(), state: profile.state, crypto },
      this.#name,
    );
    const stop = new AbortController();
    if (!this.#options.once)
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
    for (let looks = 0; !stop.signal.aborted; looks++) {
      await this.#look(monitor, looks);
      if (this.#options.once) break;
      await sleep(this.#options.every, undefined, { signal: stop.signal }).catch(() => {});
    }
    await Promise.all(this.#commands);
  }

  async #look(monitor: LogMonitor, looks: number): Promise<void> {
    const before = this.#accused;
    this.#accused = undefined;
    try {
      const round = await monitor.look((alarm) => this.#report(alarm, before));
      if (looks === 0) this.#showRound(round);
    } catch (error) {
      this.#accused = before;
      if (this.#options.once || !(error instanceof CountersignError)) throw error;
      this.#cli.terminal.tell(
        `${this.#cli.terminal.style('yellow', 'not looked')}: ${error.message} (${error.code})`,
      );
    }
  }

  async #report(alarm: Alarm, accused: string | undefined): Promise<void> {
    const { terminal } = this.#cli;
    if (alarm.kind === 'broker') {
      this.#cli.exit = EXIT.notGood;
      this.#accused = `${alarm.error.code}: ${alarm.error.message}`;
      if (this.#accused === accused) return;
    } else if (this.#cli.exit === EXIT.ok) {
      this.#cli.exit = EXIT.alarm;
    }
    this.#alarms++;
    const value = alarmJson(this.#name, alarm);
    terminal.print(this.#json ? JSON.stringify(value) : alarmText(this.#cli, this.#name, alarm));
    if (this.#options.exec !== undefined) this.#execute(this.#options.exec, value);
  }

  #execute(command: string, alarm: ReturnType<typeof alarmJson>): void {
    const env = { ...process.env, COUNTERSIGN_ALARM: alarm.alarm };
    const child = spawn(command, { shell: true, env, stdio: ['pipe', 'inherit', 'inherit'] });
    // A command that does not read its input says nothing about itself by that.
    child.stdin.on('error', () => {});
    child.stdin.end(`${JSON.stringify(alarm)}\n`);
    const ended = new Promise<void>((resolve) => {
      child.on('error', (error) => this.#cli.terminal.tell(`the command of --exec failed: ${error.message}`));
      child.on('close', (status) => {
        if (status !== 0) this.#cli.terminal.tell(`the command of --exec ended with ${status ?? 'a signal'}`);
        resolve();
      });
    }).finally(() => this.#commands.delete(ended));
    this.#commands.add(ended);
  }

  #showRound({ log, leaves, first }: Round): void {
    const devices = [...(log?.devices.values() ?? [])].filter(({ revokedAt }) => revokedAt === undefined);
    const value = {
      account: this.#name,
      ...(log === undefined ? {} : { head: log.head }),
      devices: devices.map(({ kid, name, rights }) => ({ kid, name, rights })),
      leaves,
      first,
      alarms: this.#alarms,
    };
    show(this.#cli, this.#json, value, () =>
      [
        `${this.#cli.terminal.style('bold', this.#name)}: devices: ${devices.length}; leaves of the broker’s tree read: ${leaves}.`,
        ...(first ? ['Watched from now on. See that you know each of these devices:'] : []),
        ...(first
          ? devices.map((one) => `  ${stateOf(one)}  ${one.kid}  ${one.name}  (${one.rights.join(', ')})`)
          : []),
        ...(this.#alarms === 0 ? ['No alarm.'] : []),
      ].join('\n'),
    );
  }
}

const WORDS: Readonly<Record<LogAlarm['kind'], string>> = {
  'device-added': 'a device was let in',
  'device-rotated': 'a device has a new signing key',
  'device-recovered': 'a device came in by the recovery code',
  'device-thawed': 'a frozen device takes part again',
  'rights-grown': 'a device has more rights',
  'recovery-changed': 'the recovery code was changed',
};

function alarmJson(account: string, alarm: Alarm) {
  if (alarm.kind === 'broker') {
    const { code, message, hint } = alarm.error;
    return { alarm: code, account, message, ...(hint === undefined ? {} : { hint }) };
  }
  const { kind, seq, at, by, device } = alarm;
  const whose = device && { kid: device.kid, name: device.name, rights: device.rights };
  return { alarm: kind, account, seq, at, by, ...(whose === undefined ? {} : { device: whose }) };
}

function alarmText({ terminal }: Cli, account: string, alarm: Alarm): string {
  const shout = terminal.style('red', 'ALARM');
  if (alarm.kind === 'broker') {
    const { code, message, hint } = alarm.error;
    return `${shout}  ${account}: ${message} (${code})${hint === undefined ? '' : `\n       ${hint}`}`;
  }
  const { kind, seq, at, by, device } = alarm;
  return [
    `${shout}  ${account}: ${WORDS[kind]}, not by this profile (entry ${seq}, ${time(at)})`,
    ...(device === undefined
      ? []
      : [`       device     ${device.kid}  ${device.name}  (${device.rights.join(', ')})`]),
    `       signed by  ${by}`,
    ...(device === undefined
      ? []
      : [`       Not yours? countersign device revoke ${device.kid.slice(0, 9)}`]),
  ].join('\n');
}

function milliseconds(text: string): number {
  const value = ms(text as ms.StringValue);
  if (value === undefined || Number.isNaN(value) || value < 1000 || value > 86_400_000) {
    throw new InvalidArgumentError('like 60s, 5m or 24h');
  }
  return value;
}
