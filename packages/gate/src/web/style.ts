/**
 * The pages' style, as one file: no page has any of its own.
 * @module
 */

/** The bar runs for as many seconds as the gate has left. */
const SECONDS = Array.from({ length: 120 }, (_, i) => `.s${i + 1} span{animation-duration:${i + 1}s}`);

export const STYLE = `:root {
  color-scheme: light dark;
  --accent: #0b5bd3;
  --bad: #b3261e;
  --line: color-mix(in srgb, currentColor 25%, transparent);
  font: 1rem/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --accent: #7fb0ff; --bad: #ff8a80; }
}
body { margin: 0; }
main { max-width: 24rem; margin: 3rem auto; padding: 0 1rem; }
label { display: block; margin-top: .75rem; }
input { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; border: 1px solid var(--line); border-radius: .4rem; }
button { min-height: 2.75rem; margin-top: .75rem; padding: 0 1rem; font: inherit; color: Canvas; background: var(--accent); border: 1px solid var(--accent); border-radius: .4rem; cursor: pointer; }
button.plain { color: inherit; background: transparent; border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.bad { color: var(--bad); }
.passcode { margin: 1rem 0; font-size: 2.75rem; font-weight: 600; letter-spacing: .08em; font-variant-numeric: tabular-nums; }
.qr { display: block; width: 12rem; height: 12rem; }
.gate { height: .5rem; margin: 1rem 0; overflow: hidden; border: 1px solid var(--line); border-radius: .25rem; }
.gate span { display: block; height: 100%; background: var(--accent); transform-origin: left; animation: run linear forwards; }
@keyframes run { to { transform: scaleX(0); } }
${SECONDS.join('\n')}
`;
