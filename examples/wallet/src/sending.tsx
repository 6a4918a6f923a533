/**
 * A transaction under way: who signs and who has signed, then what the chain says. The page may be closed at any time;
 * opened again it goes on, and nobody is asked twice.
 * @module
 */
import { explain } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import type { Transaction } from '@countersign/graphene';
import { broadcast, gather, type Inclusion } from '@countersign/graphene/wallet';
import { useEffect, useState } from 'preact/hooks';
import { end, type Wallet } from './own.ts';
import { after, type Signature } from './progress.ts';
import { Signatures } from './signatures.tsx';

/** After these it may go better: nothing is decided. */
const PASSING: ReadonlySet<string> = new Set([
  'provider-unreachable',
  'chain-unreachable',
  'chain-disagrees',
  'broker-unreachable',
  'too-often',
  'too-many-pending',
]);

interface SendingProps {
  readonly wallet: Wallet;
  readonly transaction: Transaction;
  onDone(): void;
}

function heading(sent: Inclusion | undefined, failure: { passing: boolean } | undefined): string {
  if (sent !== undefined) return 'Done';
  return failure === undefined || failure.passing ? 'Gathering signatures' : 'Not sent';
}

export function Sending({ wallet, transaction, onDone }: SendingProps) {
  const [signatures, setSignatures] = useState<readonly Signature[]>([]);
  const [sent, setSent] = useState<Inclusion>();
  const [failure, setFailure] = useState<{ text: string; passing: boolean }>();
  const [tries, setTries] = useState(1);
  const [leaving, setLeaving] = useState(false);

  useEffect(() => {
    let gone = false;
    const work = async () => {
      const signed = await gather(transaction, {
        ...wallet,
        onStep: (step) => {
          if (!gone) setSignatures((before) => after(before, step));
        },
      });
      // Given up is not sent, even where all have signed meanwhile.
      if (gone) return;
      setLeaving(true);
      const included = await broadcast(wallet.client, signed);
      await end();
      setSent(included);
    };
    work().catch((error: unknown) => {
      const passing = error instanceof CountersignError && PASSING.has(error.code);
      if (gone) return;
      setLeaving(false);
      setFailure({ text: explain(error), passing });
    });
    return () => {
      gone = true;
    };
  }, [wallet, transaction, tries]);

  const again = () => {
    setFailure(undefined);
    setTries(tries + 1);
  };
  const giveUp = () => end().then(onDone);

  return (
    <section aria-labelledby="sending">
      <h2 id="sending">{heading(sent, failure)}</h2>
      <Signatures signatures={signatures} />
      {sent !== undefined && (
        <>
          <p role="status">
            {sent.block === 0
              ? 'The chain had executed it already.'
              : `Executed by the chain, in block ${sent.block}.`}
          </p>
          <p class="quiet id">{sent.id}</p>
          <button type="button" onClick={onDone}>
            Back to the wallet
          </button>
        </>
      )}
      {failure !== undefined && <p role="alert">{failure.text}</p>}
      {!leaving && (
        <div class="row">
          {failure?.passing && (
            <button type="button" onClick={again}>
              Try again
            </button>
          )}
          <button type="button" class="plain" onClick={() => void giveUp()}>
            Give it up
          </button>
        </div>
      )}
    </section>
  );
}
