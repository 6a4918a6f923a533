/**
 * The organisation's services: their keys, each a device that may ask and nothing else, and what they asked.
 * @module
 */
import type { Device as Client, KnockingDevice, Reached } from '@countersign/client';
import { counts, type Device, formatDeviceLink, isFrozen } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { Asked } from './asked.tsx';
import { explain } from './explain.ts';
import { say, time } from './words.ts';

const RIGHTS = ['ask'] as const;
const DOOR_MS = 2000;

const isService = ({ rights }: Pick<Device, 'rights'>) => rights.length === 1 && rights[0] === 'ask';

interface Known {
  /** Those that are in, and those that were. */
  readonly all: ReadonlyMap<string, Device>;
  readonly reached: ReadonlyMap<string, Reached>;
}

/** A way in for a new key. */
interface Way {
  readonly link: string;
  /** The service whose key it is to take the place of. */
  readonly replaces?: Device;
}

export function Services({ device }: { device: Client }) {
  const [known, setKnown] = useState<Known>();
  const [way, setWay] = useState<Way>();
  const [waiting, setWaiting] = useState<readonly KnockingDevice[]>([]);
  const [said, setSaid] = useState('');
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const { session } = device;
  const look = async () => {
    const { devices: all } = await session.ownLog(0);
    const reached = await session.api.listReached(session.keys.signer, session.keys.name);
    setKnown({ all, reached: new Map(reached.map((one) => [one.kid, one])) });
  };
  const act = async (work: () => Promise<string>) => {
    setBusy(true);
    setFailure('');
    setSaid('');
    try {
      setSaid(await work());
      await look();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void act(async () => ''), []);
  useEffect(() => {
    if (way === undefined) return;
    const look = () =>
      device.devices.door().then(
        (door) => setWaiting(door.waiting.filter(({ pin }) => pin !== undefined && isService(pin))),
        () => {},
      );
    void look();
    const timer = setInterval(look, DOOR_MS);
    return () => clearInterval(timer);
  }, [way]);

  const open = (replaces?: Device) =>
    act(async () => {
      const link = formatDeviceLink(await device.devices.invite('admit', { rights: RIGHTS }));
      setWay(replaces === undefined ? { link } : { link, replaces });
      return '';
    });
  const admit = (knocking: KnockingDevice) =>
    act(async () => {
      // What the others were told before it came is not its business.
      await device.devices.accept(knocking, undefined, { rights: RIGHTS, history: false });
      const { name } = knocking.facts;
      setWaiting([]);
      setWay(undefined);
      if (way?.replaces === undefined) return say('console.services.in', { name });
      return say('console.services.replaced', { name, old: way.replaces.name });
    });
  const revoke = (one: Device, reason: 'retired' | 'lost') =>
    act(async () => {
      await device.devices.revoke(one.kid, reason);
      return say('console.services.out', { name: one.name });
    });

  const services = [...(known?.all.values() ?? [])].filter(
    (one) => isService(one) && one.revokedAt === undefined,
  );
  return (
    <section>
      <h2>{say('console.services')}</h2>
      <p class="quiet">{say('console.services.tip')}</p>
      <p role="status">{said}</p>
      {known !== undefined && services.length === 0 && <p>{say('console.services.none')}</p>}
      <ul class="plain-list">
        {services.map((one) => (
          <Service
            key={one.kid}
            service={one}
            reached={known!.reached.get(one.kid)?.reached_at}
            busy={busy}
            onReplace={() => open(one)}
            onRevoke={(reason) => revoke(one, reason)}
          />
        ))}
      </ul>
      {way === undefined ? (
        <button type="button" disabled={busy} onClick={() => open()}>
          {say('console.services.add')}
        </button>
      ) : (
        <WayIn way={way} waiting={waiting} busy={busy} onAdmit={admit} onClose={() => setWay(undefined)} />
      )}
      {failure !== '' && <p role="alert">{failure}</p>}
      {known !== undefined && <Asked device={device} nameOf={(kid) => known.all.get(kid)?.name ?? kid} />}
    </section>
  );
}

interface ServiceProperties {
  readonly service: Device;
  readonly reached: number | undefined;
  readonly busy: boolean;
  onReplace(): void;
  onRevoke(reason: 'retired' | 'lost'): void;
}

function Service({ service, reached, busy, onReplace, onRevoke }: ServiceProperties) {
  const [sure, setSure] = useState(false);
  const { name, kid, addedAt } = service;
  return (
    <li class="card" data-service={name}>
      <strong>{name}</strong>
      {isFrozen(service) && ` · ${say('console.services.frozen')}`}
      {!isFrozen(service) && !counts(service) && ` · ${say('console.services.probation')}`}
      <br />
      <code class="quiet">{kid}</code>
      <p class="quiet">
        {say('console.services.since', { time: time(addedAt.iat) })}
        {' · '}
        {reached === undefined
          ? say('console.services.never')
          : say('console.services.reached', { time: time(reached) })}
      </p>
      <div class="row">
        <button
          type="button"
          class="plain"
          disabled={busy}
          aria-label={say('console.services.rotate.of', { name })}
          onClick={onReplace}
        >
          {say('console.services.rotate')}
        </button>
        {sure ? (
          <>
            <button type="button" class="danger" disabled={busy} onClick={() => onRevoke('retired')}>
              {say('console.services.retired')}
            </button>
            <button type="button" class="danger" disabled={busy} onClick={() => onRevoke('lost')}>
              {say('console.services.lost')}
            </button>
            <button type="button" class="plain" onClick={() => setSure(false)}>
              {say('console.services.keep')}
            </button>
          </>
        ) : (
          <button
            type="button"
            class="danger"
            disabled={busy}
            aria-label={say('console.services.revoke.of', { name })}
            onClick={() => setSure(true)}
          >
            {say('console.services.revoke')}
          </button>
        )}
      </div>
    </li>
  );
}

interface WayInProperties {
  readonly way: Way;
  readonly waiting: readonly KnockingDevice[];
  readonly busy: boolean;
  onAdmit(knocking: KnockingDevice): void;
  onClose(): void;
}

function WayIn({ way, waiting, busy, onAdmit, onClose }: WayInProperties) {
  const command = `countersign device request '${way.link}'`;
  return (
    <div class="card">
      <h3>
        {way.replaces === undefined
          ? say('console.services.add')
          : say('console.services.rotate.of', { name: way.replaces.name })}
      </h3>
      {way.replaces !== undefined && <p>{say('console.services.rotate.tip')}</p>}
      <label>
        {say('console.services.command')}
        <input
          readOnly
          value={command}
          data-testid="service-command"
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <p class="quiet">{say('console.services.command.tip')}</p>
      <div aria-live="polite">
        {waiting.length === 0 && <p>{say('console.services.waiting')}</p>}
        {waiting.map((one) => (
          <div key={one.facts.hash}>
            <p>
              <strong>{one.facts.name}</strong>, {one.facts.model}, {one.facts.os}, {one.facts.address}
              <br />
              <code>{one.facts.kid}</code>
            </p>
            <button type="button" disabled={busy} onClick={() => onAdmit(one)}>
              {say('console.services.admit', { name: one.facts.name })}
            </button>
          </div>
        ))}
      </div>
      <p>
        <button type="button" class="plain" onClick={onClose}>
          {say('console.close')}
        </button>
      </p>
    </div>
  );
}
