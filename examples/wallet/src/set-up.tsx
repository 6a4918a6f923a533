/**
 * Without a key: an account and its key, to be kept sealed in this browser.
 * @module
 */
import { explain } from '@countersign/client';
import { useState } from 'preact/hooks';
import { keepKey, type Wallet } from './own.ts';

export function SetUp({ wallet, onDone }: { wallet: Wallet; onDone(): void }) {
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const keep = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const name = String(data.get('account')).trim();
    setBusy(true);
    setFailure('');
    try {
      if (await keepKey(wallet, name, String(data.get('key')).trim())) onDone();
      else setFailure(`The chain knows this key as no active key of ${name}.`);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={keep}>
      <label>
        Account on the chain
        <input name="account" required autocomplete="username" autocapitalize="none" spellcheck={false} />
      </label>
      <label>
        Its active key, in WIF
        <input name="key" type="password" required autocomplete="off" />
      </label>
      <p class="quiet">
        The key stays in this browser, sealed. It signs first; the account’s providers sign second, once you
        have confirmed on your device.
      </p>
      <button type="submit" disabled={busy}>
        Keep the key
      </button>
      {failure !== '' && <p role="alert">{failure}</p>}
    </form>
  );
}
