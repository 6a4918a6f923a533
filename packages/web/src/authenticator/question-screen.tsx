/**
 * A question, filling the screen: who asks, what for, how long is left; and the two answers.
 * @module
 */
import type { PendingRequest, Responder } from '@countersign/client';
import { type Decided, provenDomains } from '@countersign/core';
import { Fragment } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Asker, readAsker } from './asker.ts';
import { useCountdown } from './countdown.ts';
import { explain } from './explain.ts';
import { useGuard } from './guard.ts';
import { Lazy } from './lazy.tsx';
import { mustVerify } from './own.ts';
import { labelsOf, OneLine, QuestionText } from './question-text.tsx';
import { useAllSeen } from './seen.ts';
import { clock, say, time } from './words.ts';

interface Properties {
  readonly responder: Responder;
  readonly request: PendingRequest;
  /** Whether the broker answers: without it, nothing is signed. */
  readonly up: boolean;
  /** How many wait behind this one. */
  readonly behind: number;
  onAnswered(decision: Decided['decision']): void;
  /** An answer failed on its way: it may have been signed. */
  onFailed(): void;
  onLater(): void;
}

/** Nothing of a question is shown before all that will stand on its screen is known: nothing moves under a finger. */
export function QuestionScreen(properties: Properties) {
  const [asker, setAsker] = useState<Asker>();
  const { responder, request } = properties;
  useEffect(() => {
    readAsker(responder, request.enquirer, true).then(setAsker, () => {});
  }, []);
  if (asker === undefined) return <p role="status">{say('moment')}</p>;
  return <Shown {...properties} asker={asker} />;
}

/** Six digits, and what people type between them. */
const MOST_TYPED = 12;

type Choice = 'accept' | 'reject' | 'fraud';

