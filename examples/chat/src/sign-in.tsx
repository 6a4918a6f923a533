/**
 * E-mail and password: they make an account, or bring this browser before the door of one. They open nothing.
 * @module
 */
import {
  BrokerApi,
  begunRegistration,
  createAccount,
  Device,
  explain,
  newRecovery,
  recoveryInForce,
  requestEnrolment,
} from '@countersign/client';
import { formatDeviceLink, parseDeviceLink } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { useState } from 'preact/hooks';
import { keepLink, type SignedIn, signIn, signUp } from './chat-server.ts';
import { linkLife, stores, thisBrowser } from './own.ts';

export function SignIn({ onDone }: { onDone(): void }) {
  const [busy, setBusy] = useState('');
  const [failure, setFailure] = useState('');
  const [code, setCode] = useState<string>();

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form, event.submitter);
    const credentials = { email: String(data.get('email')), password: String(data.get('password')) };
    const makes = data.get('how') === 'sign-up';
    setFailure('');
    setBusy(makes ? 'Making your account…' : 'Signing in…');
    try {
      const user = await (makes ? signUp(credentials) : signIn(credentials));
      if (user.link === undefined) setCode(await enter(user));
      else {
        await knock(user, user.link);
        onDone();
      }
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy('');
    }
  };

  if (code !== undefined) {
    return (
      <main class="narrow">
        <h1>Your recovery code</h1>
        <p>
          <strong data-testid="recovery-code">{code}</strong>
        </p>
        <p>
          It gets your account back where all your devices are lost, by{' '}
          <code>countersign account recover</code>. Write it down or print it: it is kept nowhere, and shown
          once.
        </p>
        <button type="button" onClick={onDone}>
          I have written it down
        </button>
      </main>
    );
  }
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

/**
 * A new account, with this browser as its first device; also where an earlier try failed in its middle.
 * @returns its recovery code
 */
async function enter({ email, broker }: SignedIn): Promise<string> {
  const recovery = await newRecovery(webCrypto, (await new BrokerApi(broker).wellKnown()).key);
  const kept = await stores.keyStore.load();
  const made = kept?.name === email && (await begunRegistration(stores.state, kept)) === undefined;
  const keys = made
    ? kept
    : await createAccount({
        name: email,
        broker,
        recovery: recovery.provision,
        ...thisBrowser(email),
        ...stores,
      });
  const { devices, session } = new Device({ ...stores, keys });
  await keepLink(formatDeviceLink(await devices.invite('knock', linkLife())));
  return recoveryInForce(session, recovery);
}

/** This browser before the door of an account that has devices. */
async function knock({ email }: SignedIn, link: string): Promise<void> {
  await requestEnrolment({ link: parseDeviceLink(link), ...thisBrowser(email), ...stores });
}
