/**
 * A member signs in: this browser asks their own account, and shows what their device has to show as well.
 * @module
 */
import { beginSignIn, type SignIn, type SignInOutcome } from '@countersign/client';
import { parseAccountName } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { QrCode } from '../authenticator/qr-code.tsx';
import { useArrival } from '../kit/arrival.ts';
import { clock, language } from '../kit/words.ts';
import { explain } from './explain.ts';
import { type Own, stores, takePlace } from './own.ts';
import { say, type Word } from './words.ts';

export interface Wish {
  readonly organisation: string;
  readonly member: string;
  /** Of the organisation, where a link told it. */
  readonly identity?: string | undefined;
}

/** The organisation's account and its identity, as a link to its console has them. */
export function readSignInLink(fragment: string): Omit<Wish, 'member'> | undefined {
  const found = new URLSearchParams(fragment.replace(/^#/, ''));
  const [organisation, identity] = [found.get('n'), found.get('o')];
  return organisation === null || identity === null ? undefined : { organisation, identity };
}

export function formatSignInLink(origin: string, organisation: string, identity: string): string {
  return `${origin}/console#${new URLSearchParams({ n: organisation, o: identity })}`;
}

/** @param known what a link told, or who was signed in before */
export function SignInForm({ known, onIn }: { known: Partial<Wish>; onIn(own: Own): void }) {
  const [asked, setAsked] = useState<{ signIn: SignIn; member: string }>();
  const [said, setSaid] = useState<Word>();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => parseAccountName(String(data.get(name)).trim());
    setBusy(true);
    setFailure('');
    setSaid(undefined);
    try {
      const [organisation, member] = [text('organisation'), text('member')];
      const identity = organisation === known.organisation ? known.identity : undefined;
      const wish = { organisation, member, identity };
      setAsked({
        signIn: await beginSignIn({ ...wish, ...stores, broker: location.origin, language }),
        member,
      });
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const over = async (outcome: SignInOutcome) => {
    setAsked(undefined);
    if (outcome.outcome === 'accepted') onIn(await takePlace(outcome.seat, outcome.keys));
    else setSaid(`signIn.is.${outcome.outcome}`);
  };
  if (asked !== undefined) {
    return (
      <Waiting
        {...asked}
        onOver={over}
        onFailure={(error) => {
          setAsked(undefined);
          setFailure(explain(error));
        }}
        onCancel={() => {
          // The member must not be asked any longer what nobody waits for.
          asked.signIn.cancel().catch(() => {});
          setAsked(undefined);
        }}
      />
    );
  }
  return (
    <section>
      <h2>{say('signIn.title')}</h2>
      <p>{say('signIn.lead')}</p>
      {said !== undefined && (
        <p role="alert" data-testid="sign-in">
          {say(said)}
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          {say('signIn.organisation')}
          <input name="organisation" required autocomplete="organization" defaultValue={known.organisation} />
        </label>
        <label>
          {say('signIn.member')}
          <input name="member" required autocomplete="username" defaultValue={known.member} />
        </label>
        <button type="submit" disabled={busy}>
          {say('signIn.button')}
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

interface WaitingProperties {
  readonly signIn: SignIn;
  readonly member: string;
  onOver(outcome: SignInOutcome): Promise<void>;
  onFailure(error: unknown): void;
  onCancel(): void;
}

function Waiting({ signIn, member, onOver, onFailure, onCancel }: WaitingProperties) {
  const [now, setNow] = useState(Date.now() / 1000);
  const heading = useArrival<HTMLHeadingElement>();
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    const stop = new AbortController();
    signIn
      .wait(stop.signal)
      .then(onOver)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) onFailure(error);
      });
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, []);
  return (
    <section>
      <h2 tabIndex={-1} ref={heading}>
        {say('signIn.title')}
      </h2>
      <p role="status" data-testid="sign-in">
        {say('signIn.waiting', { name: member })}
      </p>
      <p>{say('signIn.passcode')}</p>
      <p class="code" data-testid="sign-in-passcode">
        {signIn.passcode}
      </p>
      <QrCode text={signIn.passcode} label={say('signIn.qr')} />
      <p>{say('session.left', { time: clock(signIn.expiresAt - now) })}</p>
      <dl class="facts">
        <dt>{say('members.role')}</dt>
        <dd>{say(`members.role.${signIn.role}`)}</dd>
        <dt>{say('signIn.kid')}</dt>
        <dd data-testid="sign-in-key">{signIn.kid}</dd>
      </dl>
      <p class="quiet">{say('signIn.compare')}</p>
      <button type="button" class="plain" onClick={onCancel}>
        {say('signIn.cancel')}
      </button>
    </section>
  );
}
