/**
 * The provider's side of co-signing, for a server of one's own with ways of proving of one's own. Begin with
 * `serveProvider`, and a `Way`.
 * @module
 */

export type { ProviderContext } from './context.ts';
export { type ProviderOptions, type RunningProvider, serveProvider } from './provider.ts';
export {
  emailWay,
  type Judged,
  type Proving,
  type ShownWay,
  smsWay,
  type Way,
  type WayMemory,
} from './ways.ts';
