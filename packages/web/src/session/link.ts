/**
 * The link of a session: the organisation in the path, and what opens it in the fragment, which no server sees.
 * @module
 */
export interface SessionLink {
  /** Name of the organisation's account. */
  readonly name: string;
  readonly token: string;
  /**
   * A program made it, and nobody is live on the other side. The link says so, where no server can: one that asked for
   * a digest in a session of two pages could try guesses of what was typed.
   */
  readonly digest?: true;
  /** A value that was put into the link. */
  readonly prefill?: string;
}

export function formatSessionLink(origin: string, { name, token, digest, prefill }: SessionLink): string {
  const fragment = new URLSearchParams({
    t: token,
    ...(digest ? { m: 'digest' } : {}),
    ...(prefill === undefined ? {} : { v: prefill }),
  });
  return `${origin}/s/${encodeURIComponent(name)}#${fragment}`;
}

export function readSessionLink({ pathname, hash }: Location): SessionLink {
  const fragment = new URLSearchParams(hash.slice(1));
  const prefill = fragment.get('v');
  return {
    name: decodeURIComponent(pathname.slice('/s/'.length)),
    token: fragment.get('t') ?? '',
    ...(fragment.get('m') === 'digest' ? { digest: true as const } : {}),
    ...(prefill === null ? {} : { prefill }),
  };
}
