/**
 * A new device before the account's door: compared, and let in by the code that it shows, or turned away.
 * @module
 */
import { Device, type KnockingDevice, type Responder } from '@countersign/client';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { Facts } from './facts.tsx';
import { useGuard } from './guard.ts';
import { Scan } from './scan.tsx';
import { say } from './words.ts';

interface Properties {
  readonly responder: Responder;
  readonly knocking: KnockingDevice;
  readonly up: boolean;
  onDone(): void;
  onLater(): void;
}

export function KnockScreen({ responder, knocking, up, onDone, onLater }: Properties) {
  const { devices } = useMemo(() => new Device(responder.session), []);
  const ready = useGuard();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  const code = useRef<HTMLInputElement>(null);
  const history = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = say('knock.title');
    heading.current?.focus();
  }, []);
  const act = async (work: () => Promise<void>) => {
    if (busy || !up || !ready()) return;
    setBusy(true);
    setFailure('');
    try {
      await work();
      onDone();
    } catch (error) {
      setFailure(explain(error));
      setBusy(false);
    }
  };
  const accept = (event: SubmitEvent) => {
    event.preventDefault();
    const typed = knocking.pin === undefined ? (code.current?.value ?? '') : undefined;
    if (typed?.trim() === '') {
      code.current?.focus();
      return;
    }
    void act(() => devices.accept(knocking, typed, { history: history.current?.checked ?? true }));
  };
  return (
    <main class="question">
      <h1 ref={heading} tabIndex={-1}>
        {say('knock.title')}
      </h1>
      <p>{say('knock.lead')}</p>
      <Facts facts={knocking.facts} />
      <form onSubmit={accept}>
        {knocking.pin === undefined ? (
          <>
            <label>
              {say('knock.code')}
              <input
                ref={code}
                autocomplete="off"
                autocapitalize="characters"
                spellcheck={false}
                maxLength={16}
              />
            </label>
            <Scan
              label={say('knock.scan')}
              onText={(text) => {
                code.current!.value = text.slice(0, 16);
              }}
            />
          </>
        ) : (
          <p>
            {say('knock.pin', {
              rights: knocking.pin.rights.map((right) => say(`right.${right}`)).join(', '),
            })}
          </p>
        )}
        <label class="check">
          <input ref={history} type="checkbox" defaultChecked /> {say('knock.history')}
        </label>
        <div class="choices">
          <p class="why" role="status">
            {!up ? say('offline.lead') : busy ? say('moment') : ''}
          </p>
          <button
            type="button"
            class="choice reject"
            aria-disabled={busy || !up}
            onClick={() => act(() => devices.reject(knocking))}
          >
            {say('knock.reject')}
          </button>
          <button type="submit" class="choice accept" aria-disabled={busy || !up}>
            {say('knock.accept')}
          </button>
        </div>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
      <footer>
        <button type="button" class="link" onClick={onLater}>
          {say('later')}
        </button>
      </footer>
    </main>
  );
}