function Shown({
  responder,
  request,
  asker,
  up,
  behind,
  onAnswered,
  onFailed,
  onLater,
}: Properties & { asker: Asker }) {
  const { question, expiresAt, signed } = request;
  const left = useCountdown(expiresAt);
  const ready = useGuard();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const [scanning, setScanning] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const choices = useRef<HTMLFormElement>(null);
  const allSeen = useAllSeen(end, choices);
  const why = useId();
  // What a card says is its owner's own word: it stands below.
  const title = asker.petname ?? asker.name;
  useEffect(() => {
    document.title = say('question.asks', { name: title });
    heading.current?.focus();
  }, []);

  const blocked = !up ? say('offline.lead') : left <= 0 ? say('question.over') : '';
  const answer = async (decision: Choice) => {
    if (busy || blocked !== '' || !ready()) return;
    if (decision === 'accept' && !allSeen) {
      end.current?.scrollIntoView({ block: 'end' });
      return;
    }
    const passcode = field.current?.value ?? '';
    if (decision === 'accept' && question.passcode !== undefined && !signed && passcode.trim() === '') {
      field.current?.focus();
      return;
    }
    setBusy(true);
    setFailure('');
    try {
      const userVerified = decision === 'accept' && !signed && (await verified(responder, request));
      onAnswered(
        await responder.answer(request, {
          decision,
          shown: 'screen',
          userVerified,
          ...(decision === 'accept' && question.passcode !== undefined ? { passcode } : {}),
        }),
      );
    } catch (error) {
      setFailure(explain(error));
      setBusy(false);
      onFailed();
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void answer('accept');
  };
  const choice = (decision: 'accept' | 'reject') => {
    const theirs = labelsOf(question, decision);
    const closed = busy || blocked !== '' || (decision === 'accept' && !allSeen);
    return (
      <button
        type={decision === 'accept' ? 'submit' : 'button'}
        class={`choice ${decision}`}
        aria-disabled={closed}
        aria-describedby={why}
        onClick={decision === 'accept' ? undefined : () => answer(decision)}
      >
        {say(`question.${decision}`)}
        {theirs.length > 0 && (
          <small>
            <OneLine texts={theirs} />
          </small>
        )}
      </button>
    );
  };

  return (
    <main class="question">
      <header>
        <h1 ref={heading} tabIndex={-1}>
          {say('question.asks', { name: title })}
        </h1>
        {title !== asker.name && <p class="account">{asker.name}</p>}
        {provenDomains(asker.domains).map(({ domain, at }) => (
          <Fragment key={domain}>
            <p class="verified">{say('question.verified', { domain })}</p>
            <p class="quiet by-the-way">{say('question.looked', { time: time(at) })}</p>
          </Fragment>
        ))}
        {asker.card !== undefined && (
          <p class="quiet by-the-way itself">
            {asker.picture !== undefined && (
              <img src={`data:image/png;base64,${asker.picture}`} width="40" height="40" alt="" />
            )}
            <span>
              <OneLine
                texts={[
                  say('question.card', { name: asker.card.name, country: asker.card.country }),
                  asker.card.description,
                ]}
              />
            </span>
          </p>
        )}
        {request.enquirer.binding === 'first-use' && <p class="warning">{say('question.firstUse')}</p>}
      </header>
      <QuestionText question={question} />
      <p class="meta">
        <span class="kind">{say(`question.kind.${question.kind}`)}</span>{' '}
        <span role="timer">{say('left', { time: clock(left) })}</span>
        {behind > 0 && <span> · {say('question.behind', { n: behind })}</span>}
      </p>
      <div ref={end} class="end" />
      {signed !== undefined ? (
        <form class="choices" ref={choices}>
          {failure !== '' && <p role="alert">{failure}</p>}
          <p role="status">{say('question.signed', { decision: say(`decision.${signed}`) })}</p>
          <button
            type="button"
            class="choice"
            aria-disabled={busy || blocked !== ''}
            onClick={() => answer(signed === 'passcode-failed' ? 'accept' : signed)}
          >
            {say('question.sendAgain')}
          </button>
        </form>
      ) : (
        <form class="choices" ref={choices} onSubmit={submit}>
          {question.passcode !== undefined && (
            <label>
              {say('question.passcode')}
              <input
                ref={field}
                class="digits"
                inputMode="numeric"
                autocomplete="one-time-code"
                maxLength={MOST_TYPED}
                aria-describedby={why}
              />
            </label>
          )}
          {question.passcode !== undefined &&
            (scanning ? (
              <Lazy
                load={() => import('./scan.tsx')}
                pick="Scan"
                begun
                label={say('question.scan')}
                onText={(text: string) => {
                  field.current!.value = text.trim().slice(0, MOST_TYPED);
                }}
              />
            ) : (
              <button type="button" class="link" onClick={() => setScanning(true)}>
                {say('question.scan')}
              </button>
            ))}
          {failure !== '' && <p role="alert">{failure}</p>}
          <p id={why} class="why" role="status">
            {blocked !== '' ? blocked : busy ? say('moment') : allSeen ? '' : say('question.readOn')}
          </p>
          {choice('reject')}
          {choice('accept')}
          <button
            type="button"
            class="link fraud"
            aria-disabled={busy || blocked !== ''}
            onClick={() => answer('fraud')}
          >
            {say('question.fraud')}
          </button>
        </form>
      )}
      <footer class="quiet">
        <dl class="facts">
          <div>
            <dt>{say('account')}</dt>
            <dd>{asker.name}</dd>
          </div>
          <div>
            <dt>{say('fingerprint')}</dt>
            <dd>
              <code>{asker.fingerprint}</code>
            </dd>
          </div>
          <div>
            <dt>{say('question.asked')}</dt>
            <dd>{time(request.askedAt)}</dd>
          </div>
          <div>
            <dt>{say('question.id')}</dt>
            <dd>
              <code>{request.id}</code>
            </dd>
          </div>
        </dl>
        <button type="button" class="link" onClick={onLater}>
          {say('later')}
        </button>
      </footer>
    </main>
  );
}

/** Asks for the device's lock where the question, or the person, wants that. */
async function verified({ session }: Responder, { question, hash }: PendingRequest): Promise<boolean> {
  if (!question.uv && !(await mustVerify())) return false;
  const { verifyPresence } = await import('./presence.ts');
  await verifyPresence(session, hash);
  return true;
}
