/**
 * *Auth sessions*: from a template or from scratch, with what is expected, for so long.
 * @module
 */
import type { Device } from '@countersign/client';
import { SESSION_LIFE, type Seat } from '@countersign/core';
import { MAX_SESSION_FIELDS, type SessionField } from '@countersign/core/session-terms';
import { useEffect, useState } from 'preact/hooks';
import { ValueInput } from '../kit/value-input.tsx';
import { say, type Word } from '../kit/words.ts';
import { AgentSession, type SessionWish } from './agent-session.ts';
import { explain } from './explain.ts';
import { tabKeeper } from './kept-session.ts';
import { SessionDialog } from './session-dialog.tsx';
import { builtIn, removeTemplate, saveTemplate, type Template, templates } from './templates.ts';
import {
  resumeTwoWay,
  SHORTEST_TWO_WAY,
  startTwoWay,
  type TwoWay,
  TwoWayDialog,
  TwoWayFields,
} from './two-way.tsx';

const SCRATCH = -1;
const TYPES = ['text', 'number', 'date'] as const;

interface Properties {
  readonly device: Device;
  /** Of a member who signed in. */
  readonly seat: Seat | undefined;
  onChange(): void;
}

export function AuthSessions({ device, seat, onChange }: Properties) {
  const { state } = device.session;
  const [known, setKnown] = useState<readonly Template[]>(builtIn);
  const [chosen, setChosen] = useState(0);
  const [count, setCount] = useState(1);
  const [session, setSession] = useState<AgentSession>();
  const [customer, setCustomer] = useState('');
  const [twoWay, setTwoWay] = useState<TwoWay>();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const [saving, setSaving] = useState(false);
  const look = () => void templates(state).then(setKnown, (error: unknown) => setFailure(explain(error)));
  useEffect(() => {
    look();
    AgentSession.resume(device, tabKeeper).then(setSession, (error: unknown) => setFailure(explain(error)));
    resumeTwoWay(device, seat).then(setTwoWay, (error: unknown) => setFailure(explain(error)));
  }, []);

  /** Starts one in place of the one before, which ends: its link would still open. */
  const begin = async (wish: SessionWish) => {
    await session?.close();
    setSession(await AgentSession.start(device, wish, location.origin, tabKeeper));
    onChange();
  };
  const start = async (wish: SessionWish) => {
    setBusy(true);
    setFailure('');
    try {
      await begin(wish);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const ask = async (data: FormData) => {
    setBusy(true);
    setFailure('');
    const text = (name: string) => String(data.get(name)).trim();
    try {
      const direction = text('direction') === 'in' ? 'in' : 'out';
      const [agent, reason, lifetime] = [text('agent'), text('reason'), Number(data.get('duration'))];
      const wish = { account: customer.trim(), agent, reason, direction, lifetime } as const;
      setTwoWay(await startTwoWay(device, seat, wish));
      onChange();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  const remove = async ({ name }: Template) => {
    try {
      await removeTemplate(state, name);
      setChosen(0);
      look();
    } catch (error) {
      setFailure(explain(error));
    }
  };
  const template = chosen === SCRATCH ? undefined : known[chosen];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const data = new FormData(event.currentTarget as HTMLFormElement);
    if (customer.trim() !== '') {
      await ask(data);
      return;
    }
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const fields =
      template?.fields ??
      Array.from({ length: count }, (_, i) => ({
        name: text(`name-${i}`),
        type: text(`type-${i}`) as SessionField['type'],
      }));
    let used = template;
    if (template === undefined && data.get('save') === 'on') {
      used = await saveTemplate(state, text('template-name'), fields);
      look();
    }
    await start({
      fields,
      values: fields.map((_, i) => text(`value-${i}`)),
      lifetime: Number(data.get('duration')),
      prefilled: data.get('prefill') === 'on',
      ...(text('subject') === '' ? {} : { subject: text('subject') }),
      ...(used === undefined ? {} : { template: { name: used.name, version: used.version } }),
    });
  };

  return (
    <section>
      <h2>{say('console.sessions')}</h2>
      <form onSubmit={submit}>
        <label>
          {say('console.customer')}
          <input
            name="customer"
            autocomplete="off"
            aria-describedby="customer-tip"
            value={customer}
            onInput={(event) => setCustomer(event.currentTarget.value)}
          />
        </label>
        <p class="quiet" id="customer-tip">
          {say('console.customer.tip')}
        </p>
        {customer.trim() !== '' ? (
          <TwoWayFields seat={seat} />
        ) : (
          <>
            <label>
              {say('console.template')}
              <br />
              <select value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
                <optgroup label={say('console.fromTemplate')}>
                  {known.map(({ name, version, own }, i) => (
                    <option key={`${name} ${version}`} value={i}>
                      {own ? say('console.template.own', { name, version }) : name}
                    </option>
                  ))}
                </optgroup>
                <option value={SCRATCH}>{say('console.fromScratch')}</option>
              </select>
            </label>
            {template?.own && (
              <button type="button" class="plain" onClick={() => remove(template)}>
                {say('console.template.remove')}
              </button>
            )}
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
          </>
        )}
        <label>
          {say('console.duration')}
          <input
            name="duration"
            type="number"
            min={customer.trim() === '' ? SESSION_LIFE.least : SHORTEST_TWO_WAY}
            max={SESSION_LIFE.most}
            defaultValue={String(SESSION_LIFE.usual)}
            required
            aria-describedby="duration-tip"
          />
        </label>
        <p class="quiet" id="duration-tip">
          {say('console.duration.tip')}
        </p>
        {customer.trim() === '' && (
          <>
            <label class="check">
              <input type="checkbox" name="prefill" aria-describedby="prefill-tip" /> {say('console.prefill')}
            </label>
            <p class="quiet" id="prefill-tip">
              {say('console.prefill.tip')}
            </p>
          </>
        )}
        {template === undefined && customer.trim() === '' && (
          <>
            <label class="check">
              <input
                type="checkbox"
                name="save"
                checked={saving}
                onChange={(event) => setSaving(event.currentTarget.checked)}
              />{' '}
              {say('console.saveTemplate')}
            </label>
            {saving && (
              <>
                <label>
                  {say('console.template.name')}
                  <input
                    name="template-name"
                    required
                    maxLength={64}
                    autocomplete="off"
                    aria-describedby="template-tip"
                  />
                </label>
                <p class="quiet" id="template-tip">
                  {say('console.template.tip')}
                </p>
              </>
            )}
          </>
        )}
        <button type="submit" aria-disabled={busy}>
          {say('console.start')}
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
      {twoWay !== undefined && (
        <TwoWayDialog
          key={twoWay.asked.hash}
          twoWay={twoWay}
          onChange={onChange}
          onClose={() => setTwoWay(undefined)}
        />
      )}
      {session !== undefined && (
        <SessionDialog
          key={session.payload.sid}
          session={session}
          onRecreate={() => begin(session.wish)}
          onChange={onChange}
          onClose={() => setSession(undefined)}
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
