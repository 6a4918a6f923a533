/**
 * A sign-on at the host that the person has picked: the passcode, what it is about, their answer, and how it ended.
 * @module
 */
import { systemClock } from '@countersign/client';
import {
  type ContextAnswer,
  judge,
  type KnownInterface,
  reachByWebSocket,
  type ShownContext,
  type SignOnResult,
  signOn,
  type ValidatorBook,
} from '@countersign/client/m-auth';
import { makeVisible } from '@countersign/core';
import { isPairLink, readPasscode } from '@countersign/core/m-auth';
import { webNoise } from '@countersign/core/noise-web';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Scan } from '../authenticator/scan.tsx';
import { ContextScreen } from './context-screen.tsx';
import { explain, say } from './words.ts';

interface Properties {
  readonly book: ValidatorBook;
  readonly known: KnownInterface;
  onDone(said?: string): void;
}

type Stage =
  | { readonly at: 'passcode' }
  | { readonly at: 'under way'; readonly said: string }
  | { readonly at: 'asked'; readonly shown: ShownContext; answer(answer: ContextAnswer['answer']): void }
  | { readonly at: 'ended'; readonly result: SignOnResult; readonly rule: string };

export function SignOnScreen({ book, known, onDone }: Properties) {
  const [stage, setStage] = useState<Stage>({ at: 'passcode' });
  const [failure, setFailure] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = say('code.title', { name: known.label });
  }, []);

  const begin = async (text: string) => {
    const passcode = readPasscode(text);
    if (passcode === undefined) {
      setFailure(say(isPairLink(text) ? 'passcode.notPair' : 'code.bad'));
      return;
    }
    setFailure('');
    setStage({ at: 'under way', said: say('moment') });
    try {
      // As it is now: another tab may have signed on with it since it was listed.
      const { record, rules } = await book.find(known.label);
      const key = await book.keys.load(record.key);
      if (key === undefined) {
        setFailure(say('key.gone'));
        setStage({ at: 'passcode' });
        return;
      }
      let rule = '';
      const answer = (shown: ShownContext, signal: AbortSignal): Promise<ContextAnswer> => {
        const now = new Date();
        const at = { day: now.getDay(), minute: now.getHours() * 60 + now.getMinutes() };
        const judged = judge(rules, shown.message.context, at);
        if (judged.verdict !== 'ask') {
          rule = say('because' in judged ? `rule.${judged.because}` : 'rule.accept');
          setStage({ at: 'under way', said: rule });
          return Promise.resolve({ answer: judged.verdict, by: 'rule' });
        }
        const { promise, resolve, reject } = Promise.withResolvers<ContextAnswer>();
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        setStage({
          at: 'asked',
          shown,
          answer(answer) {
            setStage({ at: 'under way', said: say(answer === 'accept' ? 'answered' : 'moment') });
            resolve({ answer, by: 'person' });
          },
        });
        return promise;
      };
      const duplex = await reachByWebSocket(record.addresses);
      const result = await signOn(
        { crypto: webNoise, clock: systemClock, records: book, record, key, passcode, duplex },
        {
          answer,
          approval: (given, needed) =>
            setStage({ at: 'under way', said: say('approvals', { given, needed }) }),
        },
      );
      setStage({ at: 'ended', result, rule });
    } catch (error) {
      setFailure(explain(error));
      setStage({ at: 'passcode' });
    }
  };

  switch (stage.at) {
    case 'asked':
      return <ContextScreen shown={stage.shown} label={known.label} onAnswer={stage.answer} />;
    case 'ended':
      return <Ended {...stage} known={known} onDone={() => onDone()} />;
    case 'under way':
      return (
        <main class="narrow">
          <h1 dir="auto">{say('code.title', { name: makeVisible(known.label) })}</h1>
          <p role="status">{stage.said}</p>
        </main>
      );
    case 'passcode': {
      const submit = (event: SubmitEvent) => {
        event.preventDefault();
        void begin(field.current!.value);
      };
      return (
        <main class="narrow">
          <h1 dir="auto">{say('code.title', { name: makeVisible(known.label) })}</h1>
          <p>{say('code.lead')}</p>
          <Scan label={say('code.scan')} onText={(text) => void begin(text)} />
          <form onSubmit={submit}>
            <label>
              {say('code.label')}
              <input
                ref={field}
                class="digits"
                inputMode="numeric"
                autocomplete="one-time-code"
                maxLength={24}
                required
              />
            </label>
            <div class="row">
              <button type="submit">{say('code.button')}</button>
              <button type="button" class="link" onClick={() => onDone()}>
                {say('back')}
              </button>
            </div>
          </form>
          {failure !== '' && <p role="alert">{failure}</p>}
        </main>
      );
    }
  }
}

function Ended({
  result: { end, alarm },
  rule,
  known,
  onDone,
}: {
  readonly result: SignOnResult;
  readonly rule: string;
  readonly known: KnownInterface;
  onDone(): void;
}) {
  const { account, host } = known.record;
  const text = () => {
    switch (end.outcome) {
      case 'granted':
        return say('end.granted', { account, host });
      case 'refused':
        return say(end.reason === 'withdrawn' ? 'end.withdrawn-there' : `end.${end.reason}`);
      case 'answered':
        return rule === '' ? say(`end.${end.answer}`) : rule;
      default:
        return say(`end.${end.outcome}`);
    }
  };
  const good = end.outcome === 'granted';
  return (
    <main class="narrow">
      <h1 dir="auto">{makeVisible(known.label)}</h1>
      <p role={good ? 'status' : 'alert'} data-outcome={end.outcome} data-alarm={alarm}>
        {good ? <strong>{makeVisible(text())}</strong> : text()}
      </p>
      {good && rule !== '' && <p>{rule}</p>}
      {end.outcome === 'granted' && end.secret !== undefined && (
        <p>
          {makeVisible(say('end.secret', { name: end.secret.name }))}{' '}
          <code>{makeVisible(end.secret.value)}</code>
        </p>
      )}
      <button type="button" onClick={onDone}>
        {say('back')}
      </button>
    </main>
  );
}
