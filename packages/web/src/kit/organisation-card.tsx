/**
 * An organisation's card, as customers see it: what it says of itself, and which domains were found to be its own.
 * @module
 */
import type { Card } from '@countersign/core/card';
import { say, time } from './words.ts';

interface Properties {
  /** The account's name. */
  readonly account: string;
  readonly card: Card | undefined;
  readonly domains: readonly { readonly domain: string; readonly at: number }[];
  /** A PNG in base64. */
  readonly picture: string | undefined;
}

export function OrganisationCard({ account, card, domains, picture }: Properties) {
  return (
    <header class="card">
      {picture !== undefined && (
        <img class="logo" src={`data:image/png;base64,${picture}`} width="48" height="48" alt="" />
      )}
      <p class="quiet">{account}</p>
      <h1>{card?.name ?? account}</h1>
      {domains.map(({ domain, at }) => (
        <p class="verified" key={domain}>
          {say('card.domain', { domain, time: time(at) })}
        </p>
      ))}
      {card === undefined ? (
        <p class="quiet">{say('session.unknown')}</p>
      ) : (
        <>
          <p>{card.description}</p>
          <p class="quiet">
            {say('session.country')}: {card.country}
          </p>
        </>
      )}
    </header>
  );
}
