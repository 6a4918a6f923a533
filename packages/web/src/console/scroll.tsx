/**
 * What is wider than a narrow window, like a table, and is moved in it: with the keyboard as well.
 * @module
 */
import type { ComponentChildren } from 'preact';

/** @param label what it is called by who does not see it */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move what has the focus
    <section class="scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
