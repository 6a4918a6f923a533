/**
 * Medians and percentiles.
 * @module
 */

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** By the nearest rank; for an even count the median is the mean of the middle two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (percent === 50 && Number.isInteger(middle)) return (sorted[middle - 1]! + sorted[middle]!) / 2;
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
