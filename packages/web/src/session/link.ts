/**
 * The link of a session: the organisation in the path, and what opens it in the fragment, which no server sees.
 * @module
 */
export interface SessionLink {
  /** Name of the organisation's account. */
  readonly name: string;
  readonly token: string;
  /** A value that was put into the link. */
  readonly prefill?: string;
}

export function formatSessionLink(origin: string, { name, token, prefill }: SessionLink): string {
  const fragment = new URLSearchParams({ t: token, ...(prefill === undefined ? {} : { v: prefill }) });
  return `${origin}/s/${encodeURIComponent(name)}#${fragment}`;
}

export function readSessionLink({ pathname, hash }: Location): SessionLink {
  const fragment = new URLSearchParams(hash.slice(1));
  const prefill = fragment.get('v');
  return {
    name: decodeURIComponent(pathname.slice('/s/'.length)),
    token: fragment.get('t') ?? '',
    ...(prefill === null ? {} : { prefill }),
  };
}
