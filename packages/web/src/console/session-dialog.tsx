/**
 * A session that stands: its link, where the receiver is, and the passcode when it is time.
 * @module
 */

import { useEffect, useState } from 'preact/hooks';
import encodeQR from 'qr';
import { clock, say, type Word } from '../kit/words.ts';
import { formatSessionLink } from '../session/link.ts';
import type { AgentSession } from './agent-session.ts';
import { explain } from './explain.ts';
import { useModal } from './modal.ts';

interface Properties {
  readonly session: AgentSession;
  onRecreate(): Promise<void>;
  onChange(): void;
  onClose(): void;
}

export function SessionDialog({ session, onRecreate, onChange, onClose }: Properties) {
  const dialog = useModal();
  const [view, setView] = useState(session.view);
  const [failure, setFailure] = useState('');
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    session
      .run((changed) => {
        setView(changed);
        if (changed.where === 'ended' || changed.where === 'gone') onChange();
      })
      .catch((error: unknown) => {
        if ((error as Error).name !== 'AbortError') setFailure(explain(error));
      });
    return () => clearInterval(timer);
  }, []);

  const act = async (work: () => Promise<void>) => {
    setFailure('');
    try {
      await work();
      setView(session.view);
      onChange();
    } catch (error) {
      setFailure(explain(error));
    }
  };
  const [first] = session.wish.values;
  const link = formatSessionLink(location.origin, {
    name: session.payload.iss,
    token: session.token,
    ...(session.wish.prefilled && first !== undefined ? { prefill: first } : {}),
  });
  const over = view.where === 'ended' || view.where === 'gone';

  return (
    <dialog ref={dialog} aria-labelledby="session-title" onCancel={(event) => event.preventDefault()}>
      <h2 id="session-title">{say('console.sessions')}</h2>
      <p>
        <progress max={session.wish.lifetime} value={Math.max(0, view.expiresAt - now)} />{' '}
        {say('session.left', { time: clock(view.expiresAt - now) })}
      </p>
      <p role="status" data-testid="where">
        {say(
          view.online || view.where === 'gone'
            ? (`console.where.${view.where}` satisfies Word)
            : 'session.offline',
        )}
      </p>
      {!over && view.passcode === undefined && (
        <>
          <label>
            {say('console.link')}
            <input
              readOnly
              value={link}
              data-testid="link"
              onFocus={(event) => event.currentTarget.select()}
            />
          </label>
          <QR text={link} />
        </>
      )}
      {view.passcode !== undefined && (
        <>
          <p>{say('console.passcode')}</p>
          <p class="code" role="status" data-testid="passcode">
            {view.passcode}
          </p>
        </>
      )}
      <div class="row">
        <button type="button" disabled={over} onClick={() => act(() => session.reveal())}>
          {say('console.reveal')}
        </button>
        <button type="button" class="plain" onClick={() => act(onRecreate)}>
          {say('console.recreate')}
        </button>
        <button type="button" class="danger" disabled={over} onClick={() => act(() => session.delete())}>
          {say('console.delete')}
        </button>
        <button type="button" class="plain" onClick={() => act(() => session.close().then(onClose))}>
          {say('console.close')}
        </button>
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
    </dialog>
  );
}

/** A QR code as one path: no markup is taken from a string. */
function QR({ text }: { text: string }) {
  const rows = encodeQR(text, 'raw', { ecc: 'low' });
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={say('console.link')}>
      <rect width="100%" height="100%" fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
