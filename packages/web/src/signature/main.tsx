/**
 * The page that a signature's link opens: whoever has the text pastes it, and sees whether the organisation stands
 * by it. The text stays here.
 * @module
 */
import { checkSignedText, MemoryStateStore, type SignedText, systemClock } from '@countersign/client';
import {
  CountersignError,
  parseTextSignatureLink,
  statementId,
  type TextSignatureLink,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { say, time, type Word } from '../kit/words.ts';

interface Found extends SignedText {
  readonly fingerprint: string;
}

type Answer = { readonly found: Found } | { readonly failed: Word };

const link = readLink();

function App() {
  const [text, setText] = useState(link?.text ?? '');
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer>();
  if (link === undefined) {
    return (
      <main class="narrow">
        <h1>{say('signature.title')}</h1>
        <p role="alert">{say('signature.failed.link')}</p>
      </main>
    );
  }
  const check = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setAnswer(undefined);
    setAnswer(await judge(link, text));
    setBusy(false);
  };
  return (
    <main class="narrow">
      <header class="card">
        <p class="quiet">{say('signature.by')}</p>
        <h1>{link.name}</h1>
      </header>
      <form onSubmit={check}>
        <label>
          {say('signature.text')}
          <textarea
            rows={6}
            required
            spellcheck={false}
            autocomplete="off"
            aria-describedby="text-tip"
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              // What was found was found of another text.
              setAnswer(undefined);
            }}
          />
        </label>
        <p class="quiet" id="text-tip">
          {say('signature.text.tip')}
        </p>
        <button type="submit" disabled={busy}>
          {say('signature.check')}
        </button>
      </form>
      <div aria-live="polite">
        {busy && <p>{say('moment')}</p>}
        {answer !== undefined && <Verdict answer={answer} />}
      </div>
    </main>
  );
}

function Verdict({ answer }: { answer: Answer }) {
  if ('failed' in answer) {
    return (
      <section class="verdict unknown" data-verdict="unknown">
        <h2>{say('signature.unknown')}</h2>
        <p>{say(answer.failed)}</p>
      </section>
    );
  }
  const { verdict, signature, log, fingerprint } = answer.found;
  const { iat, exp } = signature;
  return (
    <section class={`verdict ${verdict}`} data-verdict={verdict}>
      <h2>{say(`signature.${verdict}` satisfies Word)}</h2>
      <p>{say(`signature.${verdict}.lead` satisfies Word, { name: log.name })}</p>
      <dl class="facts">
        <dt>{say('signature.signed')}</dt>
        <dd>{time(iat)}</dd>
        <dt>{say('signature.until')}</dt>
        <dd>{exp === undefined ? say('signature.good') : time(exp)}</dd>
        <dt>{say('session.fingerprint')}</dt>
        <dd>{fingerprint}</dd>
      </dl>
      <p class="quiet">{say('signature.fingerprint.tip', { name: log.name })}</p>
    </section>
  );
}

async function judge(from: TextSignatureLink, text: string): Promise<Answer> {
  try {
    const around = { crypto: webCrypto, clock: systemClock, state: new MemoryStateStore() };
    const found = await checkSignedText(around, { ...from, origin: location.origin }, text);
    return { found: { ...found, fingerprint: await statementId(webCrypto, found.log.identity) } };
  } catch (error) {
    const code = error instanceof CountersignError ? error.code : undefined;
    if (code === 'signature-unknown' || code === 'account-unknown')
      return { failed: 'signature.failed.gone' };
    if (code === 'broker-unreachable' || code === undefined) return { failed: 'signature.failed.offline' };
    return { failed: 'signature.failed.forged' };
  }
}

function readLink(): TextSignatureLink | undefined {
  try {
    return parseTextSignatureLink(location.href);
  } catch {
    return undefined;
  }
}

document.title = say('signature.title');
render(<App />, document.getElementById('app')!);
