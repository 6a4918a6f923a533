/**
 * *Organisation signatures*: a text or a link is signed, and whoever has the signature's link can check it.
 * @module
 */
import { type Device, signText } from '@countersign/client';
import {
  formatTextSignatureLink,
  type Seat,
  TEXT_SIGNATURE_LIFE,
  type TextSignature,
  type TextSignatureLink,
} from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { say, time } from '../kit/words.ts';
import { payloadOf } from '../session/server.ts';
import { explain } from './explain.ts';
import { Scroll } from './scroll.tsx';

const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 } as const;
type Unit = keyof typeof UNITS;

interface Made {
  readonly link: TextSignatureLink;
  readonly text: string;
}

export function Signatures({ device, seat }: { device: Device; seat: Seat | undefined }) {
  const { api, keys } = device.session;
  const [forGood, setForGood] = useState(true);
  const [made, setMade] = useState<Made>();
  const [list, setList] = useState<readonly { cursor: number; signature: TextSignature }[]>([]);
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const look = () =>
    api.listTextSignatures(keys.signer, keys.name).then(
      (rows) =>
        setList(
          rows.map(({ cursor, signature }) => ({ cursor, signature: payloadOf<TextSignature>(signature) })),
        ),
      (error: unknown) => setFailure(explain(error)),
    );
  useEffect(() => void look(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = String(data.get('text'));
    const seconds = Number(data.get('time')) * UNITS[String(data.get('unit')) as Unit];
    setBusy(true);
    setFailure('');
    try {
      const link = await signText(device.session, {
        text,
        seat: seat?.hash,
        ...(forGood ? {} : { lifetime: seconds }),
      });
      setMade({ link, text });
      await look();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h2>{say('console.signatures')}</h2>
      <form onSubmit={submit}>
        <label>
          {say('console.signatures.text')}
          <textarea name="text" rows={4} required aria-describedby="signed-tip" />
        </label>
        <p class="quiet" id="signed-tip">
          {say('console.signatures.text.tip')}
        </p>
        <label class="check">
          <input
            type="checkbox"
            checked={forGood}
            onChange={(event) => setForGood(event.currentTarget.checked)}
          />{' '}
          {say('console.signatures.good')}
        </label>
        {!forGood && <Lifetime />}
        <button type="submit" disabled={busy}>
          {say('console.signatures.sign')}
        </button>
      </form>
      {failure !== '' && <p role="alert">{failure}</p>}
      {made !== undefined && <MadeLink key={made.link.hash} {...made} />}
      {list.length > 0 && (
        <Scroll label={say('console.signatures')}>
          <table>
            <caption class="hidden">{say('console.signatures')}</caption>
            <thead>
              <tr>
                <th scope="col">{say('signature.signed')}</th>
                <th scope="col">{say('signature.until')}</th>
              </tr>
            </thead>
            <tbody>
              {list.map(({ cursor, signature: { iat, exp } }) => (
                <tr key={cursor}>
                  <td>{time(iat)}</td>
                  <td>{exp === undefined ? say('signature.good') : time(exp)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function Lifetime() {
  const [unit, setUnit] = useState<Unit>('days');
  const { least, most } = TEXT_SIGNATURE_LIFE;
  return (
    <div class="row">
      <label>
        {say('console.signatures.time')}
        <input
          name="time"
          type="number"
          required
          min={Math.ceil(least / UNITS[unit])}
          max={Math.floor(most / UNITS[unit])}
          defaultValue="30"
        />
      </label>
      <label>
        {say('console.signatures.unit')}
        <br />
        <select name="unit" value={unit} onChange={(event) => setUnit(event.currentTarget.value as Unit)}>
          {(Object.keys(UNITS) as Unit[]).map((one) => (
            <option key={one} value={one}>
              {say(`console.unit.${one}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function MadeLink({ link, text }: Made) {
  const [prefill, setPrefill] = useState(false);
  const address = formatTextSignatureLink({ ...link, origin: location.origin, ...(prefill ? { text } : {}) });
  return (
    <div class="card">
      <label>
        {say('console.signatures.link')}
        <input
          readOnly
          value={address}
          data-testid="signature-link"
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={prefill}
          onChange={(event) => setPrefill(event.currentTarget.checked)}
        />{' '}
        {say('console.signatures.prefill')}
      </label>
      <p class="quiet">{say('console.signatures.prefill.tip')}</p>
    </div>
  );
}
