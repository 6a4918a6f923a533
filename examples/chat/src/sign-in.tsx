/**
 * E-mail and password: they make an account, or bring this browser before the door of one. They open nothing.
 * @module
 */
import { createAccount, Device, requestEnrolment } from '@countersign/client';
import { formatDeviceLink, parseDeviceLink } from '@countersign/core';
import { useState } from 'preact/hooks';
import { type Credentials, keepLink, signIn, signUp } from './chat-server.ts';
import { explain, linkLife, stores, thisBrowser } from './own.ts';

export function SignIn({ onDone }: { onDone(): void }) {
  const [busy, setBusy] = useState('');
  const [failure, setFailure] = useState('');

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form, event.submitter);
    const credentials = { email: String(data.get('email')), password: String(data.get('password')) };
    const makes = data.get('how') === 'sign-up';
    setFailure('');
    setBusy(makes ? 'Making your account…' : 'Signing in…');
    try {
      await (makes ? enter(credentials) : knock(credentials));
      onDone();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy('');
    }
  };

  return (
    <main class="narrow">
      <h1>Chat</h1>
      <p>What is said here is sealed on your device, and read on the devices of those who are in the room.</p>
      <form onSubmit={submit}>
        <label>
          E-mail
          <input name="email" type="email" required autocomplete="username" />
        </label>
        <label>
          Password
          <input name="password" type="password" required minLength={8} autocomplete="current-password" />
        </label>
        <div class="row">
          <button type="submit" name="how" value="sign-in" disabled={busy !== ''}>
            Sign in
          </button>
          <button type="submit" name="how" value="sign-up" class="plain" disabled={busy !== ''}>
            Create account
          </button>
        </div>
      </form>
      <p role="status">{busy}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

/** A new account, with this browser as its first device. */
async function enter(credentials: Credentials): Promise<void> {
  const { email, broker } = await signUp(credentials);
  const keys = await createAccount({ name: email, broker, ...thisBrowser(email), ...stores });
  const { devices } = new Device({ ...stores, keys });
  await keepLink(formatDeviceLink(await devices.invite('knock', linkLife())));
}

/** This browser before the door of an account that has devices. */
async function knock(credentials: Credentials): Promise<void> {
  const { email, link } = await signIn(credentials);
  if (link === undefined) throw new Error('This account has no device yet: it was never finished.');
  await requestEnrolment({ link: parseDeviceLink(link), ...thisBrowser(email), ...stores });
}
