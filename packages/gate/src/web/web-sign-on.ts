/**
 * Web sign-on: a form that takes a user name alone, the passcode page, waiting, and a session at the end. It stands
 * behind a proxy that asks it about every request (nginx `auth_request`, Caddy and Traefik forward-auth), or before a
 * program of one's own (`express.ts`, `fastify.ts`). No secret is in the browser before the sign-on has succeeded.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '@countersign/client';
import { CountersignError, isDisplayLine } from '@countersign/core';
import proxyAddress from '@fastify/proxy-addr';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { HostRecords } from '../host/host-records.ts';
import type { SignOn } from '../sign-on/sign-on.ts';
import type { Door } from '../sign-on/system-interface.ts';
import { readForm } from './form.ts';
import type { Html } from './html.ts';
import { endPage, formPage, type PagePlace, passcodePage, waitingPage } from './pages.ts';
import { openState, type SignOnState, safePath, sealState } from './sign-on-state.ts';
import { STYLE } from './style.ts';

export interface WebSignOnOptions {
  readonly gate: { open(user: string, door: Door): Promise<SignOn> };
  readonly records: HostRecords;
  /** What people see of this host, as at pairing. */
  readonly host: string;
  /** Where browsers reach it, `https://app.example.com`. */
  readonly origin: string;
  /** Path of the pages, with a slash at both ends. */
  readonly base?: string;
  /** How the context calls this door. */
  readonly service?: string;
  /** Addresses or networks of proxies whose word is taken for where a call came from (X-Forwarded-For). */
  readonly trustProxy?: readonly string[];
  /** Of a session, in seconds. */
  readonly sessionSeconds?: number;
  readonly clock?: Clock;
}

export interface WebSignOn {
  /** Answers a request to one of its own addresses; false for any other, of which it has touched nothing. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Whose session a request carries. */
  userOf(request: IncomingMessage): string | undefined;
  /** Where to send a browser that is to sign on, and to come back to a path of this site. */
  address(next: string): string;
}

/** The header by which a proxy learns who is signed on. */
export const USER_HEADER = 'countersign-user';

interface Attempt {
  readonly signOn: SignOn;
  readonly state: SignOnState;
}

const SESSION_SECONDS = 8 * 3600;
/** How long one answer may be waited for: less than proxies wait, 60 s by default in nginx. */
const HOLD_MS = 45_000;
/** How long a result waits for its browser. */
const KEEP_MS = 60_000;
const MAX_USER_BYTES = 64;

