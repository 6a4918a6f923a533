/**
 * Makes an account with this browser as its first device, and sees to it that its recovery code is kept.
 * @module
 */
import { BrokerApi, createAccount, Device, newRecovery, recoveryInForce } from '@countersign/client';
import { parseAccountName } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { useState } from 'preact/hooks';
import { BROKER } from '../broker.ts';
import { UNCONFIRMED } from '../home.tsx';
import { SETTINGS, stores } from '../own.ts';
import { say } from '../words.ts';
import { NewDeviceForm } from './new-device-form.tsx';
import { RecoveryCode } from './recovery-code.tsx';

interface Properties {
  readonly name: string;
  onBack(): void;
  onDone(): void;
}

export function Create({ name, onBack, onDone }: Properties) {
  const [code, setCode] = useState<string>();
  const submit = async (field: (name: string) => string) => {
    const { origin } = await new BrokerApi(BROKER).wellKnown();
    if (origin !== BROKER) return say('join.otherBroker', { broker: origin });
    setCode(await make(field('name'), field('device')));
    return undefined;
  };
  if (code !== undefined) {
    const confirmed = async () => {
      await stores.state.delete(SETTINGS, UNCONFIRMED);
      onDone();
    };
    return <RecoveryCode code={code} onConfirmed={confirmed} onLater={onDone} />;
  }
  return (
    <main class="narrow">
      <h1>{say('create.title')}</h1>
      <NewDeviceForm button={say('create.button')} onBack={onBack} onSubmit={submit}>
        <label>
          {say('create.name')}
          <input
            name="name"
            required
            defaultValue={name}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
      </NewDeviceForm>
    </main>
  );
}

/** @returns the recovery code, which is kept nowhere */
async function make(typed: string, deviceName: string): Promise<string> {
  const name = parseAccountName(typed);
  const broker = BROKER;
  const recovery = await newRecovery(webCrypto, (await new BrokerApi(broker).wellKnown()).key);
  const keys = await createAccount({ name, broker, deviceName, recovery: recovery.provision, ...stores });
  await stores.state.update(SETTINGS, UNCONFIRMED, () => true);
  return recoveryInForce(new Device({ ...stores, keys }).session, recovery);
}
