/**
 * The organisation's console: for its devices, and for members by their seat.
 * @module
 */
import { readMembers } from '@countersign/client';
import { type Act, checkSeat, roleMay } from '@countersign/core';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AskedByServices } from './asked-by-services.tsx';
import { AuthSessions } from './auth-sessions.tsx';
import { explain } from './explain.ts';
import { History } from './history.tsx';
import { Members } from './members.tsx';
import { leavePlace, makeAccount, type Own, ownPlace } from './own.ts';
import { Profile } from './profile.tsx';
import { ProfileRead } from './profile-read.tsx';
import { Services } from './services.tsx';
import { readSignInLink, SignInForm, type Wish } from './sign-in.tsx';
import { Signatures } from './signatures.tsx';
import { say, time } from './words.ts';

/** How often a member's page looks whether it still has its role, in ms. */
const LOOK_MS = 5000;

function App() {
  const [own, setOwn] = useState<Own | null>();
  const [before, setBefore] = useState<Partial<Wish>>(readSignInLink(location.hash) ?? {});
  const [over, setOver] = useState(false);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    ownPlace().then(
      (found) => setOwn(found ?? null),
      (error: unknown) => setFailure(explain(error)),
    );
  }, []);
  if (failure !== '') return <p role="alert">{failure}</p>;
  if (own === undefined) return <p role="status">{say('moment')}</p>;
  const enter = (found: Own) => {
    setOver(false);
    setOwn(found);
  };
  if (own === null) return <Outside known={before} over={over} onIn={enter} />;
  const leave = (byItself: boolean) => {
    const { organisation, member } = own.seat!;
    setBefore({ organisation: organisation.name, identity: organisation.identity, member: member.name });
    setOver(byItself);
    leavePlace().then(
      () => setOwn(null),
      (error: unknown) => setFailure(explain(error)),
    );
  };
  return <Inside key={own.seat?.hash} own={own} onRenewed={enter} onLeave={leave} />;
}

interface InsideProperties {
  readonly own: Own;
  onRenewed(own: Own): void;
  /** @param byItself the seat is over, and nobody signed out */
  onLeave(byItself: boolean): void;
}

function Inside({ own, onRenewed, onLeave }: InsideProperties) {
  const { device, seat } = own;
  const { session } = device;
  const [changes, setChanges] = useState(0);
  const [renewing, setRenewing] = useState(false);
  const [failure, setFailure] = useState('');
  const may = (act: Act) => seat === undefined || roleMay(seat.role, act);
  useEffect(() => {
    if (seat === undefined) return;
    const look = async () => {
      try {
        checkSeat(seat, await readMembers(session, await session.ownLog()), session.clock.now());
      } catch (error) {
        if ((error as { code?: string }).code === 'seat-over') onLeave(true);
      }
    };
    void look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const signOut = async () => {
    try {
      await session.api.signOut(session.keys.signer, session.keys.name);
      onLeave(false);
    } catch (error) {
      if ((error as { code?: string }).code === 'seat-over') onLeave(true);
      else setFailure(explain(error));
    }
  };
  return (
    <main class="wide">
      <header>
        <h1>{say('console.title')}</h1>
        <p class="quiet">{session.keys.name}</p>
        {seat !== undefined && (
          <div class="row">
            <p data-testid="seat">
              {say('seat.as', {
                name: seat.member.name,
                role: say(`members.role.${seat.role}`),
                time: time(seat.exp),
              })}
            </p>
            <button type="button" class="plain" onClick={() => setRenewing(!renewing)}>
              {say('seat.renew')}
            </button>
            <button type="button" class="plain" onClick={signOut}>
              {say('seat.out')}
            </button>
          </div>
        )}
        {failure !== '' && <p role="alert">{failure}</p>}
      </header>
      {renewing && seat !== undefined && (
        <SignInForm
          known={{
            organisation: seat.organisation.name,
            identity: seat.organisation.identity,
            member: seat.member.name,
          }}
          onIn={onRenewed}
        />
      )}
      {seat === undefined ? <Profile device={device} /> : may('profile') && <ProfileRead device={device} />}
      {may('sessions') && (
        <AuthSessions device={device} seat={seat} onChange={() => setChanges((n) => n + 1)} />
      )}
      {may('signatures') && <Signatures device={device} seat={seat} />}
      {seat === undefined ? (
        <Services device={device} />
      ) : (
        may('asked') && <AskedByServices device={device} />
      )}
      <History device={device} seat={seat} changes={changes} />
      {may('members') && <Members device={device} changes={seat === undefined} />}
    </main>
  );
}

interface OutsideProperties {
  readonly known: Partial<Wish>;
  readonly over: boolean;
  onIn(own: Own): void;
}

function Outside({ known, over, onIn }: OutsideProperties) {
  return (
    <main class="narrow">
      <h1>{say('console.title')}</h1>
      {over && (
        <p role="alert" data-testid="over">
          {say('signIn.is.over')}
        </p>
      )}
      <SignInForm known={known} onIn={onIn} />
      {known.organisation === undefined && <Found onFound={onIn} />}
    </main>
  );
}

function Found({ onFound }: { onFound(own: Own): void }) {
  const [failure, setFailure] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setFailure('');
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name'));
    try {
      onFound(await makeAccount(name));
    } catch (error) {
      setFailure(explain(error));
    }
  };
  return (
    <section>
      <h2>{say('signIn.found')}</h2>
      <p>{say('console.found.lead')}</p>
      <form onSubmit={submit}>
        <label>
          {say('console.found.name')}
          <input name="name" required autocomplete="off" />
        </label>
        <button type="submit">{say('console.found.button')}</button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

document.title = say('console.title');
render(<App />, document.getElementById('app')!);
