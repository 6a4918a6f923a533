/**
 * The erase statement without paper: sealed for the person's other devices, each of which can then send it.
 * @module
 */
import type { ValidatorBook } from '@countersign/client/m-auth';
import type { ValidatorRecord } from '@countersign/core/m-auth';
import { useEffect, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { explain, say } from './words.ts';

/** Keeps what is new among these pairs. @returns how many were */
export type KeepErasures = (records: readonly ValidatorRecord[]) => Promise<number>;

/** Nothing, where there is no account here, or none with other devices; where that can't be known, as if. */
export type ErasureKeeper = () => Promise<KeepErasures | undefined>;

export function useErasureKeeper(keeper: ErasureKeeper | undefined): KeepErasures | undefined {
  const [found, setFound] = useState<{ readonly keep: KeepErasures }>();
  useEffect(() => {
    keeper?.().then(
      (keep) => setFound(keep && { keep }),
      () => {},
    );
  }, []);
  return found?.keep;
}

export function KeepForDevices({ keep, book }: { keep: KeepErasures; book: ValidatorBook }) {
  const [done, setDone] = useState(false);
  const { busy, failure, press } = usePress(explain);
  return (
    <div class="stack">
      <p>{say('keep.lead')}</p>
      <button
        type="button"
        class="plain"
        disabled={busy || done}
        onClick={() =>
          press(async () => {
            await keep((await book.list()).map(({ record }) => record));
            setDone(true);
          })
        }
      >
        {say('keep')}
      </button>
      <p role="status">{done ? say('keep.done') : busy ? say('moment') : ''}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </div>
  );
}
