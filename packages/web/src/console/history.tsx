/**
 * The history of sessions: metadata, and never a value.
 * @module
 */
import type { Device, WireSession } from '@countersign/client';
import type { SessionPayload } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { say, time, type Word } from '../kit/words.ts';
import { payloadOf } from '../session/server.ts';
import { explain } from './own.ts';

const COLUMNS = [
  'created',
  'by',
  'template',
  'subject',
  'duration',
  'prefilled',
  'mode',
  'opened',
  'outcome',
  'ended',
] as const;

export function History({ device, changes }: { device: Device; changes: number }) {
  const [rows, setRows] = useState<readonly (readonly string[])[]>([]);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    const { api, keys } = device.session;
    const read = async () => {
      const [sessions, log] = await Promise.all([
        api.listSessions(keys.signer, keys.name),
        device.session.ownLog(),
      ]);
      const nameOf = (kid: string) => log.devices.get(kid)?.name ?? kid;
      setRows(sessions.map((session) => rowOf(session, nameOf)));
    };
    read().catch((error: unknown) => setFailure(explain(error)));
  }, [changes]);
  return (
    <section>
      <h2>{say('console.history')}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <th key={column} scope="col">
                  {say(`console.column.${column}` satisfies Word)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row[0]}>
                {row.slice(1).map((cell, i) => (
                  <td key={COLUMNS[i]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}

/** The session's id, then its columns. */
function rowOf(session: WireSession, nameOf: (kid: string) => string): readonly string[] {
  const { sid, created_at, opened_at, ended_at, outcome = 'open' } = session;
  const { iat, exp, template, subject, prefilled } = payloadOf<SessionPayload>(session.session);
  const { kid } = headerOf(session.session);
  return [
    sid,
    time(created_at),
    nameOf(kid),
    template === undefined ? '' : `${template.name} ${template.version}`,
    subject ?? '',
    say('console.seconds', { n: exp - iat }),
    say(prefilled ? 'console.yes' : 'console.no'),
    'CPace',
    opened_at === undefined ? '' : time(opened_at),
    say(`console.outcome.${outcome}` as Word),
    ended_at === undefined ? '' : time(ended_at),
  ];
}

function headerOf(jws: string): { kid: string } {
  const bytes = Uint8Array.fromBase64(jws.split('.')[0]!, { alphabet: 'base64url' });
  return JSON.parse(new TextDecoder().decode(bytes)) as { kid: string };
}