export function webSignOn(options: WebSignOnOptions): WebSignOn {
  const {
    gate,
    records,
    host,
    origin,
    base = '/countersign/',
    service = 'web',
    clock = systemClock,
  } = options;
  const { sessionSeconds = SESSION_SECONDS } = options;
  if (!base.startsWith('/') || !base.endsWith('/'))
    throw new TypeError('the base is a path like /countersign/');
  const place: PagePlace = { base, host };
  const secure = origin.startsWith('https:');
  // The prefix keeps other hosts of a domain from setting them (RFC 6265bis section 4.1.3.2).
  const prefix = secure ? '__Host-' : '';
  const cookies = { browser: `${prefix}countersign-browser`, session: `${prefix}countersign-session` };
  const trusted = proxyAddress.compile([...(options.trustProxy ?? [])]);
  const attempts = new Map<string, Attempt>();

  const setCookie = (response: ServerResponse, name: string, value: string, maxAge?: number) =>
    response.appendHeader(
      'set-cookie',
      stringifySetCookie({
        name,
        value,
        httpOnly: true,
        secure,
        sameSite: 'lax',
        path: '/',
        ...(maxAge === undefined ? {} : { maxAge }),
      }),
    );
  const cookieOf = (request: IncomingMessage, name: string) =>
    parseCookie(request.headers.cookie ?? '')[name];

  async function start(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request);
    const user = (form.get('user') ?? '').trim();
    const next = safePath(form.get('next'));
    if (!isDisplayLine(user, MAX_USER_BYTES)) {
      send(response, 400, formPage(place, next, 'That is no user name.'));
      return;
    }
    let signOn: SignOn;
    try {
      signOn = await gate.open(user, { service, address: proxyAddress(request, trusted) });
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      const often = error.code === 'too-often' || error.code === 'too-many-pending';
      if (error.retryAfter !== undefined) response.setHeader('retry-after', error.retryAfter);
      send(response, often ? 429 : 503, endPage(place, often ? 'too-often' : 'unavailable', { user, next }));
      return;
    }
    const browser = randomBytes(16).toString('base64url');
    const state = { attempt: randomBytes(16).toString('base64url'), user, next };
    attempts.set(state.attempt, { signOn, state });
    const forget = () => setTimeout(() => attempts.delete(state.attempt), KEEP_MS).unref();
    signOn.result.finally(forget);
    // Worth nothing by itself: it only says which browser it was that saw the passcode.
    setCookie(response, cookies.browser, browser);
    send(response, 200, passcodeView(signOn, sealState(records.webKey, state, browser)));
  }

  function passcodeView({ context, passcode, closes }: SignOn, state: string): Html {
    const seconds = (closes - clock.monotonic()) / 1000;
    return passcodePage(place, { user: context.account, passcode, seconds, state });
  }

  /** The attempt that a page of this browser speaks of, and its state; the state alone where the attempt is over. */
  function find(request: IncomingMessage, sealed: string | null): { attempt?: Attempt; state?: SignOnState } {
    const browser = cookieOf(request, cookies.browser);
    if (browser === undefined || sealed === null) return {};
    const state = openState(records.webKey, sealed, browser);
    if (state === undefined) return {};
    const attempt = attempts.get(state.attempt);
    return attempt === undefined ? { state } : { attempt, state };
  }

  async function wait(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const sealed = query.get('state');
    const { attempt, state } = find(request, sealed);
    if (attempt === undefined || sealed === null) {
      send(response, 403, endPage(place, 'gone', state));
      return;
    }
    const { signOn } = attempt;
    // Each page says what it shows: the answer comes when there is something else to show.
    if (signOn.stage === query.get('seen')) await changedWithin(signOn, response);
    if (response.destroyed) return;
    if (signOn.stage === 'over') await finish(response, attempt);
    else if (signOn.stage === 'gate') send(response, 200, passcodeView(signOn, sealed));
    else send(response, 200, waitingPage(place, signOn.stage, { user: attempt.state.user, state: sealed }));
  }

  async function finish(response: ServerResponse, { signOn, state }: Attempt): Promise<void> {
    const result = await signOn.result;
    // It is told once.
    attempts.delete(state.attempt);
    setCookie(response, cookies.browser, '', 0);
    if (result.outcome !== 'granted') {
      send(
        response,
        403,
        endPage(place, result.why === 'unavailable' ? 'unavailable' : result.outcome, state),
      );
      return;
    }
    const session = randomBytes(32).toString('base64url');
    const now = clock.now();
    const { user, pair, grant } = result;
    records.addSession(hashOf(session), user, pair, now + sessionSeconds, now, grant);
    setCookie(response, cookies.session, session, sessionSeconds);
    redirect(response, state.next);
  }

  async function cancel(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { attempt, state } = find(request, (await readForm(request)).get('state'));
    if (attempt !== undefined) {
      attempts.delete(attempt.state.attempt);
      attempt.signOn.cancel();
    }
    redirect(response, state === undefined ? base : address(state.next));
  }

  function signOut(request: IncomingMessage, response: ServerResponse): void {
    const session = cookieOf(request, cookies.session);
    if (session !== undefined) records.endSession(hashOf(session));
    setCookie(response, cookies.session, '', 0);
    redirect(response, base);
  }

  /** For a proxy: may this request pass, and whose is it? */
  function check(request: IncomingMessage, response: ServerResponse, elseRedirect: boolean): void {
    const user = userOf(request);
    if (user !== undefined) {
      // A header holds ASCII alone (RFC 9110 section 5.5); so does this, of any name.
      response.setHeader(USER_HEADER, encodeURIComponent(user));
      response.writeHead(204).end();
    } else if (elseRedirect) {
      redirect(response, address(safePath(String(request.headers['x-forwarded-uri'] ?? '/'))));
    } else {
      response.writeHead(401).end();
    }
  }

  function userOf(request: IncomingMessage): string | undefined {
    const session = cookieOf(request, cookies.session);
    return session === undefined ? undefined : records.sessionUser(hashOf(session), clock.now());
  }

  function address(next: string): string {
    return `${base}?${new URLSearchParams({ next: safePath(next) })}`;
  }

  async function route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname.slice(base.length);
    if (request.method === 'GET' || request.method === 'HEAD') {
      switch (path) {
        case '':
          return send(response, 200, formPage(place, nextOf(url)));
        case 'wait':
          return wait(request, response, url.searchParams);
        case 'check':
          return check(request, response, false);
        case 'forward':
          return check(request, response, true);
        case 'style.css':
          response.setHeader('content-type', 'text/css; charset=utf-8');
          response.setHeader('cache-control', 'public, max-age=3600');
          response.writeHead(200).end(STYLE);
          return;
      }
    }
    if (request.method === 'POST') {
      if (!isOwnPage(request, origin)) return send(response, 403, endPage(place, 'gone'));
      switch (path) {
        case '':
          return start(request, response);
        case 'cancel':
          return cancel(request, response);
        case 'sign-out':
          return signOut(request, response);
      }
    }
    send(response, 404, endPage(place, 'gone'));
  }

  return {
    async handle(request, response) {
      const url = URL.parse(pathOf(request), origin);
      if (url === null || !url.pathname.startsWith(base)) return false;
      protect(response);
      try {
        await route(request, response, url);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        send(response, 400, endPage(place, 'gone'));
      }
      return true;
    },
    userOf,
    address,
  };
}

/** Where to go afterwards. A proxy that can't encode puts it there as it stands, and it goes to the end. */
function nextOf({ search, searchParams }: URL): string {
  const [, plain] = /^\?next=(\/.*)$/.exec(search) ?? [];
  return safePath(plain ?? searchParams.get('next'));
}

/** What Express keeps of the address where it has cut its own part off. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/';
}

/** A form of these pages, and no other site's: nobody is signed on, or out, by a page of somebody else. */
function isOwnPage({ headers }: IncomingMessage, origin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return headers.origin === undefined ? site !== undefined : headers.origin === origin;
}

function protect(response: ServerResponse): void {
  response.setHeader(
    'content-security-policy',
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  response.setHeader('cache-control', 'no-store');
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
}

/** Waits until the sign-on stands elsewhere, the browser leaves, or a proxy would grow impatient. */
async function changedWithin(signOn: SignOn, response: ServerResponse): Promise<void> {
  const left = Promise.withResolvers<void>();
  const timer = setTimeout(left.resolve, HOLD_MS);
  response.once('close', left.resolve);
  await Promise.race([signOn.changed(), left.promise]);
  response.off('close', left.resolve);
  clearTimeout(timer);
}

function send(response: ServerResponse, status: number, { text }: Html): void {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.writeHead(status).end(text);
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to }).end();
}

function hashOf(session: string): Buffer {
  return createHash('sha256').update(session).digest();
}
