/**
 * Who waits before the door: shown at once, with all that is known, to be let in by the code or turned away.
 * @module
 */
import { type Device, type Door as DoorState, explain, type KnockingDevice } from '@countersign/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Facts } from './facts.tsx';

export function Door({ device, door, onDone }: { device: Device; door: DoorState; onDone(): void }) {
  const [first] = door.waiting;
  return (
    <>
      {door.suspects.map(({ hash, error }) => (
        <p role="alert" key={hash}>
          A device at the door was not shown, since it is not good: {error.message}
        </p>
      ))}
      {first !== undefined && (
        <Knock key={first.facts.hash} device={device} knocking={first} onDone={onDone} />
      )}
    </>
  );
}

function Knock({ device, knocking, onDone }: { device: Device; knocking: KnockingDevice; onDone(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setFailure('');
    try {
      await work();
      onDone();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const accept = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const history = data.get('history') === 'on';
    return act(() => device.devices.accept(knocking, String(data.get('code') ?? ''), { history }));
  };

  return (
    <dialog ref={dialog} aria-labelledby="knock" onCancel={(event) => event.preventDefault()}>
      <h2 id="knock">A new device wants in</h2>
      <p>Compare with what it shows. If you did not start this, turn it away.</p>
      <Facts facts={knocking.facts} />
      <form onSubmit={accept}>
        {knocking.pin === undefined && (
          <label>
            Code that the new device shows
            <input name="code" required autocomplete="off" autocapitalize="characters" spellcheck={false} />
          </label>
        )}
        <label class="check">
          <input type="checkbox" name="history" checked /> It may read what was said before
        </label>
        <div class="row">
          <button type="submit" disabled={busy}>
            Let it in
          </button>
          <button
            type="button"
            class="danger"
            disabled={busy}
            onClick={() => act(() => device.devices.reject(knocking))}
          >
            Turn it away
          </button>
        </div>
      </form>
      <p role="status">{busy ? 'One moment…' : ''}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </dialog>
  );
}
