/**
 * The devices of the account: who is in, when each was last reached, the way out for each, and the way in.
 * @module
 */
import { Device as Client, type Reached, type Responder } from '@countersign/client';
import { counts, type Device, formatDeviceLink, isFrozen, type Right } from '@countersign/core';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { SureButton } from '../kit/sure-button.tsx';
import { DeviceRights } from './device-rights.tsx';
import { explain, explainOther } from './explain.ts';
import type { Waits } from './inside.tsx';
import { Lazy } from './lazy.tsx';
import { asAddress } from './links.ts';
import { QrCode } from './qr-code.tsx';
import { say, time } from './words.ts';

interface Properties {
  readonly responder: Responder;
  readonly items: readonly Waits[];
  onOpen(key: string): void;
}

interface Known {
  readonly devices: readonly Device[];
  readonly reached: ReadonlyMap<string, Reached>;
  readonly own: string;
}

export function Devices({ responder, items, onOpen }: Properties) {
  const device = useMemo(() => new Client(responder.session), []);
  const [known, setKnown] = useState<Known>();
  const { busy, failure, press, fail } = usePress(explainOther);
  const look = async () => {
    try {
      const { devices } = await device.session.ownLog(0);
      const reached = new Map((await device.reached()).map((one) => [one.kid, one]));
      setKnown({ devices: [...devices.values()], reached, own: await device.session.kid() });
    } catch (error) {
      fail(explain(error));
    }
  };
  useEffect(() => void look(), [items]);
  // What was refused may be shown as it was before another device changed it.
  const change = (work: () => Promise<void>) => work().finally(look);
  const act = (work: () => Promise<void>) => press(() => change(work));
  const mine = known?.devices.find(({ kid }) => kid === known.own);
  const mayAdmit = mine?.rights.includes('admit') === true;
  return (
    <main class="narrow">
      <h1>{say('nav.devices')}</h1>
      {items.map(
        (item) =>
          item.kind === 'device' && (
            <p class="warning" key={item.key}>
              {say('knock.title')}: <strong>{item.knocking.facts.name}</strong>{' '}
              <button type="button" class="plain" onClick={() => onOpen(item.key)}>
                {say('home.open')}
              </button>
            </p>
          ),
      )}
      {known === undefined && failure === '' && <p role="status">{say('moment')}</p>}
      <ul class="list">
        {known?.devices
          .filter(({ revokedAt }) => revokedAt === undefined)
          .map((one) => (
            <Row
              key={one.kid}
              client={device}
              device={one}
              reached={known.reached.get(one.kid)}
              own={one.kid === known.own}
              given={mayAdmit ? mine.rights : []}
              busy={busy}
              onRights={(rights) => change(() => device.devices.setRights(one.kid, rights))}
              onLost={() => act(() => device.devices.freeze(one.kid))}
              onFound={() => act(() => device.devices.thaw(one.kid))}
              onRevoke={() => act(() => device.devices.revoke(one.kid, isFrozen(one) ? 'lost' : 'retired'))}
            />
          ))}
      </ul>
      {mayAdmit && <Invite device={device} rights={mine!.rights} />}
      {failure !== '' && <p role="alert">{failure}</p>}
    </main>
  );
}

interface RowProperties {
  readonly client: Client;
  readonly device: Device;
  readonly reached: Reached | undefined;
  readonly own: boolean;
  /** What this device may give; nothing, where it changes no other. */
  readonly given: readonly Right[];
  readonly busy: boolean;
  onRights(rights: readonly Right[]): Promise<void>;
  onLost(): void;
  onFound(): void;
  onRevoke(): void;
}

