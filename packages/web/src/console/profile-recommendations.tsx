/**
 * Who recommends the organisation, which of them its profile shows, and whom it recommends itself.
 * @module
 */
import { type Device, recommend } from '@countersign/client';
import { MAX_RECOMMENDERS, parseAccountName, type Recommendation } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { payloadOf } from '../session/server.ts';
import { explain } from './explain.ts';
import { say, time } from './words.ts';

interface Properties {
  readonly device: Device;
  readonly offered: readonly Recommendation[];
  /** Identities of those that the profile shows. */
  readonly shown: readonly string[];
  onShow(recommenders: string[]): Promise<void>;
}

export function ProfileRecommendations({ device, offered, shown, onShow }: Properties) {
  const { api, keys } = device.session;
  const [given, setGiven] = useState<readonly Recommendation[]>([]);
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const look = async () => {
    const list = await api.listRecommended(keys.signer, keys.name);
    setGiven(list.map((jws) => payloadOf<Recommendation>(jws)));
  };
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setFailure('');
    try {
      await work();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void act(look), []);
  const give = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const text = String(data.get('why')).trim();
    await act(async () => {
      const name = parseAccountName(String(data.get('account')));
      await recommend(device.session, name, { recommends: true, ...(text === '' ? {} : { text }) });
      form.reset();
      await look();
    });
  };
  // Who no longer recommends is not shown, and leaves the card with its next change.
  const standing = shown.filter((identity) => offered.some(({ iss_id }) => iss_id === identity));
  return (
    <section>
      <h2>{say('console.recommend')}</h2>
      <fieldset>
        <legend>{say('console.recommend.offered')}</legend>
        {offered.length === 0 && <p>{say('console.recommend.nobody')}</p>}
        {offered.map(({ iss, iss_id, text, iat }) => (
          <label class="check" key={iss_id}>
            <input
              type="checkbox"
              checked={standing.includes(iss_id)}
              disabled={busy || (standing.length >= MAX_RECOMMENDERS && !standing.includes(iss_id))}
              onChange={(event) => {
                const rest = standing.filter((one) => one !== iss_id);
                const next = event.currentTarget.checked ? [...rest, iss_id] : rest;
                void act(() => onShow(next));
              }}
            />{' '}
            <span>
              {say('console.recommend.show', { name: iss })}
              {text !== undefined && `: ${text}`} <span class="quiet">{time(iat)}</span>
            </span>
          </label>
        ))}
        <p class="quiet">{say('console.recommend.offered.tip')}</p>
      </fieldset>
      <fieldset>
        <legend>{say('console.recommend.given')}</legend>
        <ul>
          {given.map(({ sub, sub_id, text }) => (
            <li key={sub_id}>
              {sub}
              {text !== undefined && `: ${text}`}{' '}
              <button
                type="button"
                class="plain"
                disabled={busy}
                aria-label={say('console.recommend.back.of', { name: sub })}
                onClick={() =>
                  act(async () => {
                    await recommend(device.session, sub, { recommends: false });
                    await look();
                  })
                }
              >
                {say('console.recommend.back')}
              </button>
            </li>
          ))}
        </ul>
        <form onSubmit={give}>
          <label>
            {say('console.recommend.account')}
            <input name="account" required autocomplete="off" autocapitalize="none" spellcheck={false} />
          </label>
          <label>
            {say('console.recommend.text')}
            <input name="why" maxLength={256} autocomplete="off" />
          </label>
          <button type="submit" disabled={busy}>
            {say('console.recommend.give')}
          </button>
        </form>
      </fieldset>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}
