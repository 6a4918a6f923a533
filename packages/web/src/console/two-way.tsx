/**
 * Where the customer has an account, a session is a signed confirmation instead: their device shows who calls, why,
 * and in which direction; their answer is signed, and both sides have a receipt.
 * @module
 */
import { type Asked, type Device, Enquirer, type Outcome } from '@countersign/client';
import {
  CALL_DIRECTIONS,
  type CallDirection,
  checkDisplayLine,
  MAX_TEXT_BYTES,
  type Receipt,
  type Seat,
  statementId,
  twoWayQuestion,
} from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { clock, language, say, time, type Word } from '../kit/words.ts';
import { download } from './download.ts';
import { explain } from './explain.ts';
import { useModal } from './modal.ts';

/** Where the tab keeps what stands, over a reload. */
const PLACE = 'two-way';

/** In seconds: a broker takes no shorter one from a member's browser. */
export const SHORTEST_TWO_WAY = 60;

export interface TwoWayWish {
  readonly account: string;
  /** Of a device of the organisation, which says it itself; a member has their own name. */
  readonly agent: string;
  readonly reason: string;
  readonly direction: CallDirection;
  /** In seconds. */
  readonly lifetime: number;
}

interface Kept {
  readonly asked: Asked;
  readonly seat?: string;
}

/** Asks the customer's account, by a device of the organisation or by a seat. @throws as `Enquirer.ask` */
export async function startTwoWay(
  { session }: Device,
  seat: Seat | undefined,
  wish: TwoWayWish,
): Promise<TwoWay> {
  const { api, keys } = session;
  const enquirer = new Enquirer(session, seat);
  const { account, reason, direction, lifetime } = wish;
  const agent = seat?.member.name ?? wish.agent;
  // The customer's device takes no more of a member, and nobody would learn that.
  if (seat !== undefined) checkDisplayLine(reason, MAX_TEXT_BYTES);
  const words = twoWayQuestion(language, { organisation: keys.name, agent, reason, direction });
  const question = { text: words.parts, fields: words.fields };
  const asked = await enquirer.ask({ account, kind: 'approval', lifetime, ...question });
  try {
    await api.noteTwoWay(keys.signer, keys.name, asked.hash);
  } catch (error) {
    // What is not in the history is not asked either.
    await enquirer.cancel(asked.hash).catch(() => {});
    throw error;
  }
  const kept: Kept = { asked, ...(seat === undefined ? {} : { seat: seat.hash }) };
  sessionStorage.setItem(PLACE, JSON.stringify(kept));
  return { enquirer, asked };
}

/** What this tab asked before a reload, if it is still kept, and was asked by whoever is here now. */
export async function resumeTwoWay({ session }: Device, seat: Seat | undefined): Promise<TwoWay | undefined> {
  const text = sessionStorage.getItem(PLACE);
  if (text === null) return undefined;
  const { asked, seat: by } = JSON.parse(text) as Kept;
  const enquirer = new Enquirer(session, seat);
  const known = await enquirer.asked();
  if (by === seat?.hash && known.some(({ hash }) => hash === asked.hash)) return { enquirer, asked };
  sessionStorage.removeItem(PLACE);
  return undefined;
}

/** Tells the history how it ended. What was answered is said by whoever verified it: the server can't read it. */
async function endTwoWay({ session }: Enquirer, hash: string, found: Outcome): Promise<void> {
  const { api, keys } = session;
  const answer = 'answer' in found && found.outcome !== 'passcode-failed' ? found.outcome : undefined;
  if (found.outcome !== 'pending') await api.endTwoWay(keys.signer, keys.name, hash, answer);
}

/** Ends in the history what was answered while nobody looked. @param hashes of questions that stand there */
export async function endTwoWaysBefore(
  device: Device,
  seat: Seat | undefined,
  hashes: readonly string[],
): Promise<void> {
  const enquirer = new Enquirer(device.session, seat);
  const own = new Set((await enquirer.asked()).map(({ hash }) => hash));
  for (const hash of hashes) if (own.has(hash)) await endTwoWay(enquirer, hash, await enquirer.status(hash));
}

export interface TwoWay {
  readonly enquirer: Enquirer;
  readonly asked: Asked;
}

