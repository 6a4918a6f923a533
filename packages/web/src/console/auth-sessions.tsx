/**
 * *Auth sessions*: from a template or from scratch, with what is expected, for so long.
 * @module
 */
import type { Device } from '@countersign/client';
import { SESSION_LIFE } from '@countersign/core';
import { MAX_SESSION_FIELDS, type SessionField } from '@countersign/core/session-terms';
import { useEffect, useState } from 'preact/hooks';
import { ValueInput } from '../kit/value-input.tsx';
import { say, type Word } from '../kit/words.ts';
import { AgentSession, type SessionWish } from './agent-session.ts';
import { explain } from './own.ts';
import { SessionDialog } from './session-dialog.tsx';
import { saveTemplate, type Template, templates } from './templates.ts';

const SCRATCH = -1;
const TYPES = ['text', 'number', 'date'] as const;

export function AuthSessions({ device, onChange }: { device: Device; onChange(): void }) {
  const { state } = device.session;
  const [known, setKnown] = useState<readonly Template[]>([]);
  const [chosen, setChosen] = useState(0);
  const [count, setCount] = useState(1);
  const [session, setSession] = useState<AgentSession>();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const look = () => void templates(state).then(setKnown, (error: unknown) => setFailure(explain(error)));
  useEffect(look, []);

  const start = async (wish: SessionWish) => {
    setBusy(true);
    setFailure('');
    try {
      session?.leave();
      setSession(await AgentSession.start(device, wish, location.origin));
      onChange();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const template = chosen === SCRATCH ? undefined : known[chosen];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const fields =
      template?.fields ??
      Array.from({ length: count }, (_, i) => ({
        name: text(`name-${i}`),
        type: text(`type-${i}`) as SessionField['type'],
      }));
    let used = template;
    if (template === undefined && data.get('save') === 'on') {
      used = await saveTemplate(state, fields);
      look();
    }
    await start({
      fields,
      values: fields.map((_, i) => text(`value-${i}`)),
      lifetime: Number(data.get('duration')),
      ...(text('subject') === '' ? {} : { subject: text('subject') }),
      ...(used === undefined ? {} : { template: { name: used.name, version: used.version } }),
    });
  };

  return (
    <section>
      <h2>{say('console.sessions')}</h2>
      <form onSubmit={submit}>
        <label>
          {say('console.template')}
          <br />
          <select value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
            <optgroup label={say('console.fromTemplate')}>
              {known.map(({ name, version }, i) => (
                <option key={`${name} ${version}`} value={i}>
                  {name}
                </option>
              ))}
            </optgroup>
            <option value={SCRATCH}>{say('console.fromScratch')}</option>
          </select>
        </label>
        {template === undefined ? (
          <Scratch count={count} onMore={() => setCount((n) => Math.min(n + 1, MAX_SESSION_FIELDS))} />
        ) : (
          template.fields.map((field, i) => (
            <ValueInput
              key={field.name}
              label={`${say('console.expected')}: ${field.name}`}
              name={`value-${i}`}
              type={field.type}
            />
          ))
        )}
        <p class="quiet">{say('console.expected.tip')}</p>
        <label>
          {say('console.subject')}
          <input name="subject" autocomplete="off" aria-describedby="subject-tip" />
        </label>
        <p class="quiet" id="subject-tip">
          {say('console.subject.tip')}
        </p>
        <label>
          {say('console.duration')}
          <input
            name="duration"
            type="number"
            min={SESSION_LIFE.least}
            max={SESSION_LIFE.most}
            defaultValue={String(SESSION_LIFE.usual)}
            required
            aria-describedby="duration-tip"
          />
        </label>
        <p class="quiet" id="duration-tip">
          {say('console.duration.tip')}
        </p>
        {template === undefined && (
          <label class="check">
            <input type="checkbox" name="save" /> {say('console.saveTemplate')}
          </label>
        )}
        <button type="submit" disabled={busy}>
          {say('console.start')}
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
      {session !== undefined && (
        <SessionDialog
          key={session.payload.sid}
          session={session}
          onRecreate={() => start(session.wish)}
          onChange={onChange}
          onClose={() => {
            session.leave();
            setSession(undefined);
          }}
        />
      )}
    </section>
  );
}

function Scratch({ count, onMore }: { count: number; onMore(): void }) {
  const [types, setTypes] = useState<readonly SessionField['type'][]>(['text', 'text', 'text']);
  return (
    <>
      {Array.from({ length: count }, (_, i) => (
        <fieldset key={i}>
          <label>
            {say('console.field.type')}
            <br />
            <select
              name={`type-${i}`}
              onChange={(event) => setTypes(types.with(i, event.currentTarget.value as SessionField['type']))}
            >
              {TYPES.map((type) => (
                <option key={type} value={type}>
                  {say(`console.type.${type}` satisfies Word)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {say('console.field.name')}
            <input name={`name-${i}`} required maxLength={64} autocomplete="off" />
          </label>
          <ValueInput label={say('console.expected')} name={`value-${i}`} type={types[i]!} />
        </fieldset>
      ))}
      <p class="quiet">{say('console.field.name.tip')}</p>
      {count < MAX_SESSION_FIELDS && (
        <button type="button" class="plain" onClick={onMore}>
          {say('console.field.add')}
        </button>
      )}
    </>
  );
}
