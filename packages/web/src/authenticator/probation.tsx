/**
 * A device that came in by the recovery code, and waits until it counts.
 * @module
 */
import { completeRecovery } from '@countersign/client';
import { useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { stores } from './own.ts';
import { say } from './words.ts';

export function Probation() {
  const [failure, setFailure] = useState('');
  const complete = async () => {
    setFailure('');
    try {
      await completeRecovery(stores);
      location.reload();
    } catch (error) {
      setFailure(explain(error));
    }
  };
  return (
    <>
      <button type="button" onClick={complete}>
        {say('recover.complete')}
      </button>
      {failure !== '' && <p role="alert">{failure}</p>}
    </>
  );
}
