/**
 * The account, and what this device does: its link to give away, its lock, its notices, the recovery code.
 * @module
 */
import { type Responder, replaceRecovery } from '@countersign/client';
import { formatAccountLink, statementId } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { LANGUAGES, language, speak } from '../kit/language.ts';
import { usePress } from '../kit/press.ts';
import { explain } from './explain.ts';
import { UNCONFIRMED } from './home.tsx';
import { RecoveryCode } from './join/recovery-code.tsx';
import { asAddress } from './links.ts';
import { type Notices, noticesNow, subscribe, unsubscribe } from './notices.ts';
import { SETTINGS } from './own.ts';
import { presence, setAlways, setUpPresence } from './presence.ts';
import { QrCode } from './qr-code.tsx';
import { say } from './words.ts';

export function Account({ responder }: { responder: Responder }) {
  const { session } = responder;
  const [code, setCode] = useState<string>();
  const [fingerprint, setFingerprint] = useState('');
  const [lock, setLock] = useState({ possible: false, set: false, always: false });
  const [notices, setNotices] = useState<Notices>('impossible');
  const [kept, setKept] = useState(true);
  const { failure, press } = usePress(explain);
  const look = async () => {
    setFingerprint(await statementId(session.crypto, session.keys.identity));
    setLock(await presence(session));
    setNotices(await noticesNow(session));
    setKept((await navigator.storage?.persisted?.()) === true);
  };
  const act = (work: () => Promise<void>) => press(() => work().finally(look));
  useEffect(() => void act(async () => {}), []);
  const link = formatAccountLink(session.keys);

  if (code !== undefined) {
    const confirmed = async () => {
      await session.state.delete(SETTINGS, UNCONFIRMED);
      setCode(undefined);
    };
    return <RecoveryCode code={code} onConfirmed={confirmed} onLater={() => setCode(undefined)} />;
  }
  const renew = async () => {
    const made = await replaceRecovery(session);
    await session.state.update(SETTINGS, UNCONFIRMED, () => true);
    setCode(made);
  };
  return (
    <main class="narrow">
      <h1>{say('nav.account')}</h1>
      <p>
        <strong>{session.keys.name}</strong>
        <br />
        <code class="quiet">{fingerprint}</code>
      </p>

      {!kept && <p class="warning">{say('account.mayBeDropped')}</p>}

      <section>
        <h2>{say('account.link')}</h2>
        <p>{say('account.linkLead')}</p>
        <QrCode text={asAddress(link)} label={say('account.qr')} />
        <label>
          {say('account.linkText')}
          <input readOnly value={link} data-testid="own-link" />
        </label>
      </section>

      <section>
        <h2>{say('lock.title')}</h2>
        <p>{say(lock.possible ? 'lock.lead' : 'lock.impossible')}</p>
        {lock.possible && !lock.set && (
          <button type="button" onClick={() => act(() => setUpPresence(session))}>
            {say('lock.setUp')}
          </button>
        )}
        {lock.set && (
          <label class="check">
            <input
              type="checkbox"
              checked={lock.always}
              onChange={(event) => {
                const { checked } = event.currentTarget;
                // As it was touched, until it is known to be otherwise.
                setLock({ ...lock, always: checked });
                void act(() => setAlways(session, checked));
              }}
            />{' '}
            {say('lock.always')}
          </label>
        )}
      </section>

      <section>
        <h2>{say('notices.title')}</h2>
        <p>{say(`notices.${notices}`)}</p>
        {notices === 'off' && (
          <button type="button" onClick={() => act(() => subscribe(session))}>
            {say('notices.turnOn')}
          </button>
        )}
        {notices === 'on' && (
          <button type="button" class="plain" onClick={() => act(() => unsubscribe(session))}>
            {say('notices.turnOff')}
          </button>
        )}
      </section>

      <section>
        <h2>{say('recovery.title')}</h2>
        <p>{say('recovery.renewLead')}</p>
        <button type="button" class="plain" onClick={() => act(renew)}>
          {say('recovery.renew')}
        </button>
      </section>

      <section>
        <label>
          {say('account.language')}
          <select onChange={(event) => speak(event.currentTarget.value)}>
            {Object.entries(LANGUAGES).map(([tag, name]) => (
              <option key={tag} value={tag} selected={tag === language} lang={tag}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </section>
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}
