/**
 * What a server says with our web pages, so that a browser lets them do what they need and nothing else. A place of its own
 * (`@countersign/http/page-headers`), since it needs no framework.
 * @module
 */

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'camera=(self), geolocation=(), microphone=()',
} as const;

/**
 * For a page that is a validator: it reaches the hosts that its person has paired it with, which are anywhere, and may
 * name one script at run-time, by a policy of that name: its service worker.
 */
export const VALIDATOR_PAGE_HEADERS = {
  ...PAGE_HEADERS,
  'content-security-policy': POLICY.replace("connect-src 'self'", "connect-src 'self' wss:").replace(
    "trusted-types 'none'",
    'trusted-types countersign',
  ),
} as const;