/** What is asked of the agent, in the place of fields and values. @param seat of a member, who has a name already */
export function TwoWayFields({ seat }: { seat: Seat | undefined }) {
  return (
    <>
      {seat === undefined ? (
        <label>
          {say('console.twoWay.agent')}
          <input name="agent" required maxLength={200} autocomplete="name" />
        </label>
      ) : (
        <>
          <dl class="facts">
            <dt>{say('console.twoWay.agent')}</dt>
            <dd data-testid="two-way-agent">{seat.member.name}</dd>
          </dl>
          <p class="quiet">{say('console.twoWay.agent.tip')}</p>
        </>
      )}
      <label>
        {say('console.twoWay.reason')}
        <input name="reason" required maxLength={500} autocomplete="off" aria-describedby="reason-tip" />
      </label>
      <p class="quiet" id="reason-tip">
        {say('console.twoWay.reason.tip')}
      </p>
      <fieldset>
        <legend>{say('console.twoWay.direction')}</legend>
        {CALL_DIRECTIONS.map((direction) => (
          <label class="check" key={direction}>
            <input
              type="radio"
              name="direction"
              value={direction}
              required
              defaultChecked={direction === 'out'}
            />{' '}
            {say(`console.twoWay.${direction}` satisfies Word)}
          </label>
        ))}
      </fieldset>
    </>
  );
}

interface DialogProperties {
  readonly twoWay: TwoWay;
  /** The history has changed. */
  onChange(): void;
  onClose(): void;
}

export function TwoWayDialog({ twoWay, onChange, onClose }: DialogProperties) {
  const { enquirer, asked } = twoWay;
  const dialog = useModal();
  const [outcome, setOutcome] = useState<Outcome>();
  const [receipt, setReceipt] = useState<Receipt>();
  const [fingerprint, setFingerprint] = useState('');
  const [failure, setFailure] = useState('');
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    const stop = new AbortController();
    const follow = async () => {
      setFingerprint(await statementId(enquirer.session.crypto, asked.account.identity));
      const found = await enquirer.wait(asked.hash, stop.signal);
      setOutcome(found);
      if ('answer' in found) setReceipt(await enquirer.receipt(asked.hash));
      await endTwoWay(enquirer, asked.hash, found);
      onChange();
    };
    follow().catch((error: unknown) => {
      if (!stop.signal.aborted) setFailure(explain(error));
    });
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, []);
  const close = () => {
    sessionStorage.removeItem(PLACE);
    // Nobody waits for the answer any more.
    if (outcome === undefined) {
      const cancel = async () => {
        await enquirer.cancel(asked.hash);
        await endTwoWay(enquirer, asked.hash, await enquirer.status(asked.hash));
      };
      // Where that fails, it ends by its time.
      cancel().then(onChange, () => {});
    }
    onClose();
  };
  return (
    <dialog ref={dialog} aria-labelledby="two-way-title" onCancel={(event) => event.preventDefault()}>
      <h2 id="two-way-title">{say('console.twoWay')}</h2>
      <p role="status" data-testid="two-way">
        {outcome === undefined
          ? say('console.twoWay.waiting', { name: asked.account.name })
          : say(`console.twoWay.is.${outcome.outcome}` as Word, { name: asked.account.name })}
      </p>
      {outcome === undefined && <p>{say('session.left', { time: clock(asked.expiresAt - now) })}</p>}
      <dl class="facts">
        <dt>{say('session.fingerprint')}</dt>
        <dd>{fingerprint}</dd>
        {outcome !== undefined && 'answer' in outcome && (
          <>
            <dt>{say('console.twoWay.answered')}</dt>
            <dd>
              {time(outcome.answer.answeredAt)}, {outcome.answer.device.name}
            </dd>
          </>
        )}
      </dl>
      {asked.binding === 'first-use' && <p class="quiet">{say('console.twoWay.firstUse')}</p>}
      <div class="row">
        <button
          type="button"
          disabled={receipt === undefined}
          onClick={() => download('receipt.json', 'application/json', JSON.stringify(receipt))}
        >
          {say('console.twoWay.receipt')}
        </button>
        <button type="button" class="plain" onClick={close}>
          {say('console.close')}
        </button>
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
    </dialog>
  );
}
