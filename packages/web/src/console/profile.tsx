/**
 * What the organisation says of itself: the card that a customer sees above the fields.
 * @module
 */
import type { Device } from '@countersign/client';
import { type Card, createCard } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../kit/words.ts';
import { payloadOf } from '../session/server.ts';
import { explain } from './own.ts';

export function Profile({ device }: { device: Device }) {
  const [card, setCard] = useState<Card | null>();
  const [failure, setFailure] = useState('');
  const { api, keys, crypto, clock } = device.session;
  useEffect(() => {
    api.readCard(keys.name).then(
      (jws) => setCard(jws === undefined ? null : payloadOf<Card>(jws)),
      (error: unknown) => setFailure(explain(error)),
    );
  }, []);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setFailure('');
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name)).trim();
    try {
      const wish = {
        seq: (card?.seq ?? 0) + 1,
        name: text('name'),
        description: text('description'),
        country: text('country').toUpperCase(),
      };
      const made = await createCard(crypto, keys.signer, await device.session.ownLog(0), wish, clock.now());
      await api.publishCard(keys.name, made.jws);
      setCard(made.payload);
    } catch (error) {
      setFailure(explain(error));
    }
  };
  if (card === undefined) return failure === '' ? null : <p role="alert">{failure}</p>;
  return (
    <details open={card === null}>
      <summary>
        {say('console.card.title')}
        {card !== null && `: ${card.name}`}
      </summary>
      <form onSubmit={save}>
        <label>
          {say('console.card.name')}
          <input name="name" required defaultValue={card?.name ?? ''} />
        </label>
        <label>
          {say('console.card.description')}
          <input name="description" required defaultValue={card?.description ?? ''} />
        </label>
        <label>
          {say('console.card.country')}
          <input name="country" required maxLength={2} defaultValue={card?.country ?? ''} />
        </label>
        <button type="submit">{say('console.card.save')}</button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </details>
  );
}
