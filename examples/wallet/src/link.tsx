/**
 * A link that the page was opened by: who asks for what, yes or no, and then the way back.
 * @module
 */
import { explain } from '@countersign/client';
import { useEffect, useState } from 'preact/hooks';
import { type Asked, type Done, readLink } from './asked.ts';
import { Operations } from './operations.tsx';
import type { Wallet } from './own.ts';
import { after, type Signature } from './progress.ts';
import { Signatures } from './signatures.tsx';

interface LinkProps {
  readonly wallet: Wallet;
  readonly account: string;
  readonly link: string;
  onDone(): void;
}

export function Link({ wallet, account, link, onDone }: LinkProps) {
  const [asked, setAsked] = useState<Asked>();
  const [busy, setBusy] = useState(false);
  const [signatures, setSignatures] = useState<readonly Signature[]>([]);
  const [done, setDone] = useState<Done>();
  const [failure, setFailure] = useState('');

  const fail = (error: unknown) => {
    setBusy(false);
    setFailure(explain(error));
  };
  useEffect(() => {
    readLink(wallet, account, link).then(setAsked, fail);
  }, [wallet, account, link]);

  const finish = (work: Promise<Done>) => {
    setBusy(true);
    setFailure('');
    work.then(setDone, fail);
  };
  const leave = (
    <button type="button" class="plain" onClick={onDone}>
      To the wallet
    </button>
  );
  if (done !== undefined) {
    return (
      <section>
        <Signatures signatures={signatures} />
        <p role="status">{done.text}</p>
        <div class="row">
          {done.address !== undefined && (
            <a class="button" href={done.address} rel="noreferrer">
              Back to {new URL(done.address).host}
            </a>
          )}
          {leave}
        </div>
      </section>
    );
  }
  return (
    <section aria-labelledby="asked">
      {asked === undefined && failure === '' && <p role="status">One moment…</p>}
      {asked !== undefined && (
        <>
          <h2 id="asked">{asked.title}</h2>
          <Operations operations={asked.operations} />
          {asked.notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          {asked.host !== undefined && <p class="quiet">The answer goes to {asked.host}.</p>}
          <Signatures signatures={signatures} />
          {!busy && (
            <div class="row">
              <button
                type="button"
                onClick={() => finish(asked.accept((step) => setSignatures((before) => after(before, step))))}
              >
                {asked.yes}
              </button>
              {asked.refuse !== undefined && (
                <button type="button" class="plain" onClick={() => finish(asked.refuse!())}>
                  Refuse
                </button>
              )}
            </div>
          )}
        </>
      )}
      {failure !== '' && (
        <>
          <p role="alert">{failure}</p>
          {leave}
        </>
      )}
    </section>
  );
}
