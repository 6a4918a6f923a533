/**
 * Gets an account back by its printed code. It counts only after the undo period, if no device undoes it until then.
 * @module
 */
import { beginRecovery } from '@countersign/client';
import { isAccountLink, parseAccountName } from '@countersign/core';
import { useRef, useState } from 'preact/hooks';
import { BROKER } from '../broker.ts';
import { accountLinkIn } from '../links.ts';
import { stores } from '../own.ts';
import { Scan } from '../scan.tsx';
import { say, time } from '../words.ts';
import { NewDeviceForm } from './new-device-form.tsx';

export function Recover({ onBack, onDone }: { onBack(): void; onDone(): void }) {
  const code = useRef<HTMLInputElement>(null);
  const [until, setUntil] = useState<number>();
  const submit = async (field: (name: string) => string) => {
    const device = { deviceName: field('device') };
    const begun = await beginRecovery(placeOf(field('account')), field('code'), device, stores);
    setUntil(begun.until);
    return undefined;
  };
  if (until !== undefined) {
    return (
      <main class="narrow">
        <h1>{say('recover.title')}</h1>
        <p role="status">{say('recover.begun', { time: time(until) })}</p>
        <button type="button" onClick={onDone}>
          {say('recover.on')}
        </button>
      </main>
    );
  }
  return (
    <main class="narrow">
      <h1>{say('recover.title')}</h1>
      <p>{say('recover.lead')}</p>
      <NewDeviceForm button={say('recover.button')} onBack={onBack} onSubmit={submit}>
        <label>
          {say('recover.account')}
          <input name="account" required autocomplete="username" autocapitalize="none" spellcheck={false} />
        </label>
        <Scan
          label={say('recover.scan')}
          onText={(text) => {
            code.current!.value = text;
          }}
        />
        <label>
          {say('recover.code')}
          <input
            ref={code}
            name="code"
            required
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
          />
        </label>
      </NewDeviceForm>
    </main>
  );
}

function placeOf(account: string) {
  if (isAccountLink(account) || account.includes('#')) return accountLinkIn(account);
  return { name: parseAccountName(account.trim()), broker: BROKER };
}
