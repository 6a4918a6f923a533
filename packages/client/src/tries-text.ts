/** How many tries are left, for a message. */
export function triesText(left: number): string {
  return left === 1 ? 'one more try' : `${left} more tries`;
}
