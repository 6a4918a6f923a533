/**
 * The history of sessions: metadata, and never a value. It is shown a part at a time, looked through as a whole, and
 * exported.
 * @module
 */
import type { Device } from '@countersign/client';
import { formatCsv, roleMay, SESSION_COLUMNS, type Seat } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { Charts } from './charts.tsx';
import { download } from './download.ts';
import { explain } from './explain.ts';
import { type LoadedHistory, loadHistory, type Row, STEP } from './history-rows.ts';
import { Scroll } from './scroll.tsx';
import { say, type Word } from './words.ts';

const OUTCOMES = [
  'open',
  'authenticated',
  'expired',
  'deleted',
  'too-many-tries',
  'accepted',
  'rejected',
  'fraud',
  'refused',
  'cancelled',
  'answered',
] as const;

interface Properties {
  readonly device: Device;
  /** Of a member who signed in; an agent sees what is theirs. */
  readonly seat: Seat | undefined;
  readonly changes: number;
}

export function History({ device, seat, changes }: Properties) {
  const [loaded, setLoaded] = useState<LoadedHistory>({
    history: undefined,
    records: [],
    rows: [],
    more: false,
  });
  const [words, setWords] = useState('');
  const [outcome, setOutcome] = useState('');
  const [count, setCount] = useState(STEP);
  const [failure, setFailure] = useState('');
  const [ended, setEnded] = useState(0);
  const { history, records, rows } = loaded;
  // What is looked for may be older than what is shown.
  const wanted = words === '' && outcome === '' ? count : Number.POSITIVE_INFINITY;
  useEffect(() => {
    let late = false;
    loadHistory(device, seat, wanted).then(
      (found) => {
        if (late) return;
        setLoaded(found);
        setFailure('');
      },
      (error: unknown) => {
        if (!late) setFailure(explain(error));
      },
    );
    return () => {
      late = true;
    };
  }, [changes, ended, wanted]);
  const mayEnd = seat === undefined || roleMay(seat.role, 'sessions');
  const end = async (sid: string) => {
    const { api, keys } = device.session;
    try {
      await api.changeSession(keys.signer, keys.name, sid, 'delete');
    } catch (error) {
      setFailure(explain(error));
    }
    setEnded((n) => n + 1);
  };
  const matching = (all: readonly Row[]) =>
    all.filter(
      (row) =>
        (outcome === '' || row.outcome === outcome) &&
        row.cells.some((cell) => cell.toLowerCase().includes(words.toLowerCase())),
    );
  const matched = matching(rows);
  const shown = matched.slice(0, count);
  const older = matched.length > count || loaded.more;
  const exportTable = async () => {
    try {
      const all = loaded.more ? (await loadHistory(device, seat, Number.POSITIVE_INFINITY)).rows : rows;
      const table = [names, ...matching(all).map(({ cells }) => cells)];
      download('sessions.csv', 'text/csv', formatCsv(table));
    } catch (error) {
      setFailure(explain(error));
    }
  };
  const names = SESSION_COLUMNS.map((column) => say(`console.column.${column}` satisfies Word));
  return (
    <section>
      <h2>{say('console.history')}</h2>
      {failure !== '' && <p role="alert">{failure}</p>}
      {records.length > 0 && <Charts records={records} now={device.session.clock.now()} />}
      <div class="row">
        <label>
          {say('console.history.find')}
          <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </label>
        <label>
          {say('console.column.outcome')}
          <br />
          <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)}>
            <option value="">{say('console.history.all')}</option>
            {OUTCOMES.map((one) => (
              <option key={one} value={one}>
                {say(`console.outcome.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="plain" disabled={rows.length === 0} onClick={exportTable}>
          {say('console.history.csv')}
        </button>
        {history !== undefined && (
          <button
            type="button"
            class="plain"
            disabled={rows.length === 0}
            onClick={() =>
              download(
                'sessions.jsonl',
                'application/jsonl',
                history.texts.map((line) => `${line}\n`).join(''),
              )
            }
          >
            {say('console.history.lines')}
          </button>
        )}
      </div>
      <Scroll label={say('console.history')}>
        <table>
          <thead>
            <tr>
              {names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ sid, cells, stands }) => (
              <tr key={sid}>
                {cells.map((cell, i) => (
                  <td key={SESSION_COLUMNS[i]}>
                    {cell}
                    {SESSION_COLUMNS[i] === 'outcome' && stands && mayEnd && (
                      <>
                        {' '}
                        <button type="button" class="danger" onClick={() => end(sid)}>
                          {say('console.history.end')}
                        </button>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {older && (
        <div class="row">
          <button type="button" class="plain" onClick={() => setCount((n) => n + STEP)}>
            {say('console.history.more')}
          </button>
        </div>
      )}
      {loaded.more && <p class="quiet">{say('console.history.newest', { n: records.length })}</p>}
      {history?.head !== undefined && (
        <p class="quiet">
          {say('console.history.head', { n: history.head.seq })} <code>{history.head.hash}</code>
        </p>
      )}
    </section>
  );
}
