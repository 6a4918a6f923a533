/**
 * How often a property is tried: shallow by default, deep with SLOW=1.
 * @module
 */
export const RUNS = { numRuns: process.env.SLOW === '1' ? 5000 : 50 };
