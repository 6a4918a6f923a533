/**
 * One host of the person's list: their rules for it, its erase statement, and the end of the pair.
 * @module
 */
import {
  type KnownInterface,
  parseRules,
  reachByWebSocket,
  type SignOnRules,
  sendErasure,
  type ValidatorBook,
} from '@countersign/client/m-auth';
import { decodeBase64url, makeVisible } from '@countersign/core';
import { formatEraseStatement } from '@countersign/core/m-auth';
import { webNoise } from '@countersign/core/noise-web';
import { useState } from 'preact/hooks';
import { SureButton } from '../kit/sure-button.tsx';
import { EraseStatement } from './erase-statement.tsx';
import { explain, language, say } from './words.ts';

interface Properties {
  readonly book: ValidatorBook;
  readonly known: KnownInterface;
  onDone(said?: string): void;
}

export function InterfaceScreen({ book, known, onDone }: Properties) {
  const { record, label } = known;
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    onDone(say((await endPair(book, known)) ? 'remove.told' : 'remove.untold'));
  };
  return (
    <main class="narrow">
      <h1 dir="auto">{makeVisible(label)}</h1>
      <p class="quiet">
        {say('facts.addresses')}{' '}
        {record.addresses.map((address) => (
          <code key={address}>{makeVisible(address)} </code>
        ))}
      </p>
      <Rules rules={known.rules} onKeep={(rules) => book.setRules(record.id, rules)} />
      <EraseStatement
        statement={async () => formatEraseStatement({ scope: 'pair', token: decodeBase64url(record.erase) })}
      />
      <section>
        <h2>{say('remove')}</h2>
        <p>{say('remove.lead')}</p>
        <SureButton
          kind="danger"
          label={say('remove')}
          sure={say('remove.sure')}
          disabled={busy}
          onSure={remove}
        />
      </section>
      <button type="button" class="plain" onClick={() => onDone()}>
        {say('back')}
      </button>
    </main>
  );
}

/** Whether the host has said that the pair is gone there. */
async function endPair(book: ValidatorBook, known: KnownInterface): Promise<boolean> {
  // The keys go first: whatever the network does, they are gone.
  await book.remove(known);
  try {
    return await sendErasure(webNoise, known.record, reachByWebSocket);
  } catch {
    return false;
  }
}

/** A Sunday, from which days have their names. */
const SUNDAY = Date.UTC(2023, 0, 1);
const DAY_MS = 86_400_000;
const DAYS = [1, 2, 3, 4, 5, 6, 0];
const dayName = (day: number) =>
  new Date(SUNDAY + day * DAY_MS).toLocaleDateString(language, { weekday: 'short', timeZone: 'UTC' });

function Rules({
  rules,
  onKeep,
}: {
  readonly rules: SignOnRules | undefined;
  onKeep(rules: SignOnRules | undefined): Promise<void>;
}) {
  const [said, setSaid] = useState('');
  const [failure, setFailure] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setSaid('');
    setFailure('');
    try {
      await onKeep(rulesOf(new FormData(event.currentTarget as HTMLFormElement)));
      setSaid(say('rules.kept'));
    } catch (error) {
      setFailure(explain(error));
    }
  };
  const { services, networks, hours, days, otherwise } = rules ?? {};
  return (
    <section>
      <h2>{say('rules.title')}</h2>
      <p>{say('rules.lead')}</p>
      <form onSubmit={submit}>
        <label>
          {say('rules.services')}
          <input
            name="services"
            defaultValue={services?.join(', ')}
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <label>
          {say('rules.networks')}
          <input
            name="networks"
            defaultValue={networks?.join(', ')}
            autocapitalize="none"
            spellcheck={false}
          />
        </label>
        <div class="row">
          <label>
            {say('rules.from')}
            <input name="from" type="time" defaultValue={clockText(hours?.from)} />
          </label>
          <label>
            {say('rules.to')}
            <input name="to" type="time" defaultValue={clockText(hours?.to)} />
          </label>
        </div>
        <fieldset>
          <legend>{say('rules.days')}</legend>
          <div class="row">
            {DAYS.map((day) => (
              <label class="check" key={day}>
                <input
                  type="checkbox"
                  name="days"
                  value={day}
                  defaultChecked={days?.includes(day) ?? false}
                />{' '}
                {dayName(day)}
              </label>
            ))}
          </div>
        </fieldset>
        <label>
          {say('rules.otherwise')}{' '}
          <select name="otherwise">
            {(['ask', 'accept'] as const).map((what) => (
              <option key={what} value={what} selected={what === otherwise}>
                {say(`rules.${what}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="plain">
          {say('rules.keep')}
        </button>
      </form>
      <p role="status">{said}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

/** What the form says; without any of it, the person is always asked. @throws `input-invalid` */
function rulesOf(data: FormData): SignOnRules | undefined {
  const list = (name: string) =>
    String(data.get(name) ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  const [services, networks, days] = [list('services'), list('networks'), data.getAll('days').map(Number)];
  const [from, to] = ['from', 'to'].map((name) => minuteOf(String(data.get(name) ?? '')));
  const otherwise = data.get('otherwise');
  const rules = {
    ...(services.length === 0 ? {} : { services }),
    ...(networks.length === 0 ? {} : { networks }),
    ...(from === undefined && to === undefined ? {} : { hours: { from: from ?? 0, to: to ?? DAY_MINUTES } }),
    ...(days.length === 0 ? {} : { days }),
    otherwise,
  };
  return Object.keys(rules).length === 1 && otherwise === 'ask' ? undefined : parseRules(rules);
}

const DAY_MINUTES = 24 * 60;

function minuteOf(text: string): number | undefined {
  const [hour, minute] = text.split(':').map(Number);
  return text === '' || minute === undefined ? undefined : hour! * 60 + minute;
}

function clockText(minute: number | undefined): string {
  if (minute === undefined || minute === DAY_MINUTES) return '';
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
