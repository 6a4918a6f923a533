/**
 * One room: what was said, and a line to say something.
 * @module
 */
import { type Device, explain, type KnownRoom } from '@countersign/client';
import { parseAccountName } from '@countersign/core';
import { useEffect, useRef, useState } from 'preact/hooks';

export function Room({ device, room, onSent }: { device: Device; room: KnownRoom; onSent(): void }) {
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => end.current?.scrollIntoView(), [room.messages.length]);

  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get('text')).trim();
    if (text === '') return;
    setBusy(true);
    setFailure('');
    try {
      await device.rooms.send(room.room, text);
      form.reset();
      onSent();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main>
      <h2>{room.name}</h2>
      <p class="quiet">{room.members.map(({ name }) => name).join(', ')}</p>
      {room.suspects.map((error, i) => (
        <p role="alert" key={i}>
          Something was delivered that is not good: {error.message}
        </p>
      ))}
      <div class="messages" role="log" aria-label="Messages">
        {room.messages.map(({ hash, from, sentAt, text, gap }) => (
          <article key={hash}>
            {gap && <p class="quiet">— something before this was kept from you —</p>}
            <p>
              <strong>{from.name}</strong> <span class="quiet">{from.device}</span>{' '}
              <time class="quiet" dateTime={new Date(sentAt * 1000).toISOString()}>
                {new Date(sentAt * 1000).toLocaleTimeString()}
              </time>
            </p>
            <p class={text === undefined ? 'quiet' : 'text'}>
              {text ?? 'from before this device was in: not for it to read'}
            </p>
          </article>
        ))}
        <div ref={end} />
      </div>
      <form class="row" onSubmit={send}>
        <label class="grow">
          <span class="hidden">Message</span>
          <input name="text" placeholder="Message" autocomplete="off" maxLength={2000} />
        </label>
        <button type="submit" disabled={busy}>
          Send
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

export function NewRoom({ device, onMade }: { device: Device; onMade(room: string): void }) {
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    setBusy(true);
    setFailure('');
    try {
      const names = String(data.get('people'))
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(parseAccountName);
      const members = await Promise.all(
        names.map(async (name) => {
          const { log } = await device.session.book.find(name, 0);
          return { name, identity: log.identity };
        }),
      );
      onMade(await device.rooms.create(String(data.get('name')), members));
      form.reset();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <details>
      <summary>New room</summary>
      <form onSubmit={make}>
        <label>
          Name
          <input name="name" required maxLength={40} autocomplete="off" />
        </label>
        <label>
          With (addresses; none for your own devices only)
          <input name="people" autocomplete="off" />
        </label>
        <button type="submit" disabled={busy}>
          Make it
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </details>
  );
}
