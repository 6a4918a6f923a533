/**
 * Pictures of the history: sessions a day, how they ended, and how long people took. Each is a table as well, for
 * whoever does not see pictures.
 * @module
 */
import type { WireAskedCounts } from '@countersign/client';
import type { SessionRecordRow } from '@countersign/core';
import { language } from '../kit/words.ts';
import { say, type Word } from './words.ts';

const DAYS = 14;
const DAY = 86_400;
const WIDTH = 320;
const HEIGHT = 120;
const LABEL = 16;
/** Upper ends of the classes of time, in seconds; the last takes the rest. */
const CLASSES = [15, 30, 60, 120, 300, 900] as const;

export interface Bar {
  readonly label: string;
  readonly count: number;
}

export function Charts({ records, now }: { records: readonly SessionRecordRow[]; now: number }) {
  return (
    <div class="charts">
      <Chart title={say('console.chart.days')} bars={sessionsPerDay(records, now)} />
      <Chart title={say('console.chart.outcomes')} bars={byOutcome(records)} />
      <Chart title={say('console.chart.times')} bars={timesToAnswer(records)} />
    </div>
  );
}

/**
 * What became of all that the organisation asked, by its services, its devices and the browsers of its members, as the
 * broker knows it.
 */
export function AskedCharts({ counts }: { counts: WireAskedCounts }) {
  return (
    <div class="charts">
      <Chart
        title={say('console.chart.asked')}
        bars={counts.outcomes.map(({ outcome, count }) => ({
          label: say(`console.chart.asked.${outcome}` satisfies Word),
          count,
        }))}
      />
      <Chart title={say('console.chart.answers')} bars={timesOfAnswers(counts)} />
    </div>
  );
}

export function timesOfAnswers({ times }: Pick<WireAskedCounts, 'times'>): Bar[] {
  const within = (from: number, to: number) =>
    times.reduce((sum, { seconds, count }) => (seconds >= from && seconds < to ? sum + count : sum), 0);
  const longest = CLASSES.at(-1)!;
  return [
    ...CLASSES.map((end, i) => ({
      label: say('console.chart.below', { n: end }),
      count: within(CLASSES[i - 1] ?? Number.NEGATIVE_INFINITY, end),
    })),
    { label: say('console.chart.from', { n: longest }), count: within(longest, Number.POSITIVE_INFINITY) },
  ];
}

/** Of the last days, the oldest first; days as the person's clock has them. */
export function sessionsPerDay(records: readonly SessionRecordRow[], now: number): Bar[] {
  const dayOf = (seconds: number) =>
    new Date(seconds * 1000).toLocaleDateString(language, { day: 'numeric', month: 'numeric' });
  const counts = new Map<string, number>();
  for (let i = DAYS - 1; i >= 0; i--) counts.set(dayOf(now - i * DAY), 0);
  for (const { created } of records) {
    const day = dayOf(created.at);
    const known = counts.get(day);
    if (known !== undefined && created.at > now - DAYS * DAY) counts.set(day, known + 1);
  }
  return [...counts].map(([label, count]) => ({ label, count }));
}

export function byOutcome(records: readonly SessionRecordRow[]): Bar[] {
  const counts = Map.groupBy(records, ({ ended }) => ended?.outcome ?? 'open');
  return [...counts].map(([outcome, of]) => ({
    label: say(`console.outcome.${outcome}` as Word),
    count: of.length,
  }));
}

/** From the start of a session until its passcode was seen. */
export function timesToAnswer(records: readonly SessionRecordRow[]): Bar[] {
  const times = records.flatMap(({ created, ended }) =>
    typeof ended?.seen_at === 'number' ? [ended.seen_at - created.at] : [],
  );
  return CLASSES.map((end, i) => ({
    label: say('console.chart.below', { n: end }),
    count: times.filter((time) => time < end && time >= (CLASSES[i - 1] ?? 0)).length,
  }));
}

function Chart({ title, bars }: { title: string; bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const step = WIDTH / Math.max(1, bars.length);
  const top = HEIGHT - 2 * LABEL;
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {bars.map(({ label, count }, i) => {
          const height = (count / most) * top;
          const middle = (i + 0.5) * step;
          // Of many labels every third has room.
          const named = bars.length <= 8 || i % 3 === 1;
          return (
            <g key={label}>
              <rect x={i * step + 2} y={LABEL + top - height} width={step - 4} height={Math.max(height, 1)} />
              {count > 0 && (
                <text x={middle} y={LABEL + top - height - 3}>
                  {count}
                </text>
              )}
              {named && (
                <text x={middle} y={HEIGHT - 4}>
                  {label}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <table class="hidden">
        <caption>{title}</caption>
        <tbody>
          {bars.map(({ label, count }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
