/**
 * The organisation's console.
 * @module
 */
import type { Device } from '@countersign/client';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../kit/words.ts';
import { AuthSessions } from './auth-sessions.tsx';
import { History } from './history.tsx';
import { explain, makeAccount, ownDevice } from './own.ts';
import { Profile } from './profile.tsx';

function App() {
  const [device, setDevice] = useState<Device | null>();
  const [failure, setFailure] = useState('');
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    ownDevice().then(
      (own) => setDevice(own ?? null),
      (error: unknown) => setFailure(explain(error)),
    );
  }, []);
  if (failure !== '') return <p role="alert">{failure}</p>;
  if (device === undefined) return <p role="status">{say('moment')}</p>;
  if (device === null) return <Found onFound={setDevice} />;
  return (
    <div class="wide">
      <header>
        <h1>{say('console.title')}</h1>
        <p class="quiet">{device.session.keys.name}</p>
      </header>
      <Profile device={device} />
      <AuthSessions device={device} onChange={() => setChanges((n) => n + 1)} />
      <History device={device} changes={changes} />
    </div>
  );
}

function Found({ onFound }: { onFound(device: Device): void }) {
  const [failure, setFailure] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setFailure('');
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name'));
    try {
      onFound(await makeAccount(name));
    } catch (error) {
      setFailure(explain(error));
    }
  };
  return (
    <main class="narrow">
      <h1>{say('console.title')}</h1>
      <p>{say('console.found.lead')}</p>
      <form onSubmit={submit}>
        <label>
          {say('console.found.name')}
          <input name="name" required autocomplete="username" />
        </label>
        <button type="submit">{say('console.found.button')}</button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

render(<App />, document.getElementById('app')!);
