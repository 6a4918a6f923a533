/**
 * Joins an account: by a link of one of its devices, scanned, pasted or typed, or by its name and a PIN.
 * @module
 */
import { requestEnrolment } from '@countersign/client';
import { isAccountLink, parseAccountName, parsePin } from '@countersign/core';
import { useRef } from 'preact/hooks';
import { BROKER } from '../broker.ts';
import { deviceLinkIn } from '../links.ts';
import { stores, thisBrowser } from '../own.ts';
import { Scan } from '../scan.tsx';
import { say } from '../words.ts';
import { NewDeviceForm } from './new-device-form.tsx';

export function Join({ link, onBack, onDone }: { link: string; onBack(): void; onDone(): void }) {
  const where = useRef<HTMLInputElement>(null);
  const submit = async (field: (name: string) => string) => {
    const link = linkOf(field('account'), field('pin'));
    if (link.broker !== BROKER) return say('join.otherBroker', { broker: link.broker });
    const { model, os } = thisBrowser();
    await requestEnrolment({ link, deviceName: field('device'), model, os, ...stores });
    history.replaceState(null, '', '/');
    onDone();
    return undefined;
  };
  return (
    <main class="narrow">
      <h1>{say('join.title')}</h1>
      <p>{say('join.lead')}</p>
      <Scan
        label={say('join.scan')}
        onText={(text) => {
          where.current!.value = text;
        }}
      />
      <NewDeviceForm button={say('join.button')} onBack={onBack} onSubmit={submit}>
        <label>
          {say('join.account')}
          <input
            ref={where}
            name="account"
            required
            defaultValue={link}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <label>
          {say('join.pin')}
          <input name="pin" autocomplete="off" autocapitalize="characters" spellcheck={false} />
        </label>
      </NewDeviceForm>
    </main>
  );
}

function linkOf(account: string, pin: string) {
  if (isAccountLink(account) || account.includes('#')) return deviceLinkIn(account);
  const name = parseAccountName(account.trim());
  return { name, broker: BROKER, use: 'admit' as const, pin: parsePin(pin) };
}
