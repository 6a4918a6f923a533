/**
 * The pages of a web sign-on. They work without script: the passcode stays on the screen while the browser waits for
 * the next page, which the server sends when there is something to say.
 * @module
 */
import { formatPasscodeCode } from '@countersign/core/m-auth';
import encodeQR from 'qr';
import { Html, html } from './html.ts';

/** Where the pages' own addresses begin, with a slash at the end. */
export interface PagePlace {
  readonly base: string;
  readonly host: string;
}

/** How a sign-on can end without anybody coming in, as the pages tell it. */
export type Ending =
  | 'late'
  | 'refused'
  | 'approver-denied'
  | 'approvers-late'
  | 'failed'
  | 'unavailable'
  | 'too-often'
  | 'gone';

const ENDINGS: Readonly<Record<Ending, readonly [title: string, text: string]>> = {
  late: ['Too late', 'Nobody completed the sign-on in time. The passcode is no longer good.'],
  refused: ['Refused', 'The sign-on was refused on the validator.'],
  'approver-denied': ['Not approved', 'An approver said no.'],
  'approvers-late': ['Not approved', 'The approvers did not answer in time.'],
  failed: ['Failed', 'The sign-on could not be completed.'],
  unavailable: ['Not available', 'Sign-on is not available at the moment. Nobody is let in meanwhile.'],
  'too-often': ['Too many sign-ons', 'There were too many sign-ons in a short time. Wait a little.'],
  gone: ['Nothing here', 'There is no such sign-on in this browser, or it is over.'],
};

export function formPage(place: PagePlace, next: string, problem?: string): Html {
  return page(
    place,
    'Sign on',
    html`
<h1>Sign on to ${place.host}</h1>
<form method="post" action="${place.base}">
  ${problem === undefined ? new Html('') : html`<p role="alert" class="bad">${problem}</p>`}
  <label for="user">User name</label>
  <input id="user" name="user" required maxlength="64" autocomplete="username" autocapitalize="none"
    spellcheck="false" autofocus>
  <input type="hidden" name="next" value="${next}">
  <button>Sign on</button>
</form>
<p>No password is asked for. Have your validator at hand.</p>`,
  );
}

export interface PasscodeView {
  readonly user: string;
  readonly passcode: string;
  /** Seconds until the gate closes. */
  readonly seconds: number;
  readonly state: string;
}

export function passcodePage(place: PagePlace, { user, passcode, seconds, state }: PasscodeView): Html {
  const digits = passcode.replace(/^(\d{3})/, '$1 ');
  return page(
    place,
    'Passcode',
    html`
<h1>Passcode for ${user}</h1>
<p>In your validator, choose <strong>${place.host}</strong> and enter the passcode or scan it.</p>
<p class="passcode" aria-label="Passcode ${passcode.split('').join(' ')}">${digits}</p>
${qrCode(formatPasscodeCode(passcode))}
<div class="gate s${Math.max(1, Math.min(120, Math.ceil(seconds)))}" role="img"
  aria-label="${Math.ceil(seconds)} seconds are left"><span></span></div>
<p>Choose it from your validator’s own list. If it is not there, stop here.</p>
${cancelForm(place, state)}`,
    { waitAt: waitAddress(place, state, 'gate') },
  );
}

export function waitingPage(
  place: PagePlace,
  stage: 'shown' | 'approval',
  { user, state }: Pick<PasscodeView, 'user' | 'state'>,
): Html {
  const text =
    stage === 'shown'
      ? 'Your validator shows what this sign-on is about. Acknowledge it there.'
      : 'You have acknowledged it. The approvers are asked.';
  return page(
    place,
    'Waiting',
    html`
<h1>${stage === 'shown' ? 'Look at your validator' : 'Waiting for approval'}</h1>
<p role="status">${text}</p>
<p>Signing on to ${place.host} as ${user}.</p>
${cancelForm(place, state)}`,
    { waitAt: waitAddress(place, state, stage) },
  );
}

export function endPage(place: PagePlace, ending: Ending, again?: { user: string; next: string }): Html {
  const [title, text] = ENDINGS[ending];
  return page(
    place,
    title,
    html`
<h1>${title}</h1>
<p role="alert">${text}</p>
${
  again === undefined
    ? html`<p><a href="${place.base}">Sign on</a></p>`
    : html`<form method="post" action="${place.base}">
  <input type="hidden" name="user" value="${again.user}">
  <input type="hidden" name="next" value="${again.next}">
  <button>Try again, with a new passcode</button>
</form>`
}`,
  );
}

function waitAddress({ base }: PagePlace, state: string, seen: string): string {
  return `${base}wait?${new URLSearchParams({ seen, state })}`;
}

function cancelForm({ base }: PagePlace, state: string): Html {
  return html`<form method="post" action="${base}cancel">
  <input type="hidden" name="state" value="${state}">
  <button class="plain">Cancel</button>
</form>`;
}

function qrCode(text: string): Html {
  const rows = encodeQR(text, 'raw', { border: 2 });
  const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
  return html`<svg class="qr" viewBox="0 0 ${rows.length} ${rows.length}" role="img"
  aria-label="The passcode as a QR code"><path fill="#fff" d="M0 0h${rows.length}v${rows.length}H0z"/><path
  fill="#000" d="${dark.join('')}"/></svg>`;
}

function page(
  { base, host }: PagePlace,
  title: string,
  body: Html,
  { waitAt }: { waitAt?: string } = {},
): Html {
  const refresh =
    waitAt === undefined ? new Html('') : html`<meta http-equiv="refresh" content="1;url=${waitAt}">`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · ${host}</title>
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
${refresh}
<link rel="stylesheet" href="${base}style.css">
</head>
<body>
<main>${body}</main>
</body>
</html>
`;
}
