/**
 * Somebody at the page of web sign-on, without a browser.
 * @module
 */
import { until } from './until.ts';

export interface GateVisit {
  /** That stands on the page. */
  readonly passcode: string;
  /** Waits for the end. @returns the session’s cookie, where there is one, and where it leads; or the page that says why not */
  end(): Promise<{ session?: string; to?: string; page?: string }>;
}

/**
 * Gives a user name, and is shown a passcode.
 * @param at the address of the site, as it is reached from here
 */
export async function visitGate(at: string, origin: string, user: string, next = '/'): Promise<GateVisit> {
  const page = `${at}/countersign/`;
  const headers = { origin, 'sec-fetch-site': 'same-origin' };
  const shown = await fetch(page, { method: 'POST', headers, body: new URLSearchParams({ user, next }) });
  const text = await shown.text();
  const [, three, more] = /class="passcode"[^>]*>\s*(\d{3})\D*(\d{3})/.exec(text) ?? [];
  const [, state] = /state=([\w.-]+)/.exec(text) ?? [];
  const cookie = shown.headers.getSetCookie()[0]?.split(';')[0];
  if (three === undefined || state === undefined || cookie === undefined) throw new Error(text);
  return {
    passcode: `${three}${more}`,
    async end() {
      const url = `${page}wait?state=${state}&seen=none`;
      const ended = await until(
        async () => {
          const answer = await fetch(url, { headers: { cookie }, redirect: 'manual' });
          return answer.status !== 200 && answer;
        },
        () => 'the sign-on did not end',
      );
      const set = ended.headers.getSetCookie().find((one) => /session=[^;]/.test(one));
      const to = ended.headers.get('location') ?? undefined;
      return set === undefined
        ? { page: await ended.text() }
        : { session: set.split(';')[0]!, ...(to && { to }) };
    },
  };
}
