/**
 * The organisation's profile: what it says of itself, what proves its domains, and who recommends whom.
 * @module
 */
import { type Device, type Organisation, readOrganisation, readPicture } from '@countersign/client';
import { type Card, Domain, MAX_DOMAINS } from '@countersign/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as v from 'valibot';
import { CardPicture } from './card-picture.tsx';
import { explain } from './explain.ts';
import { ProfileDomains } from './profile-domains.tsx';
import { ProfileRecommendations } from './profile-recommendations.tsx';
import { type CardWords, publishCard, wordsOf } from './publish-card.ts';
import { smallPicture } from './small-picture.ts';
import { say } from './words.ts';

export function Profile({ device }: { device: Device }) {
  const [organisation, setOrganisation] = useState<Organisation>();
  const [failure, setFailure] = useState('');
  const begun = useRef<boolean>(undefined);
  const { session } = device;
  const look = () =>
    readOrganisation(session, session.keys.name, session.keys.identity).then(
      setOrganisation,
      (error: unknown) => setFailure(explain(error)),
    );
  useEffect(() => void look(), []);
  if (organisation === undefined) return failure === '' ? null : <p role="alert">{failure}</p>;
  const card = organisation.known?.card;
  // What was open stays open: it says that it was saved.
  begun.current ??= card === undefined;
  return (
    <details open={begun.current}>
      <summary>
        {say('console.card.title')}
        {card !== undefined && `: ${card.name}`}
      </summary>
      <CardForm device={device} card={card} onSaved={look} />
      {card !== undefined && (
        <>
          <p>
            <a href={`/o/${encodeURIComponent(card.sub)}#o=${card.sub_id}`} target="_blank" rel="noreferrer">
              {say('console.card.link')}
            </a>
          </p>
          {card.domains !== undefined && (
            <ProfileDomains key={card.domains.join()} device={device} domains={card.domains} />
          )}
          <ProfileRecommendations
            device={device}
            offered={organisation.offered}
            shown={card.recommenders ?? []}
            onShow={async (recommenders) => {
              const words: CardWords = { ...wordsOf(card), recommenders };
              if (recommenders.length === 0) delete words.recommenders;
              await publishCard(device, card, words);
              await look();
            }}
          />
        </>
      )}
    </details>
  );
}

interface CardProperties {
  readonly device: Device;
  readonly card: Card | undefined;
  onSaved(): Promise<void>;
}

function CardForm({ device, card, onSaved }: CardProperties) {
  const [failure, setFailure] = useState('');
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const [picture, setPicture] = useState<string>();
  const chosen = useRef<Uint8Array | undefined>(undefined);
  useEffect(() => {
    if (card === undefined) return;
    readPicture(device.session, card).then(
      (text) => setPicture(text?.replaceAll('-', '+').replaceAll('_', '/')),
      () => {},
    );
  }, [card?.picture]);
  const choose = async (event: Event & { currentTarget: HTMLInputElement }) => {
    const [file] = event.currentTarget.files ?? [];
    if (file === undefined) return;
    const small = await smallPicture(file);
    setFailure(small === undefined ? say('console.card.picture.bad') : '');
    if (small === undefined) return;
    chosen.current = small;
    setPicture(small.toBase64());
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setFailure('');
    setSaid('');
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name)).trim();
    const domains = [
      ...new Set(
        text('domains')
          .toLowerCase()
          .split(/[\s,]+/)
          .filter((one) => one !== ''),
      ),
    ];
    const bad = domains.find((domain, i) => i >= MAX_DOMAINS || !v.is(Domain, domain));
    if (bad !== undefined) {
      setFailure(say('console.card.domain.bad', { domain: bad }));
      return;
    }
    setBusy(true);
    try {
      const kept = card?.picture === undefined || picture === undefined ? {} : { picture: card.picture };
      const words: CardWords = {
        name: text('name'),
        description: text('description'),
        country: text('country').toUpperCase(),
        ...kept,
        ...(text('team') === '' ? {} : { team: Number(text('team')) }),
        ...(domains.length === 0 ? {} : { domains }),
        ...(card?.recommenders === undefined ? {} : { recommenders: card.recommenders }),
      };
      await publishCard(device, card, words, picture === undefined ? undefined : chosen.current);
      chosen.current = undefined;
      setSaid(say('console.card.saved'));
      await onSaved();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={save}>
      <label>
        {say('console.card.name')}
        <input name="name" required maxLength={64} defaultValue={card?.name ?? ''} />
      </label>
      <label>
        {say('console.card.description')}
        <input name="description" required maxLength={256} defaultValue={card?.description ?? ''} />
      </label>
      <label>
        {say('console.card.country')}
        <input name="country" required maxLength={2} defaultValue={card?.country ?? ''} />
      </label>
      <div class="row">
        <CardPicture picture={picture} />
        <label>
          {say('console.card.picture')}
          <input type="file" accept="image/*" onChange={choose} aria-describedby="picture-tip" />
        </label>
        {picture !== undefined && (
          <button
            type="button"
            class="plain"
            onClick={() => {
              chosen.current = undefined;
              setPicture(undefined);
            }}
          >
            {say('console.card.picture.remove')}
          </button>
        )}
      </div>
      <p class="quiet" id="picture-tip">
        {say('console.card.picture.tip')}
      </p>
      <label>
        {say('console.card.team')}
        <input
          name="team"
          type="number"
          min={1}
          defaultValue={card?.team === undefined ? '' : String(card.team)}
          aria-describedby="team-tip"
        />
      </label>
      <p class="quiet" id="team-tip">
        {say('console.card.team.tip')}
      </p>
      <label>
        {say('console.card.domains')}
        <textarea
          name="domains"
          rows={2}
          spellcheck={false}
          autocapitalize="none"
          defaultValue={card?.domains?.join('\n') ?? ''}
          aria-describedby="domains-tip"
        />
      </label>
      <p class="quiet" id="domains-tip">
        {say('console.card.domains.tip')}
      </p>
      <button type="submit" disabled={busy}>
        {say('console.card.save')}
      </button>
      <p role="status">{said}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </form>
  );
}
