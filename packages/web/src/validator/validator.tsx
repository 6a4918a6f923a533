/**
 * The validator: the person's own list of hosts, from which they pick; and what is done with one.
 * @module
 */
import { eraseBrowserValidator, openBrowserValidator } from '@countersign/client/browser';
import type { KnownInterface } from '@countersign/client/m-auth';
import { makeVisible } from '@countersign/core';
import { formatEraseStatement } from '@countersign/core/m-auth';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { SureButton } from '../kit/sure-button.tsx';
import { EraseStatement } from './erase-statement.tsx';
import { InterfaceScreen } from './interface-screen.tsx';
import { type ErasureKeeper, KeepForDevices, useErasureKeeper } from './keep-for-devices.tsx';
import { pairLinkOfPage } from './links.ts';
import { PairScreen } from './pair-screen.tsx';
import { SignOnScreen } from './sign-on-screen.tsx';
import { explain, say } from './words.ts';

interface Properties {
  /** Where there is an account here, whose other devices may be given what kills a pair. */
  readonly keeper?: ErasureKeeper;
  /** Told when something runs that must not be broken off, and when it is over. */
  onBusy?(busy: boolean): void;
  onBack?(): void;
}

type Place =
  | { readonly at: 'list' }
  | { readonly at: 'pair'; readonly link: string }
  | { readonly at: 'sign-on' | 'interface'; readonly known: KnownInterface };

export function Validator({ keeper, onBusy, onBack }: Properties) {
  const book = useMemo(openBrowserValidator, []);
  const keep = useErasureKeeper(keeper);
  const [place, setPlace] = useState<Place>(() => {
    const link = pairLinkOfPage();
    return link === undefined ? { at: 'list' } : { at: 'pair', link };
  });
  const [all, setAll] = useState<readonly KnownInterface[]>();
  const [said, setSaid] = useState('');
  const [failure, setFailure] = useState('');
  const look = () => book.list().then(setAll, (error: unknown) => setFailure(explain(error)));
  useEffect(() => void look(), [place]);
  useEffect(() => {
    const changed = () => {
      const link = pairLinkOfPage();
      if (link !== undefined) setPlace((now) => (now.at === 'list' ? { at: 'pair', link } : now));
    };
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  useEffect(() => {
    if (place.at === 'list') document.title = say('title');
    onBusy?.(place.at !== 'list');
  }, [place.at]);
  useEffect(() => () => onBusy?.(false), []);
  const back = (text = '') => {
    setSaid(text);
    setFailure('');
    setPlace({ at: 'list' });
  };

  switch (place.at) {
    case 'pair':
      return <PairScreen book={book} link={place.link} keep={keep} onDone={back} />;
    case 'sign-on':
      return <SignOnScreen book={book} known={place.known} onDone={back} />;
    case 'interface':
      return <InterfaceScreen book={book} known={place.known} onDone={back} />;
    case 'list':
      return (
        <main class="narrow">
          <h1>{say('title')}</h1>
          <p role="status" data-testid="validator-said">
            {said}
          </p>
          {failure !== '' && <p role="alert">{failure}</p>}
          {all?.length === 0 && <p>{say('none')}</p>}
          {all !== undefined && all.length > 0 && <p class="quiet">{say('lead')}</p>}
          <ul class="list">
            {all?.map((known) => (
              <li key={known.record.id}>
                <span>
                  <strong dir="auto">{makeVisible(known.label)}</strong>
                  <br />
                  <Facts known={known} />
                </span>
                <span class="row">
                  <button type="button" onClick={() => setPlace({ at: 'sign-on', known })}>
                    {say('signOn')}
                  </button>
                  <button type="button" class="plain" onClick={() => setPlace({ at: 'interface', known })}>
                    {say('more')}
                  </button>
                </span>
              </li>
            ))}
          </ul>
          <div class="stack">
            <button type="button" class="plain" onClick={() => setPlace({ at: 'pair', link: '' })}>
              {say('pair')}
            </button>
            {onBack !== undefined && (
              <button type="button" class="link" onClick={onBack}>
                {say('back')}
              </button>
            )}
          </div>
          {all !== undefined && all.length > 0 && (
            <>
              <Kept />
              <EraseStatement
                statement={async () =>
                  formatEraseStatement({ scope: 'all', token: await book.eraseMaster() })
                }
              />
              {keep !== undefined && <KeepForDevices keep={keep} book={book} />}
            </>
          )}
          {(failure !== '' || (all !== undefined && all.length > 0)) && (
            <Wipe
              onWipe={async () => {
                await eraseBrowserValidator();
                back(say('wipe.done'));
                await look();
              }}
            />
          )}
        </main>
      );
  }
}

function Facts({ known }: { known: KnownInterface }) {
  const { account, host, services, step } = known.record;
  const what = services.includes('*') ? say('everything') : services.join(', ');
  return (
    <span class="quiet">
      {makeVisible(say('line', { account, host }))}
      <br />
      {makeVisible(say('for', { services: what }))} · {say('times', { n: step })}
    </span>
  );
}

/** What a browser may do with what it keeps, where nobody has told it to keep it. */
function Kept() {
  const [kept, setKept] = useState(true);
  useEffect(() => {
    navigator.storage?.persisted?.().then(setKept, () => {});
  }, []);
  return kept ? null : <p class="warning">{say('mayBeDropped')}</p>;
}

function Wipe({ onWipe }: { onWipe(): Promise<void> }) {
  return (
    <section>
      <h2>{say('wipe')}</h2>
      <p>{say('wipe.lead')}</p>
      <SureButton kind="danger" label={say('wipe')} sure={say('wipe.sure')} onSure={onWipe} />
    </section>
  );
}
