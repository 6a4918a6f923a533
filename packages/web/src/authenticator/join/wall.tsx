/**
 * The wall: this browser waits until a device of the account lets it in.
 * @module
 */
import { completeEnrolment, type Enrolled, type WaitingDevice } from '@countersign/client';
import { CountersignError, statementId } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { explain } from '../explain.ts';
import { Facts } from '../facts.tsx';
import { stores } from '../own.ts';
import { QrCode } from '../qr-code.tsx';
import { say } from '../words.ts';

const POLL_SECONDS = 30;
const AGAIN_MS = 2000;

export function Wall({ waiting, onDone }: { waiting: WaitingDevice; onDone(): void }) {
  const { account, code, facts } = waiting;
  const [ended, setEnded] = useState('');
  const [line, setLine] = useState(true);
  const [fingerprint, setFingerprint] = useState('');
  useEffect(() => {
    const stop = new AbortController();
    statementId(stores.crypto, account.identity).then(setFingerprint, () => {});
    wait(stop.signal, setLine).then(
      (outcome) => {
        if (outcome === 'complete') onDone();
        else if (outcome !== 'waiting') setEnded(say(`wall.${outcome}`));
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setEnded(explain(error));
      },
    );
    return () => stop.abort();
  }, []);
  if (ended !== '') {
    return (
      <main class="narrow">
        <h1>{say('wall.title')}</h1>
        <p role="alert">{ended}</p>
        <button type="button" onClick={onDone}>
          {say('wall.again')}
        </button>
      </main>
    );
  }
  return (
    <main class="narrow">
      <h1>{say('wall.title')}</h1>
      <p>
        <strong>{account.name}</strong> <code class="quiet">{fingerprint}</code>
      </p>
      <p>{say(code === undefined ? 'wall.byPin' : 'wall.byCode')}</p>
      {code !== undefined && (
        <>
          <p class="code" data-testid="code">
            {code}
          </p>
          <QrCode text={code} label={say('wall.qr')} />
        </>
      )}
      <Facts facts={facts} />
      <p role="status">{say(line ? 'wall.waiting' : 'offline.wait')}</p>
    </main>
  );
}

/** @param onLine told whether the broker answers */
async function wait(signal: AbortSignal, onLine: (up: boolean) => void): Promise<Enrolled['outcome']> {
  for (;;) {
    try {
      const { outcome } = await completeEnrolment(stores, POLL_SECONDS, signal);
      onLine(true);
      if (outcome !== 'waiting' || signal.aborted) return outcome;
    } catch (error) {
      if (signal.aborted || !(error instanceof CountersignError) || error.code !== 'broker-unreachable') {
        throw error;
      }
      onLine(false);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
