/**
 * `countersign-gate wifi`: a passphrase of their own for everybody who signs on, replaced again and again.
 * @module
 */
import { isAbsolute, join } from 'node:path';
import { systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import { type Command, InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { WifiSettings } from '../../wifi/wifi-keys.ts';
import { publishKeys } from '../../wifi/wpa-psk-file.ts';
import { withRecords } from '../program.ts';

interface Options {
  network: string;
  service: string;
  file?: string;
  control?: string;
  hours: number;
}

export function addWifiCommands(program: Command): void {
  const wifi = program
    .command('wifi')
    .description(
      'hand each person who signs on a passphrase of their own for a wireless network, by hostapd',
    );

  wifi
    .command('configure')
    .description('say which network it is, and where hostapd reads its passphrases')
    .requiredOption('--network <name>', 'its name (SSID), as people see it')
    .option('--service <name>', 'who signs on to this service is handed a passphrase', 'wifi')
    .option(
      '--file <path>',
      'hostapd’s wpa_psk_file; by default wpa_psk in the folder of the records',
      absolute,
    )
    .option('--control <path>', 'hostapd’s control socket, like /run/hostapd/wlan0', absolute)
    .option('--hours <number>', 'how long until each is replaced; it is good for as long again', hours, 24)
    .action((options: Options, command: Command) =>
      withRecords(command, ({ records, data, show }) => {
        const { network, service, control, file = join(data, 'wpa_psk'), hours } = options;
        const at = control?.lastIndexOf('/') ?? 0;
        const parsed = v.safeParse(WifiSettings, {
          network,
          service,
          file,
          ...(control === undefined
            ? {}
            : { hostapd: { folder: control.slice(0, at), interface: control.slice(at + 1) } }),
          hours,
        });
        if (!parsed.success) throw new CountersignError('usage', v.summarize(parsed.issues));
        records.wifi.settings = parsed.output;
        show(
          parsed.output,
          () => `Who signs on to ${service} is handed a passphrase of ${network}, good for ${hours} hours and
until it is replaced once more. Set wpa_psk_file=${file} in hostapd.conf.`,
        );
      }),
    );

  wifi
    .command('rotate')
    .description('replace all passphrases now; who is disabled has none from then on')
    .action((_options, command: Command) =>
      withRecords(command, async ({ records, show }) => {
        const { settings } = records.wifi;
        if (settings === undefined) {
          throw new CountersignError('usage', 'there is no network yet', {
            hint: '`countersign-gate wifi configure` says which it is',
          });
        }
        const cut = records.wifi.rotate(systemClock.now());
        const keys = records.wifi.keys();
        await publishKeys(settings.file, keys, settings.hostapd);
        const people = new Set(keys.map(({ user }) => user)).size;
        show({ people, cut }, () =>
          [
            `${people} ${people === 1 ? 'person has' : 'people have'} a new passphrase; each old one is good until the next time.`,
            ...cut.map((user) => `${user} is cut off.`),
          ].join('\n'),
        );
      }),
    );
}

function absolute(path: string): string {
  if (isAbsolute(path) && !/[\r\n]/.test(path)) return path;
  throw new InvalidArgumentError('an absolute path');
}

function hours(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= 8784) return Number(text);
  throw new InvalidArgumentError('from 1 to 8784');
}
