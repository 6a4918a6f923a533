/**
 * An organisation's public profile: what it says of itself, and what others found and say, each with whose word it is.
 * @module
 */
import {
  AccountBook,
  BrokerApi,
  MemoryStateStore,
  readOrganisation,
  readPicture,
  systemClock,
} from '@countersign/client';
import { CountersignError, statementId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ProfileView, type ShownProfile } from './profile-view.tsx';
import { say, type Word } from './words.ts';

const PATH = '/o/';
const name = decodeURIComponent(location.pathname.slice(PATH.length));
/** What the account must be, where the link says so. */
const identity = new URLSearchParams(location.hash.slice(1)).get('o') ?? undefined;

function App() {
  const [shown, setShown] = useState<ShownProfile>();
  const [failed, setFailed] = useState<Word>();
  useEffect(() => {
    read().then(setShown, (error: unknown) => setFailed(wordFor(error)));
  }, []);
  if (failed !== undefined) {
    return (
      <main class="narrow">
        <h1>{name}</h1>
        <p role="alert">{say(failed)}</p>
      </main>
    );
  }
  if (shown === undefined) return <p role="status">{say('moment')}</p>;
  return (
    <main class="narrow">
      <ProfileView {...shown} />
    </main>
  );
}

async function read(): Promise<ShownProfile> {
  const state = new MemoryStateStore();
  const api = new BrokerApi(location.origin);
  const book = new AccountBook(api, webCrypto, state, systemClock);
  const around = { api, book, crypto: webCrypto, clock: systemClock };
  const organisation = await readOrganisation(around, name, identity);
  const { card } = organisation.known ?? {};
  const picture = card && (await readPicture(around, card));
  document.title = card?.name ?? name;
  return {
    organisation,
    picture,
    fingerprint: await statementId(webCrypto, organisation.log.identity),
  };
}

function wordFor(error: unknown): Word {
  const code = error instanceof CountersignError ? error.code : undefined;
  if (code === 'account-unknown' || code === 'input-invalid') return 'profile.failed.unknown';
  if (code === 'broker-unreachable' || code === undefined) return 'profile.failed.offline';
  return 'profile.failed.forged';
}

render(<App />, document.getElementById('app')!);
