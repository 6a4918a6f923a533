/**
 * Somebody unknown who wants to be able to ask: who it is by the broker's word, and nothing of what it asks.
 * @module
 */
import type { ContactRequest, Responder } from '@countersign/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Asker, readAsker } from './asker.ts';
import { explain } from './explain.ts';
import { useGuard } from './guard.ts';
import { say, time } from './words.ts';

interface Properties {
  readonly responder: Responder;
  readonly request: ContactRequest;
  readonly up: boolean;
  onDone(): void;
  onLater(): void;
}

export function StrangerScreen({ responder, request, up, onDone, onLater }: Properties) {
  const { enquirer, expiresAt } = request;
  const [asker, setAsker] = useState<Asker>();
  const ready = useGuard();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = say('stranger.title');
    heading.current?.focus();
    readAsker(responder, enquirer, false).then(setAsker, () => {});
  }, []);
  const act = async (policy: 'allow' | 'block') => {
    if (busy || !up || !ready()) return;
    setBusy(true);
    setFailure('');
    try {
      if (policy === 'allow') await responder.session.book.find(enquirer.name, 0, enquirer.identity);
      await responder.contacts.change(enquirer, policy);
      onDone();
    } catch (error) {
      setFailure(explain(error));
      setBusy(false);
    }
  };
  return (
    <main class="question">
      <h1 ref={heading} tabIndex={-1}>
        {say('stranger.title')}
      </h1>
      <p>
        <strong>{enquirer.name}</strong> {say('stranger.lead')}
      </p>
      <p class="warning">{say('stranger.compare')}</p>
      <dl class="facts">
        <div>
          <dt>{say('fingerprint')}</dt>
          <dd>
            <code>{asker?.fingerprint ?? '…'}</code>
          </dd>
        </div>
        <div>
          <dt>{say('stranger.until')}</dt>
          <dd>{time(expiresAt)}</dd>
        </div>
      </dl>
      <div class="choices">
        <p class="why" role="status">
          {!up ? say('offline.lead') : busy ? say('moment') : ''}
        </p>
        <button type="button" class="choice reject" aria-disabled={busy || !up} onClick={() => act('block')}>
          {say('people.block')}
        </button>
        <button type="button" class="choice accept" aria-disabled={busy || !up} onClick={() => act('allow')}>
          {say('people.allow')}
        </button>
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
      <footer>
        <button type="button" class="link" onClick={onLater}>
          {say('later')}
        </button>
      </footer>
    </main>
  );
}
