/**
 * The page that a session's link opens: for somebody with nothing but the link.
 * @module
 */
import { encodeBase64url } from '@countersign/core/base64url';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useArrival } from '../kit/arrival.ts';
import { OrganisationCard } from '../kit/organisation-card.tsx';
import { ValueInput } from '../kit/value-input.tsx';
import { clock, say, type Word } from '../kit/words.ts';
import type { Matched, OpenedSession } from './exchange.ts';
import { readSessionLink } from './link.ts';
import { InvalidLink, openLink, readCard, readPicture, type ShownCard, watchServer } from './server.ts';

const link = readSessionLink(location);

type Stage =
  | { readonly at: 'closed' | 'opening' | 'unable' | 'invalid' }
  | { readonly at: 'filling'; readonly session: OpenedSession; readonly wrong?: number }
  | { readonly at: 'checking' | 'mismatch'; readonly session: OpenedSession }
  | { readonly at: 'matched'; readonly passcode: string };

function App() {
  const [shown, setShown] = useState<ShownCard>({ domains: [] });
  const [picture, setPicture] = useState<string>();
  const [stage, setStage] = useState<Stage>({ at: 'closed' });
  const [here, setHere] = useState(true);
  const [answers, setAnswers] = useState(true);
  useEffect(() => {
    watchServer(setAnswers);
    const read = async () => {
      const found = await readCard(link.name);
      setShown(found);
      setPicture(await readPicture(found.card));
    };
    read().catch(() => {});
  }, []);
  const name = shown.card?.name ?? link.name;

  const check = async (session: OpenedSession, values: readonly string[]) => {
    const wrong = session.wrongField(values);
    if (wrong !== undefined) {
      setStage({ at: 'filling', session, wrong });
      return;
    }
    setStage({ at: 'checking', session });
    let matched: Matched | undefined;
    try {
      matched = await session.try(values, setHere);
    } catch (error) {
      // What the server has ended, or what may not be tried again; all else leaves the session to this page.
      if (error instanceof InvalidLink || !session.mayTry) {
        setStage({ at: 'invalid' });
        return;
      }
    }
    if (matched === undefined) {
      setStage({ at: 'mismatch', session });
      return;
    }
    setStage({ at: 'matched', passcode: matched.passcode });
    // Only once it stands on the screen; and where that can't be said, it stands there still.
    await new Promise(requestAnimationFrame);
    await matched.seen().catch(() => {});
  };
  const open = async () => {
    setStage({ at: 'opening' });
    const digest = link.digest === true;
    // The curve is three quarters of this page's code: it comes once somebody wants to open the link, and not before.
    const exchange = await import('./exchange.ts')
      .then(async (found) => {
        await found.prepare(digest);
        return found;
      })
      .catch(() => undefined);
    if (exchange === undefined) {
      setStage({ at: 'unable' });
      return;
    }
    try {
      const tries = await exchange.triesOf(link.token);
      if (!tries.left) throw new InvalidLink('tried too often');
      const key = encodeBase64url(crypto.getRandomValues(new Uint8Array(32)));
      const session = new exchange.OpenedSession(await openLink(link.token, key), key, digest, tries);
      if (link.prefill !== undefined && session.payload.fields.length === 1) {
        await check(session, [link.prefill]);
      } else setStage({ at: 'filling', session });
    } catch {
      setStage({ at: 'invalid' });
    }
  };

  return (
    <main class="narrow">
      <OrganisationCard account={link.name} card={shown.card} domains={shown.domains} picture={picture} />
      <p class="quiet">
        <a href={`/o/${encodeURIComponent(link.name)}`} target="_blank" rel="noreferrer">
          {say('card.more')}
        </a>
      </p>
      {!answers && stage.at !== 'closed' && <p role="status">{say('session.offline')}</p>}
      <Now
        stage={stage}
        name={name}
        here={here}
        onOpen={open}
        onFill={check}
        onAgain={setStage}
        onHere={setHere}
      />
    </main>
  );
}

interface NowProperties {
  readonly stage: Stage;
  readonly name: string;
  readonly here: boolean;
  onOpen(): void;
  onFill(session: OpenedSession, values: readonly string[]): void;
  onAgain(stage: Stage): void;
  onHere(here: boolean): void;
}

