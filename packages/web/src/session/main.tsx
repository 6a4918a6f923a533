/**
 * The page that a session's link opens: for somebody with nothing but the link.
 * @module
 */
import type { Card } from '@countersign/core/mutual-session';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ValueInput } from '../kit/value-input.tsx';
import { clock, say } from '../kit/words.ts';
import { OpenedSession } from './exchange.ts';
import { readSessionLink } from './link.ts';
import { openLink, readCard } from './server.ts';

const link = readSessionLink(location);

type Stage =
  | { readonly at: 'closed' | 'opening' | 'invalid' }
  | { readonly at: 'filling' | 'checking'; readonly session: OpenedSession }
  | { readonly at: 'mismatch'; readonly session: OpenedSession }
  | { readonly at: 'matched'; readonly passcode: string };

function App() {
  const [card, setCard] = useState<Card>();
  const [stage, setStage] = useState<Stage>({ at: 'closed' });
  const [here, setHere] = useState(true);
  useEffect(() => {
    readCard(link.name).then(setCard, () => {});
  }, []);
  const name = card?.name ?? link.name;

  const check = async (session: OpenedSession, values: readonly string[]) => {
    setStage({ at: 'checking', session });
    try {
      const matched = await session.try(values, setHere);
      if (matched === undefined) {
        setStage({ at: 'mismatch', session });
        return;
      }
      setStage({ at: 'matched', passcode: matched.passcode });
      // Only once it stands on the screen.
      await new Promise(requestAnimationFrame);
      await matched.seen();
    } catch {
      setStage({ at: 'invalid' });
    }
  };
  const open = async () => {
    setStage({ at: 'opening' });
    try {
      const key = crypto
        .getRandomValues(new Uint8Array(32))
        .toBase64({ alphabet: 'base64url', omitPadding: true });
      const session = new OpenedSession(await openLink(link.token, key), key);
      if (link.prefill !== undefined && session.payload.fields.length === 1) {
        await check(session, [link.prefill]);
      } else setStage({ at: 'filling', session });
    } catch {
      setStage({ at: 'invalid' });
    }
  };

  return (
    <main class="narrow">
      <Organisation card={card} name={name} />
      <Now stage={stage} name={name} here={here} onOpen={open} onFill={check} onAgain={setStage} />
    </main>
  );
}

function Organisation({ card, name }: { card: Card | undefined; name: string }) {
  return (
    <header class="card">
      <p class="quiet">{link.name}</p>
      <h1>{name}</h1>
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

interface NowProperties {
  readonly stage: Stage;
  readonly name: string;
  readonly here: boolean;
  onOpen(): void;
  onFill(session: OpenedSession, values: readonly string[]): void;
  onAgain(stage: Stage): void;
}

function Now({ stage, name, here, onOpen, onFill, onAgain }: NowProperties) {
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
      return <p role="status">{say('moment')}</p>;
    case 'filling':
      return <Fields session={stage.session} name={name} onFill={onFill} />;
    case 'checking':
      return (
        <section>
          <p role="status">{say(here ? 'session.checking' : 'session.away', { name })}</p>
          <Left until={stage.session.opened.expires_at} />
        </section>
      );
    case 'matched':
      return (
        <section>
          <h2>{say('session.match.title')}</h2>
          <p class="code" data-testid="passcode">
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

/** Wrong, expired, opened before, unknown: one look. */
function Invalid({ children }: { children: preact.ComponentChildren }) {
  return (
    <section>
      <h2>{say('session.invalid.title')}</h2>
      <p role="alert">{say('session.invalid.lead')}</p>
      {children}
    </section>
  );
}

function Fields({
  session,
  name,
  onFill,
}: {
  session: OpenedSession;
  name: string;
  onFill: NowProperties['onFill'];
}) {
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
      <p>{say('session.fill.lead', { name })}</p>
      {subject !== undefined && <p class="quiet">{subject}</p>}
      {fields.map((field, i) => (
        <ValueInput
          key={field.name}
          label={field.name}
          name={`field-${i}`}
          type={field.type}
          defaultValue={i === 0 ? (link.prefill ?? '') : ''}
        />
      ))}
      <button type="submit">{say('session.fill.button')}</button>
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
  return <p class="quiet">{say('session.left', { time: clock(left) })}</p>;
}

render(<App />, document.getElementById('app')!);
