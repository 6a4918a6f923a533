/**
 * The PAM door: what `pam_countersign` speaks to, and push mode.
 * @module
 */
export { countGranted } from './count-granted.ts';
export * from './door.ts';
export { type PamEvent, type PamListener, type PamOptions, servePam } from './listener.ts';
export { type PushOptions, pushAuthenticator, SHARE } from './push.ts';
export { Rates } from './rates.ts';