function Now({ stage, name, here, onOpen, onFill, onAgain, onHere }: NowProperties) {
  switch (stage.at) {
    case 'closed':
      return (
        <section>
          <h2>{say('session.title', { name })}</h2>
          <p>{say('session.open.lead', { name })}</p>
          <button type="button" onClick={onOpen}>
            {say('session.open.button')}
          </button>
        </section>
      );
    case 'opening':
      return <Moment>{say('moment')}</Moment>;
    case 'filling':
      return (
        <Fields
          session={stage.session}
          wrong={stage.wrong}
          name={name}
          here={here}
          onHere={onHere}
          onOver={() => onAgain({ at: 'invalid' })}
          onFill={onFill}
        />
      );
    case 'checking':
      return (
        <section>
          <Moment>{say(here ? 'session.checking' : 'session.away', { name })}</Moment>
          <Left until={stage.session.opened.expires_at} />
        </section>
      );
    case 'matched':
      return (
        <section>
          <Title>{say('session.match.title')}</Title>
          <p class="code" role="status" data-testid="passcode">
            {stage.passcode}
          </p>
          <p>{say('session.match.lead')}</p>
        </section>
      );
    case 'mismatch':
      return (
        <Invalid>
          <button type="button" onClick={() => onAgain({ at: 'filling', session: stage.session })}>
            {say('session.again')}
          </button>
        </Invalid>
      );
    case 'unable':
      return (
        <section>
          <p role="alert">{say('session.unable')}</p>
          <button type="button" onClick={() => location.reload()}>
            {say('session.again')}
          </button>
        </section>
      );
    case 'invalid':
      return (
        <Invalid>
          <button type="button" onClick={onOpen}>
            {say('session.again')}
          </button>
        </Invalid>
      );
  }
}

function Title({ children }: { children: preact.ComponentChildren }) {
  return (
    <h2 tabIndex={-1} ref={useArrival<HTMLHeadingElement>()}>
      {children}
    </h2>
  );
}

/** What passes by itself. */
function Moment({ children }: { children: preact.ComponentChildren }) {
  return (
    <p role="status" tabIndex={-1} ref={useArrival<HTMLParagraphElement>()}>
      {children}
    </p>
  );
}

/** Wrong, expired, opened before, unknown: one look. */
function Invalid({ children }: { children: preact.ComponentChildren }) {
  return (
    <section>
      <Title>{say('session.invalid.title')}</Title>
      <p role="alert">{say('session.invalid.lead')}</p>
      {children}
    </section>
  );
}

interface FieldsProperties {
  readonly session: OpenedSession;
  /** Number of the field whose value is not of its type. */
  readonly wrong: number | undefined;
  readonly name: string;
  readonly here: boolean;
  readonly onHere: NowProperties['onHere'];
  readonly onOver: () => void;
  readonly onFill: NowProperties['onFill'];
}

function Fields({ session, wrong, name, here, onHere, onOver, onFill }: FieldsProperties) {
  useEffect(() => session.watch(onHere, onOver), [session]);
  const { fields, subject } = session.payload;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    onFill(
      session,
      fields.map((_, i) => String(data.get(`field-${i}`))),
    );
  };
  return (
    <form onSubmit={submit}>
      <p tabIndex={-1} ref={useArrival<HTMLParagraphElement>()}>
        {say(link.digest ? 'session.digest.lead' : 'session.fill.lead', { name })}
      </p>
      {subject !== undefined && <p class="quiet">{subject}</p>}
      {fields.map((field, i) => (
        <ValueInput
          key={field.name}
          label={field.name}
          name={`field-${i}`}
          type={field.type}
          defaultValue={i === 0 ? (link.prefill ?? '') : ''}
          {...(i === wrong ? { wrong: say(`session.value.${field.type}` satisfies Word) } : {})}
        />
      ))}
      <button type="submit">{say('session.fill.button')}</button>
      {!here && <p role="status">{say('session.away')}</p>}
      <Left until={session.opened.expires_at} />
    </form>
  );
}

function Left({ until }: { until: number }) {
  const leftNow = () => until - Date.now() / 1000;
  const [left, setLeft] = useState(leftNow);
  useEffect(() => {
    const timer = setInterval(() => setLeft(leftNow()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p class="quiet" role="timer">
      {say('session.left', { time: clock(left) })}
    </p>
  );
}

document.title = say('session.page');
render(<App />, document.getElementById('app')!);
