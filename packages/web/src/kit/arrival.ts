/**
 * Where the focus goes as a page changes: what had it is gone then, and a keyboard or a screen reader would begin anew.
 * @module
 */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** What it is set on takes the focus as it comes; it needs a `tabIndex`. */
export function useArrival<T extends HTMLElement>(): RefObject<T | null> {
  const arrived = useRef<T>(null);
  useLayoutEffect(() => arrived.current?.focus(), []);
  return arrived;
}
