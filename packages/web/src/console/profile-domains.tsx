/**
 * How the organisation proves its domains, and what the broker found there.
 * @module
 */
import type { Device, WireDomain } from '@countersign/client';
import { DOMAIN_FILE, DOMAIN_RECORD, formatAccountLink } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { Scroll } from './scroll.tsx';
import { say, time, type Word } from './words.ts';

interface Properties {
  readonly device: Device;
  readonly domains: readonly string[];
  /** For who neither proves them nor has them looked at. */
  readonly readOnly?: boolean;
}

export function ProfileDomains({ device, domains, readOnly = false }: Properties) {
  const { api, keys } = device.session;
  const [rows, setRows] = useState<readonly WireDomain[]>([]);
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const look = async (now: boolean) => {
    setBusy(true);
    try {
      setRows(await api.listDomains(keys.signer, keys.name, now));
      setFailure('');
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void look(false), []);
  return (
    <section>
      <h2>{say('console.domains')}</h2>
      {!readOnly && <HowToProve device={device} domains={domains} />}
      <Scroll label={say('console.domains')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say('console.domains.domain')}</th>
              <th scope="col">{say('console.domains.way')}</th>
              <th scope="col">{say('console.domains.found')}</th>
              <th scope="col">{say('console.domains.checked')}</th>
              <th scope="col">{say('console.domains.last')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ domain, by, outcome, checked_at, proven_at }) => (
              <tr key={`${domain} ${by}`} data-domain={`${domain} ${by}`} data-outcome={outcome ?? 'none'}>
                <td>{domain}</td>
                <td>{say(`console.domains.${by}` satisfies Word)}</td>
                <td class={outcome === 'proven' ? 'verified' : undefined}>
                  {say(`console.domains.is.${outcome ?? 'none'}` satisfies Word)}
                </td>
                <td>{checked_at === undefined ? say('console.never') : time(checked_at)}</td>
                <td>{proven_at === undefined ? say('console.never') : time(proven_at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!readOnly && (
        <p>
          <button type="button" class="plain" disabled={busy} onClick={() => look(true)}>
            {say('console.domains.look')}
          </button>
        </p>
      )}
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

function HowToProve({ device, domains }: Pick<Properties, 'device' | 'domains'>) {
  return (
    <>
      <p class="quiet">{say('console.domains.tip')}</p>
      <dl class="facts">
        <dt>{say('console.domains.name')}</dt>
        {domains.map((domain) => (
          <dd key={domain}>
            <code>{`${DOMAIN_RECORD}.${domain}`}</code>
          </dd>
        ))}
        <dt>{say('console.domains.file')}</dt>
        {domains.map((domain) => (
          <dd key={domain}>
            <code>{`https://${domain}${DOMAIN_FILE}`}</code>
          </dd>
        ))}
      </dl>
      <label>
        {say('console.domains.text')}
        <input
          readOnly
          value={formatAccountLink(device.session.keys)}
          data-testid="domain-text"
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
    </>
  );
}
