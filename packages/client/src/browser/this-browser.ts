/**
 * What this browser is, in words that its owner recognises. A browser says what it likes: it helps a person to
 * know a device again, and proves nothing.
 * @module
 */
import { isDisplayLine } from '@countersign/core';

/** What Chromium's and its kin's `navigator` has (User-Agent Client Hints). */
interface ClientHints {
  readonly brands: readonly { readonly brand: string; readonly version: string }[];
  readonly platform: string;
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(?:e|ium)\//, 'Chromium'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

export function browserModel(): string {
  const brand = hints()?.brands.find(({ brand }) => !/Not.?A.?Brand/i.test(brand));
  return shown(brand && `${brand.brand} ${brand.version}`) ?? named(BROWSERS, 'a browser');
}

export function browserSystem(): string {
  return shown(hints()?.platform) ?? named(SYSTEMS, 'unknown');
}

function hints(): ClientHints | undefined {
  return (navigator as Navigator & { userAgentData?: ClientHints }).userAgentData;
}

function named(names: readonly (readonly [RegExp, string])[], otherwise: string): string {
  return names.find(([pattern]) => pattern.test(navigator.userAgent))?.[1] ?? otherwise;
}

function shown(text: string | undefined): string | undefined {
  return text !== undefined && isDisplayLine(text, 64) ? text : undefined;
}
