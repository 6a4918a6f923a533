/**
 * A dialog over the page, for as long as it is there.
 * @module
 */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

export function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    // Closed before it is gone, so that the focus goes back to where it came from.
    return () => shown?.close();
  }, []);
  return dialog;
}
