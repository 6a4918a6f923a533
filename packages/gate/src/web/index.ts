/**
 * Web sign-on, behind a proxy or before a program of one's own.
 * @module
 */
export { expressSignOn, fastifySignOn, type SignedOn } from './middleware.ts';
export { USER_HEADER, type WebSignOn, type WebSignOnOptions, webSignOn } from './web-sign-on.ts';
