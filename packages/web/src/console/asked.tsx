/**
 * What was asked in the organisation's name, and what became of it: rejections and reports of fraud stand out.
 * @module
 */
import { type AskedRequest, type Device, readAsked, type WireAskedCounts } from '@countersign/client';
import { useEffect, useState } from 'preact/hooks';
import { AskedCharts } from './charts.tsx';
import { explain } from './explain.ts';
import { Scroll } from './scroll.tsx';
import { say, time, type Word } from './words.ts';

const FILTERS = ['all', 'rejected', 'fraud'] as const;
type Filter = (typeof FILTERS)[number];

interface Properties {
  readonly device: Device;
  /** Of a member who signed in: answers are sealed to the organisation's devices, and a seat reads none. */
  readonly sealed?: boolean;
  nameOf(kid: string): string;
}

export function Asked({ device, sealed = false, nameOf }: Properties) {
  const [requests, setRequests] = useState<readonly AskedRequest[]>([]);
  const [filter, setFilter] = useState<Filter>('all');
  const [next, setNext] = useState<number>();
  const [counts, setCounts] = useState<WireAskedCounts>();
  const [failure, setFailure] = useState('');
  const read = async (before?: number) => {
    const { session } = device;
    try {
      // Shown together: what comes later above the list would push it away from under a finger.
      const [page, counted] = await Promise.all([
        readAsked(session, before),
        before === undefined ? session.api.countAsked(session.keys.signer, session.keys.name) : counts,
      ]);
      setRequests((known) => (before === undefined ? page.requests : [...known, ...page.requests]));
      setNext(page.next);
      setCounts(counted);
      setFailure('');
    } catch (error) {
      setFailure(explain(error));
    }
  };
  useEffect(() => void read(), []);
  const shown = requests.filter((one) => filter === 'all' || outcomeOf(one) === filter);
  return (
    <section>
      <h3>{say('console.asked')}</h3>
      {counts !== undefined && counts.outcomes.length > 0 && (
        <>
          <AskedCharts counts={counts} />
          <p class="quiet">{say('console.chart.asked.tip', { n: counts.newest })}</p>
        </>
      )}
      <div class="row">
        <label>
          {say('console.asked.filter')}
          <br />
          <select
            name="asked-filter"
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value as Filter)}
          >
            {FILTERS.filter((one) => !sealed || one !== 'rejected').map((one) => (
              <option key={one} value={one}>
                {say(`console.asked.${one}` satisfies Word)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="plain" onClick={() => read()}>
          {say('console.asked.again')}
        </button>
      </div>
      {shown.length === 0 ? (
        <p>{say('console.asked.none')}</p>
      ) : (
        <Scroll label={say('console.asked')}>
          <table>
            <caption class="hidden">{say('console.asked')}</caption>
            <thead>
              <tr>
                <th scope="col">{say('console.asked.at')}</th>
                <th scope="col">{say('console.asked.by')}</th>
                <th scope="col">{say('console.asked.account')}</th>
                <th scope="col">{say('console.column.outcome')}</th>
                <th scope="col">{say('console.asked.id')}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.hash} data-outcome={outcomeOf(one)}>
                  <td>{time(one.postedAt)}</td>
                  <td>{nameOf(one.kid)}</td>
                  <td>{one.account}</td>
                  <td class={outcomeOf(one) === 'fraud' ? 'alarm' : undefined}>
                    {say(`console.asked.${outcomeOf(one)}` satisfies Word)}
                    {one.reportedAt !== undefined &&
                      ` (${say('console.asked.reported', { time: time(one.reportedAt) })})`}
                  </td>
                  <td>
                    <code>{one.id}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {next !== undefined && (
        <button type="button" class="plain" onClick={() => read(next)}>
          {say('console.asked.more')}
        </button>
      )}
      <p class="quiet">{say(sealed ? 'console.asked.tip.seat' : 'console.asked.tip')}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

/** A report counts, whatever else was answered. */
function outcomeOf({ state, decision, reportedAt }: AskedRequest) {
  if (reportedAt !== undefined) return 'fraud';
  if (state !== 'answered') return state;
  switch (decision) {
    case undefined:
      return 'answered';
    case 'accept':
      return 'accepted';
    case 'reject':
      return 'rejected';
    default:
      return decision;
  }
}
