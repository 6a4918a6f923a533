/**
 * What the person keeps on paper to kill this device's pairs by, when it is lost.
 * @module
 */
import { useState } from 'preact/hooks';
import { QrCode } from '../authenticator/qr-code.tsx';
import { explain, say } from './words.ts';

export function EraseStatement({ statement }: { statement(): Promise<string> }) {
  const [shown, setShown] = useState<string>();
  const [failure, setFailure] = useState('');
  const show = () => {
    statement().then(setShown, (error: unknown) => setFailure(explain(error)));
  };
  return (
    <section>
      <h2>{say('erase.title')}</h2>
      <p>{say('erase.lead')}</p>
      {shown !== undefined && <EraseText text={shown} />}
      <div class="row">
        <button type="button" class="plain" onClick={shown === undefined ? show : () => setShown(undefined)}>
          {say(shown === undefined ? 'erase.show' : 'erase.hide')}
        </button>
        {shown !== undefined && <Print />}
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

export function EraseText({ text }: { text: string }) {
  return (
    <div class="card">
      <QrCode text={text} label={say('erase.qr')} />
      <p>
        <code data-testid="erase-statement">{text}</code>
      </p>
    </div>
  );
}

export function Print() {
  return (
    <button type="button" class="plain" onClick={() => window.print()}>
      {say('erase.print')}
    </button>
  );
}
