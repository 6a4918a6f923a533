/**
 * *Members*: who may sign in, and as what. A browser that is a device of the organisation changes it; others read.
 * @module
 */
import { type Device, Members as MemberChanges, readMembers } from '@countersign/client';
import {
  type Member,
  type MemberList,
  type MemberPayload,
  NO_MEMBERS,
  parseAccountName,
  statementId,
} from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { explain } from './explain.ts';
import { Scroll } from './scroll.tsx';
import { formatSignInLink } from './sign-in.tsx';
import { say, time } from './words.ts';

const ROLES = ['agent', 'auditor', 'owner'] as const;

interface Row extends Member {
  readonly fingerprint: string;
}

export function Members({ device, changes }: { device: Device; changes: boolean }) {
  const { session } = device;
  const [rows, setRows] = useState<readonly Row[]>();
  const [list, setList] = useState<MemberList>(NO_MEMBERS);
  const [fresh, setFresh] = useState('');
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const show = async (list: MemberList) => {
    const members = [...list.members.values()];
    setList(list);
    setRows(
      await Promise.all(
        members.map(async (member) => ({
          ...member,
          fingerprint: await statementId(session.crypto, member.identity),
        })),
      ),
    );
  };
  const fallen = [...list.fallen.values()];
  const look = async () => show(await readMembers(session, await session.ownLog(0)));
  const failed = (error: unknown) => setFailure(explain(error));
  useEffect(() => void look().catch(failed), []);

  const change = async (name: string, role: MemberPayload['role']) => {
    setBusy(true);
    setFailure('');
    setFresh('');
    try {
      const { binding } = await new MemberChanges(session).change(parseAccountName(name), role);
      if (role !== 'none' && binding === 'first-use') setFresh(name);
    } catch (error) {
      failed(error);
    }
    // After a refusal too: the list may be another one than was shown.
    await look().catch(failed);
    setBusy(false);
  };
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    await change(String(data.get('member')).trim(), String(data.get('role') ?? 'owner') as Row['role']);
    form.reset();
  };

  return (
    <section>
      <h2>{say('members.title')}</h2>
      {changes && <p class="quiet">{say('members.lead')}</p>}
      {failure !== '' && <p role="alert">{failure}</p>}
      {fresh !== '' && <p role="status">{say('members.firstUse', { name: fresh })}</p>}
      {fallen.length > 0 && (
        <p role="status" data-testid="fallen">
          {say('members.fallen', {
            names: fallen.map(({ name, role }) => `${name} (${say(`members.role.${role}`)})`).join(', '),
          })}
        </p>
      )}
      {rows !== undefined && list.seq === 0 && <p>{say('members.none')}</p>}
      {rows !== undefined && rows.length > 0 && (
        <Scroll label={say('members.title')}>
          <table>
            <caption class="hidden">{say('members.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{say('members.account')}</th>
                <th scope="col">{say('members.role')}</th>
                <th scope="col">{say('members.since')}</th>
                {changes && (
                  <th scope="col">
                    <span class="hidden">{say('members.remove')}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ name, identity, fingerprint, role, since }) => (
                <tr key={identity}>
                  <th scope="row">
                    {name}
                    <br />
                    <small title={say('session.fingerprint')}>{fingerprint}</small>
                  </th>
                  <td>
                    {changes ? (
                      <select
                        aria-label={say('members.roleOf', { name })}
                        value={role}
                        disabled={busy}
                        onChange={(event) => change(name, event.currentTarget.value as Row['role'])}
                      >
                        {ROLES.map((one) => (
                          <option key={one} value={one}>
                            {say(`members.role.${one}`)}
                          </option>
                        ))}
                      </select>
                    ) : (
                      say(`members.role.${role}`)
                    )}
                  </td>
                  <td>{time(since)}</td>
                  {changes && (
                    <td>
                      <button
                        type="button"
                        class="danger"
                        disabled={busy}
                        aria-label={say('members.removeOf', { name })}
                        onClick={() => change(name, 'none')}
                      >
                        {say('members.remove')}
                      </button>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {changes && rows !== undefined && (
        <form onSubmit={add}>
          {list.seq === 0 && <p>{say('members.first')}</p>}
          <label>
            {say('members.account')}
            <input name="member" required autocomplete="off" />
          </label>
          {list.seq > 0 && (
            <label>
              {say('members.role')}
              <br />
              <select name="role" aria-describedby="role-tip">
                {ROLES.map((role) => (
                  <option key={role} value={role}>
                    {say(`members.role.${role}`)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <p class="quiet" id="role-tip">
            {say('members.role.tip')}
          </p>
          <button type="submit" disabled={busy}>
            {say('members.add')}
          </button>
        </form>
      )}
      {changes && rows !== undefined && rows.length > 0 && (
        <label>
          {say('members.link')}
          <input
            readOnly
            data-testid="sign-in-link"
            value={formatSignInLink(location.origin, session.keys.name, session.keys.identity)}
            onFocus={(event) => event.currentTarget.select()}
          />
        </label>
      )}
    </section>
  );
}
