/**
 * A profile, as it is shown to others, and in the console to its own people.
 * @module
 */
import type { Organisation } from '@countersign/client';
import { type DomainProof, provenDomains, type Recommendation } from '@countersign/core';
import { OrganisationCard } from '../kit/organisation-card.tsx';
import { say, time, type Word } from './words.ts';

export interface ShownProfile {
  readonly organisation: Organisation;
  /** A PNG in base64url. */
  readonly picture: string | undefined;
  readonly fingerprint: string;
}

export function ProfileView({ organisation, picture, fingerprint }: ShownProfile) {
  const { log, known, recommendations, counts } = organisation;
  const domains = known?.domains ?? [];
  const team = known?.card.team;
  return (
    <>
      <OrganisationCard
        account={log.name}
        card={known?.card}
        domains={provenDomains(domains)}
        picture={picture?.replaceAll('-', '+').replaceAll('_', '/')}
      />
      <Domains proofs={domains} account={log.name} />
      <Recommenders recommendations={recommendations} />
      <section>
        <h2>{say('profile.team')}</h2>
        <p>{team === undefined ? say('profile.team.none') : say('profile.team.own', { n: team })}</p>
      </section>
      {counts !== undefined && (
        <section>
          <h2>{say('profile.counts')}</h2>
          <dl class="facts">
            <Count word="profile.sessions" n={counts.sessions} since={counts.sessions_since} />
            <Count word="profile.authenticated" n={counts.authenticated} since={undefined} />
            <Count word="profile.answers" n={counts.answers} since={counts.answers_since} />
            <Count word="profile.signatures" n={counts.signatures} since={undefined} />
          </dl>
          <p class="quiet">{say('profile.counts.tip')}</p>
        </section>
      )}
      <section>
        <h2>{say('session.fingerprint')}</h2>
        <p>
          <code data-testid="fingerprint">{fingerprint}</code>
        </p>
        <p class="quiet">{say('profile.fingerprint.tip', { name: log.name })}</p>
      </section>
    </>
  );
}

function Domains({ proofs, account }: { proofs: readonly DomainProof[]; account: string }) {
  return (
    <section>
      <h2>{say('profile.domains')}</h2>
      {proofs.length === 0 ? (
        <p>{say('profile.domains.none')}</p>
      ) : (
        <ul>
          {proofs.map(({ domain, by, at }) => (
            <li key={`${domain} ${by}`}>
              <strong>{domain}</strong>
              {': '}
              {say(`profile.by.${by}` satisfies Word, { time: time(at) })}
            </li>
          ))}
        </ul>
      )}
      <p class="quiet">{say('profile.domains.tip')}</p>
      <p class="quiet">
        <code>{`countersign organisation show ${account} --look`}</code>
      </p>
    </section>
  );
}

function Recommenders({ recommendations }: { recommendations: readonly Recommendation[] }) {
  return (
    <section>
      <h2>{say('profile.recommenders')}</h2>
      {recommendations.length === 0 ? (
        <p>{say('profile.recommenders.none')}</p>
      ) : (
        <ul>
          {recommendations.map(({ iss, iss_id, iat, text }) => (
            <li key={iss_id}>
              <a href={`/o/${encodeURIComponent(iss)}#o=${iss_id}`}>{iss}</a>
              {text !== undefined && `: ${text}`} <span class="quiet">{time(iat)}</span>
            </li>
          ))}
        </ul>
      )}
      <p class="quiet">{say('profile.recommenders.tip')}</p>
    </section>
  );
}

function Count({ word, n, since }: { word: Word; n: number; since: number | undefined }) {
  return (
    <>
      <dt>{say(word)}</dt>
      <dd>
        {n}
        {since !== undefined && ` ${say('profile.since', { time: time(since) })}`}
      </dd>
    </>
  );
}
