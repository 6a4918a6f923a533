/**
 * What this machine is, in words that its owner recognises.
 * @module
 */
import { readFileSync } from 'node:fs';
import { arch, platform, release, type } from 'node:os';
import { isDisplayLine } from '@countersign/core';

const MAX_BYTES = 64;

export function machineModel(): string {
  const names = ['sys_vendor', 'product_name'].map((name) => firstLine(`/sys/class/dmi/id/${name}`));
  return shown(names.filter((name) => name !== '').join(' ')) ?? `${platform()} ${arch()}`;
}

export function operatingSystem(): string {
  const pretty = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(read('/etc/os-release'))?.[1] ?? '';
  return shown(pretty) ?? shown(`${type()} ${release()}`) ?? type();
}

function shown(text: string): string | undefined {
  return isDisplayLine(text, MAX_BYTES) ? text : undefined;
}

function firstLine(path: string): string {
  return read(path).split('\n')[0]!.trim();
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
