/**
 * The wall: this browser waits until a device of the account lets it in.
 * @module
 */
import { completeEnrolment, type Enrolled, explain, type WaitingDevice } from '@countersign/client';
import { useEffect, useState } from 'preact/hooks';
import { Facts } from './facts.tsx';
import { stores } from './own.ts';
import { QR } from './qr.tsx';

const POLL_SECONDS = 30;

const SAID = {
  rejected: 'Your other device turned this one away.',
  expired: 'Nobody let this device in within ten minutes.',
} as const;

export function Wall({ waiting, onDone }: { waiting: WaitingDevice; onDone(): void }) {
  const [said, setSaid] = useState<string>('');
  useEffect(() => {
    const stop = new AbortController();
    wait(stop.signal).then(
      (outcome) => {
        if (outcome === 'complete') onDone();
        else if (outcome !== 'waiting') setSaid(SAID[outcome]);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setSaid(explain(error));
      },
    );
    return () => stop.abort();
  }, []);
  return (
    <main class="narrow">
      <h1>This device must be approved</h1>
      {said === '' ? (
        <>
          <p>
            Open the chat on a device of <strong>{waiting.account.name}</strong> that you already use. It
            shows what stands here. If it is the same, type this code there:
          </p>
          <div class="row code">
            <p data-testid="code">{waiting.code}</p>
            {waiting.code !== undefined && <QR text={waiting.code} label="The same code, as a QR code" />}
          </div>
          <Facts facts={waiting.facts} />
          <p role="status">Waiting for your other device…</p>
        </>
      ) : (
        <>
          <p role="alert">{said}</p>
          <button type="button" onClick={onDone}>
            Try again
          </button>
        </>
      )}
    </main>
  );
}

async function wait(signal: AbortSignal): Promise<Enrolled['outcome']> {
  for (;;) {
    const { outcome } = await completeEnrolment(stores, POLL_SECONDS, signal);
    if (outcome !== 'waiting' || signal.aborted) return outcome;
  }
}
