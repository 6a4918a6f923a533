/**
 * Everything that was settled, searchable; each answer of this device with its receipt to keep or to share.
 * @module
 */
import type { PastRequest, Responder } from '@countersign/client';
import { useEffect, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { codeOf, explain } from './explain.ts';
import { OneLine, partsOf } from './question-text.tsx';
import { say, time } from './words.ts';

const PAGE = 50;
/** A search looks at no more than this. */
const MOST = 2000;

export function History({ responder }: { responder: Responder }) {
  const [rows, setRows] = useState<readonly PastRequest[]>([]);
  const [more, setMore] = useState(true);
  const [busy, setBusy] = useState(false);
  const [wanted, setWanted] = useState('');
  const [failure, setFailure] = useState('');
  const load = async () => {
    setBusy(true);
    try {
      const before = rows.at(-1)?.cursor;
      const read = await responder.history({ max: PAGE, ...(before === undefined ? {} : { before }) });
      setRows([...rows, ...read]);
      setMore(read.length === PAGE);
    } catch (error) {
      setFailure(explain(error));
      setMore(false);
    } finally {
      setBusy(false);
    }
  };
  // A search looks through all of it, page by page.
  useEffect(() => {
    if (!busy && more && (rows.length === 0 || (wanted !== '' && rows.length < MOST))) void load();
  }, [rows, wanted, busy]);
  const found = rows.filter((row) => matches(row, wanted));
  return (
    <main class="narrow">
      <h1>{say('nav.history')}</h1>
      <label>
        {say('history.search')}
        <input type="search" onInput={(event) => setWanted(event.currentTarget.value)} />
      </label>
      <p role="status">
        {busy
          ? say('moment')
          : found.length === 0
            ? say('history.none')
            : say('history.count', { n: found.length })}
      </p>
      <ul class="list">
        {found.map((row) => (
          <Row key={row.hash} responder={responder} row={row} />
        ))}
      </ul>
      {more && wanted === '' && (
        <button type="button" class="plain" disabled={busy} onClick={load}>
          {say('history.more')}
        </button>
      )}
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

function Row({ responder, row }: { responder: Responder; row: PastRequest }) {
  const { enquirer, question, decision, settledAt, id, hash } = row;
  const [text, setText] = useState<string>();
  const { busy, failure, press } = usePress((error) => explainUse(error, text !== undefined));
  const act = (use: (text: string, name: string) => unknown) => () =>
    press(async () => {
      const receipt = text ?? JSON.stringify(await responder.receipt(hash), null, 2);
      setText(receipt);
      await use(receipt, `countersign-${id.slice(0, 14)}`);
    });
  return (
    <li>
      <span>
        <strong>{enquirer}</strong> · <span class={`outcome ${decision ?? ''}`}>{outcomeOf(row)}</span>
        {question !== undefined && <br />}
        {question !== undefined && <OneLine texts={partsOf(question)} />}
        <br />
        <span class="quiet">
          {time(settledAt)} · <code>{id.slice(0, 14)}</code>
        </span>
      </span>
      {decision !== undefined && (
        <span class="row">
          <button
            type="button"
            class="plain"
            disabled={busy}
            onClick={act(keep)}
            aria-label={`${say('history.keep')}: ${id}`}
          >
            {say('history.keep')}
          </button>
          {'canShare' in navigator && (
            <button
              type="button"
              class="plain"
              disabled={busy}
              onClick={act(share)}
              aria-label={`${say('history.share')}: ${id}`}
            >
              {say('history.share')}
            </button>
          )}
        </span>
      )}
      {failure !== '' && <p role="alert">{failure}</p>}
    </li>
  );
}

function outcomeOf({ state, decision }: PastRequest): string {
  if (decision !== undefined) return say(`decision.${decision}`);
  return say(state === 'answered' ? 'history.elsewhere' : `state.${state}`);
}

function matches(row: PastRequest, wanted: string): boolean {
  const { enquirer, question, id } = row;
  const fields = question?.fields ?? [];
  const text = [
    enquirer,
    id,
    outcomeOf(row),
    time(row.settledAt),
    ...(question === undefined ? [] : partsOf(question)),
    ...fields.flatMap(({ name, value }) => [name, value]),
  ].join(' ');
  const words = wanted.toLocaleLowerCase().split(/\s+/);
  return words.every((word) => text.toLocaleLowerCase().includes(word));
}

function keep(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** As a file where the system takes one, else as text. It is a file of text, since browsers share no JSON. */
async function share(text: string, title: string): Promise<void> {
  const files = { title, files: [new File([text], `${title}.txt`, { type: 'text/plain' })] };
  await navigator.share(navigator.canShare(files) ? files : { title, text });
}

/** A browser shares by a fresh press alone, and reading the receipt may take longer than one stays fresh. */
function explainUse(error: unknown, read: boolean): string {
  const code = codeOf(error);
  // The person chose nobody to share it with.
  if (code === 'AbortError') return '';
  return code === 'NotAllowedError' && !read ? say('history.shareAgain') : explain(error);
}