function Row({ client, device, reached, own, given, busy, ...on }: RowProperties) {
  const { onRights, onLost, onFound, onRevoke } = on;
  const [picking, setPicking] = useState(false);
  const may = given.length > 0;
  const frozen = isFrozen(device);
  return (
    <li data-kid={device.kid}>
      <span>
        <strong>{device.name}</strong> {own && <em>{say('devices.own')}</em>}{' '}
        {frozen && <em class="warning">{say('devices.frozen')}</em>}
        {!frozen && !counts(device) && <em class="warning">{say('devices.probation')}</em>}
        <br />
        <code class="quiet">{device.kid}</code>
        <br />
        <span class="quiet">
          {device.rights.map((right) => say(`right.${right}`)).join(', ')} ·{' '}
          {say('devices.since', { time: time(device.addedAt.iat) })}
          <br />
          <span data-testid="reached">{reachedText(reached)}</span>
        </span>
      </span>
      {may && !picking && (
        <span class="row">
          <button
            type="button"
            class="plain"
            disabled={busy}
            aria-label={`${say('rights.button')}: ${device.name}`}
            onClick={() => setPicking(true)}
          >
            {say('rights.button')}
          </button>
          {!own && (
            <>
              <button type="button" class="plain" disabled={busy} onClick={frozen ? onFound : onLost}>
                {say(frozen ? 'devices.found' : 'devices.lost')}
              </button>
              <SureButton
                kind="danger"
                label={say('devices.revoke')}
                sure={say('devices.sure', { name: device.name })}
                disabled={busy}
                onSure={onRevoke}
              />
            </>
          )}
        </span>
      )}
      {may && picking && (
        <DeviceRights device={device} given={given} onPick={onRights} onEnd={() => setPicking(false)} />
      )}
      {may && !own && frozen && <Hosts client={client} kid={device.kid} busy={busy} />}
    </li>
  );
}

/** The hosts of a device that is stopped are told, which is for good; it is asked anew each time that one is stopped. */
function Hosts({ client, kid, busy }: { client: Client; kid: string; busy: boolean }) {
  const [telling, setTelling] = useState(false);
  if (telling) return <Lazy load={loadLostPairs} pick="LostPairs" device={client} kid={kid} />;
  return (
    <SureButton
      kind="plain"
      label={say('devices.hosts')}
      sure={say('devices.hostsSure')}
      disabled={busy}
      onSure={() => setTelling(true)}
    />
  );
}

const loadLostPairs = () => import('../validator/lost-pairs.tsx');

function reachedText(reached: Reached | undefined): string {
  const said = [
    reached?.reached_at === undefined
      ? say('devices.never')
      : say('devices.reached', { time: time(reached.reached_at) }),
  ];
  if (reached?.push !== undefined) {
    const { pushed_at: at } = reached;
    said.push(at === undefined ? say('devices.push') : say('devices.pushed', { time: time(at) }));
  }
  return said.join(' · ');
}

type Invitation = { readonly text: string; readonly pin?: string };

function Invite({ device, rights }: { device: Client; rights: readonly Right[] }) {
  const [invited, setInvited] = useState<Invitation>();
  const { busy, failure, press } = usePress(explain);
  const invite = (use: 'knock' | 'admit') => () =>
    press(async () => {
      // Nobody gives a right that they have not.
      const given = (['ask', 'answer', 'pay'] as const).filter((right) => rights.includes(right));
      const link = await device.devices.invite(use, use === 'admit' ? { rights: given } : {});
      setInvited({ text: formatDeviceLink(link), ...(use === 'admit' ? { pin: link.pin } : {}) });
    });
  return (
    <section>
      <h2>{say('invite.title')}</h2>
      <p>{say('invite.lead')}</p>
      <div class="row">
        <button type="button" disabled={busy} onClick={invite('knock')}>
          {say('invite.link')}
        </button>
        <button type="button" class="plain" disabled={busy} onClick={invite('admit')}>
          {say('invite.pin')}
        </button>
      </div>
      {invited !== undefined && (
        <div class="card">
          {invited.pin !== undefined && (
            <p>
              {say('invite.pinIs')} <code data-testid="pin">{invited.pin}</code>
            </p>
          )}
          <QrCode text={asAddress(invited.text)} label={say('invite.qr')} />
          <label>
            {say('invite.text')}
            <input readOnly value={invited.text} data-testid="invitation" />
          </label>
        </div>
      )}
      {failure !== '' && <p role="alert">{failure}</p>}
    </section>
  );
}
