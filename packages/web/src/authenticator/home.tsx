/**
 * What waits, as a list; or that nothing does.
 * @module
 */
import type { Responder } from '@countersign/client';
import { useEffect, useState } from 'preact/hooks';
import { useCountdown } from './countdown.ts';
import { explain } from './explain.ts';
import type { Waits } from './inside.tsx';
import { Lazy } from './lazy.tsx';
import type { Sight } from './live.ts';
import { SETTINGS } from './own.ts';
import { OneLine, partsOf } from './question-text.tsx';
import { clock, say, time } from './words.ts';

/** Set while the account's recovery code is on no paper, as far as this browser knows. */
export const UNCONFIRMED = 'recovery-unconfirmed';

interface Properties {
  readonly responder: Responder;
  readonly sight: Sight;
  readonly items: readonly Waits[];
  readonly said: string;
  onOpen(key: string): void;
  onChange(): void;
}

export function Home({ responder, sight, items, said, onOpen, onChange }: Properties) {
  const [unconfirmed, setUnconfirmed] = useState(false);
  useEffect(() => {
    responder.session.state.get<boolean>(SETTINGS, UNCONFIRMED).then((is) => setUnconfirmed(is === true));
  }, []);
  const { waiting } = sight;
  return (
    <main class="narrow">
      <h1>{say('title')}</h1>
      <p class="quiet">{responder.session.keys.name}</p>
      <p role="status" data-testid="said">
        {said}
      </p>
      {unconfirmed && (
        <p class="warning">
          {say('recovery.unconfirmed')} <a href="#account">{say('nav.account')}</a>
        </p>
      )}
      {waiting?.door?.sealable === false && <p role="alert">{say('home.unsealable')}</p>}
      {waiting?.door?.recoveries.map((one) => (
        <Lazy
          key={one.kid}
          load={() => import('./recovery-under-way.tsx')}
          pick="RecoveryUnderWay"
          responder={responder}
          kid={one.kid}
          name={one.name}
          onChange={onChange}
        />
      ))}
      {waiting === undefined && <p role="status">{say(sight.up ? 'moment' : 'offline.wait')}</p>}
      {waiting !== undefined && items.length === 0 && <p class="empty">{say('home.nothing')}</p>}
      <ul class="list">
        {items.map((item) => (
          <li key={item.key}>
            <Line item={item} />
            <button type="button" class="plain" onClick={() => onOpen(item.key)}>
              {say('home.open')}
            </button>
          </li>
        ))}
      </ul>
      {waiting?.list.suspects.map(({ hash, enquirer, error }) => (
        <p role="alert" key={hash}>
          {say('home.suspect', { name: enquirer, reason: explain(error) })}
        </p>
      ))}
      {waiting?.door?.suspects.map(({ hash, error }) => (
        <p role="alert" key={hash}>
          {say('home.suspectDevice', { reason: explain(error) })}
        </p>
      ))}
      {waiting?.door?.notices.map(({ kind, count, newest }) => (
        <p class="warning" key={kind}>
          {say(`notice.${kind}`, { n: count, time: time(newest) })}
        </p>
      ))}
    </main>
  );
}

function Line({ item }: { item: Waits }) {
  switch (item.kind) {
    case 'question':
      return (
        <span>
          <strong>{item.request.enquirer.name}</strong>
          <br />
          <OneLine texts={partsOf(item.request.question)} />
          <br />
          <Left until={item.request.expiresAt} />
        </span>
      );
    case 'stranger':
      return (
        <span>
          {say('stranger.title')}
          <br />
          <strong>{item.request.enquirer.name}</strong>
        </span>
      );
    case 'device':
      return (
        <span>
          {say('knock.title')}
          <br />
          <strong>{item.knocking.facts.name}</strong>
        </span>
      );
  }
}

function Left({ until }: { until: number }) {
  return <span class="quiet">{say('left', { time: clock(useCountdown(until)) })}</span>;
}
