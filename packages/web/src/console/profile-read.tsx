/**
 * The organisation's profile, for a member who may read it: what it says of itself, what was found at its domains, and
 * who recommends whom.
 * @module
 */
import { type Device, type Organisation, readOrganisation, readPicture } from '@countersign/client';
import type { Card, Recommendation } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { payloadOf } from '../session/server.ts';
import { CardPicture } from './card-picture.tsx';
import { explain } from './explain.ts';
import { ProfileDomains } from './profile-domains.tsx';
import { say } from './words.ts';

interface Known {
  readonly organisation: Organisation;
  /** A PNG in base64. */
  readonly picture: string | undefined;
  /** Whom the organisation recommends. */
  readonly given: readonly Recommendation[];
}

export function ProfileRead({ device }: { device: Device }) {
  const [known, setKnown] = useState<Known>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    read(device).then(setKnown, (error: unknown) => setFailure(explain(error)));
  }, []);
  if (known === undefined) return failure === '' ? null : <p role="alert">{failure}</p>;
  const { organisation, picture, given } = known;
  const card = organisation.known?.card;
  return (
    <details data-testid="profile">
      <summary>
        {say('console.card.title')}
        {card !== undefined && `: ${card.name}`}
      </summary>
      <p class="quiet">{say('console.card.readOnly')}</p>
      {card === undefined ? <p>{say('session.unknown')}</p> : <Facts card={card} picture={picture} />}
      {card?.domains !== undefined && <ProfileDomains device={device} domains={card.domains} readOnly />}
      <section>
        <h2>{say('console.recommend')}</h2>
        <h3>{say('console.recommend.offered')}</h3>
        {organisation.offered.length === 0 && <p>{say('console.recommend.nobody')}</p>}
        <ul>
          {organisation.offered.map(({ iss, iss_id, text }) => (
            <li key={iss_id}>
              {iss}
              {text !== undefined && `: ${text}`}
              {card?.recommenders?.includes(iss_id) && ` (${say('console.recommend.shown')})`}
            </li>
          ))}
        </ul>
        <h3>{say('console.recommend.given')}</h3>
        {given.length === 0 && <p>{say('console.recommend.nobody')}</p>}
        <ul>
          {given.map(({ sub, sub_id, text }) => (
            <li key={sub_id}>
              {sub}
              {text !== undefined && `: ${text}`}
            </li>
          ))}
        </ul>
      </section>
    </details>
  );
}

function Facts({ card, picture }: { card: Card; picture: string | undefined }) {
  return (
    <>
      <CardPicture picture={picture} />
      <dl class="facts">
        <dt>{say('console.card.name')}</dt>
        <dd>{card.name}</dd>
        <dt>{say('console.card.description')}</dt>
        <dd>{card.description}</dd>
        <dt>{say('session.country')}</dt>
        <dd>{card.country}</dd>
        {card.team !== undefined && (
          <>
            <dt>{say('console.card.team')}</dt>
            <dd>{card.team}</dd>
          </>
        )}
      </dl>
      <p>
        <a href={`/o/${encodeURIComponent(card.sub)}#o=${card.sub_id}`} target="_blank" rel="noreferrer">
          {say('console.card.link')}
        </a>
      </p>
    </>
  );
}

async function read({ session }: Device): Promise<Known> {
  const { api, keys } = session;
  const [organisation, given] = await Promise.all([
    readOrganisation(session, keys.name, keys.identity),
    api.listRecommended(keys.signer, keys.name),
  ]);
  const card = organisation.known?.card;
  const picture = card && (await readPicture(session, card));
  return {
    organisation,
    picture: picture?.replaceAll('-', '+').replaceAll('_', '/'),
    given: given.map((jws) => payloadOf<Recommendation>(jws)),
  };
}
