/**
 * Whose signatures are waited for, and how far each of them is.
 * @module
 */
import type { Signature } from './progress.ts';

const WORDS: Readonly<Record<Signature['state'], string>> = {
  waiting: 'not asked yet',
  pending: 'asked: confirm on your device',
  signed: 'signed',
  rejected: 'rejected on the device',
  refused: 'refused',
  expired: 'nobody answered in time',
};

export function Signatures({ signatures }: { signatures: readonly Signature[] }) {
  return (
    <ol class="signatures" aria-live="polite">
      {signatures.map(({ who, url, state, reason }) => (
        <li key={`${who} ${url}`} data-state={state}>
          <strong>{who}</strong>
          {url !== undefined && <span class="quiet"> at {url}</span>}
          <br />
          <span class="state">
            {WORDS[state]}
            {reason !== undefined && state === 'refused' && ` (${reason})`}
          </span>
        </li>
      ))}
    </ol>
  );
}
