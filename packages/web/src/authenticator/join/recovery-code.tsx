/**
 * The recovery code: shown once, and kept when its last letters come back.
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import { QrCode } from '../qr-code.tsx';
import { say } from '../words.ts';

interface Properties {
  readonly code: string;
  onConfirmed(): void;
  onLater(): void;
}

/** Letters that come back: two groups of four. */
const ASKED = 8;

export function RecoveryCode({ code, onConfirmed, onLater }: Properties) {
  const [wrong, setWrong] = useState(false);
  const [hidden, setHidden] = useState(false);
  const typed = useRef<HTMLInputElement>(null);
  const confirm = (event: SubmitEvent) => {
    event.preventDefault();
    if (lettersOf(typed.current!.value).endsWith(lettersOf(code).slice(-ASKED))) onConfirmed();
    else setWrong(true);
  };
  return (
    <main class="narrow">
      <h1>{say('recovery.title')}</h1>
      <p>{say('recovery.lead')}</p>
      {!hidden && (
        <>
          <p class="code wrap" data-testid="recovery-code">
            {code}
          </p>
          <QrCode text={code} label={say('recovery.qr')} />
        </>
      )}
      <div class="row">
        <button type="button" class="plain" onClick={() => window.print()}>
          {say('recovery.print')}
        </button>
        <button type="button" class="plain" aria-pressed={hidden} onClick={() => setHidden(!hidden)}>
          {say(hidden ? 'recovery.show' : 'recovery.hide')}
        </button>
      </div>
      <form onSubmit={confirm}>
        <label>
          {say('recovery.confirm')}
          <input ref={typed} required autocomplete="off" autocapitalize="characters" spellcheck={false} />
        </label>
        <div class="row">
          <button type="submit">{say('recovery.button')}</button>
          <button type="button" class="link" onClick={onLater}>
            {say('later')}
          </button>
        </div>
      </form>
      {wrong && <p role="alert">{say('recovery.wrong')}</p>}
    </main>
  );
}

function lettersOf(text: string): string {
  return text.replace(/[^0-9A-Za-z]/g, '').toUpperCase();
}
