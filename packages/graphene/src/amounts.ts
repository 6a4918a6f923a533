/**
 * Amounts as people write them, `12.5`, and as the chain counts them, in an asset's smallest unit.
 * @module
 */
import { CountersignError } from '@countersign/core';

const DECIMAL = /^(\d{1,15})(?:\.(\d{1,12}))?$/;

/** @throws `input-invalid` where it is no amount, or finer than the asset is counted */
export function parseAmount(
  text: string,
  { symbol, precision }: { symbol: string; precision: number },
): bigint {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || fraction.length > precision) {
    throw new CountersignError('input-invalid', `“${text}” is no amount of ${symbol}`, {
      hint: `like 12.5, with up to ${precision} digits behind the point`,
    });
  }
  return BigInt(whole + fraction.padEnd(precision, '0'));
}

export function formatAmount(
  amount: bigint,
  { symbol, precision }: { symbol: string; precision: number },
): string {
  const digits = amount.toString().padStart(precision + 1, '0');
  const whole = digits.slice(0, digits.length - precision);
  return `${whole}${precision === 0 ? '' : `.${digits.slice(-precision)}`} ${symbol}`;
}
