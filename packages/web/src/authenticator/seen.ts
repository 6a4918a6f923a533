/**
 * Whether the end of a question was on the screen: before that, nobody accepts it.
 * @module
 */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** @param over what may stand over the end of the page, and hides what is under it */
export function useAllSeen(end: RefObject<HTMLElement | null>, over: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || end.current === null) return;
    const sticks = over.current !== null && getComputedStyle(over.current).position === 'sticky';
    const covered = sticks ? over.current!.offsetHeight : 0;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
      },
      { rootMargin: `0px 0px ${-covered}px 0px` },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [seen]);
  return seen;
}
