/**
 * Inside: rooms, what is said in them, the devices of one's account, and who waits before its door.
 * @module
 */
import { type Device as Client, type Door as DoorState, explain, type KnownRoom } from '@countersign/client';
import { CountersignError, type Device, type ErrorCode, isSealable } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { Devices } from './devices.tsx';
import { Door } from './door.tsx';
import { stores } from './own.ts';
import { NewRoom, Room } from './room.tsx';

/** What it is to be shown out. */
const OUT: ReadonlySet<ErrorCode> = new Set(['device-revoked', 'device-frozen', 'device-unknown']);

interface View {
  readonly rooms: readonly KnownRoom[];
  readonly devices: readonly Device[];
  readonly own: string;
  readonly door: DoorState;
}

export function Chat({ device }: { device: Client }) {
  const [view, setView] = useState<View>();
  const [chosen, setChosen] = useState<string>();
  const [line, setLine] = useState(true);
  const [failure, setFailure] = useState<{ text: string; out: boolean }>();

  const fail = (error: unknown) => {
    const out = error instanceof CountersignError && OUT.has(error.code);
    setFailure({ text: explain(error), out });
  };
  const look = () => {
    readAll(device).then((read) => {
      setView(read);
      setFailure(undefined);
    }, fail);
  };
  useEffect(() => {
    const stop = new AbortController();
    void device.maintainHourly(stores.keyStore, stop.signal);
    follow(device, stop.signal, look, setLine).catch((error: unknown) => {
      if (!stop.signal.aborted) fail(error);
    });
    return () => stop.abort();
  }, []);

  const opened = (room: string) => {
    setChosen(room);
    look();
  };

  if (failure?.out) {
    return (
      <main class="narrow">
        <h1>This device was shown out</h1>
        <p role="alert">{failure.text}</p>
        <p>
          It reads nothing that is said from now on. Nothing of the account is lost on your other devices.
        </p>
      </main>
    );
  }
  if (view === undefined) return <p role={failure ? 'alert' : 'status'}>{failure?.text ?? 'Reading…'}</p>;
  const room = view.rooms.find((one) => one.room === chosen) ?? view.rooms[0];
  return (
    <div class="chat">
      <header>
        <h1>Chat</h1>
        <p>
          {device.session.keys.name} {!line && <strong role="status">· no line, trying again…</strong>}
        </p>
        <nav aria-label="Rooms">
          {view.rooms.map((one) => (
            <button
              type="button"
              key={one.room}
              class={one === room ? 'chosen' : 'plain'}
              aria-current={one === room ? 'page' : undefined}
              onClick={() => setChosen(one.room)}
            >
              {one.name}
            </button>
          ))}
        </nav>
        <NewRoom device={device} onMade={opened} />
        <Devices client={device} devices={view.devices} own={view.own} onDone={look} />
      </header>
      {room === undefined ? (
        <main>
          <p>No room yet. Make one with the people you want to talk to.</p>
        </main>
      ) : (
        <Room key={room.room} device={device} room={room} onSent={look} />
      )}
      <Door device={device} door={view.door} onDone={look} />
      {failure !== undefined && <p role="alert">{failure.text}</p>}
    </div>
  );
}

async function readAll(device: Client): Promise<View> {
  const [rooms, log, own, door] = await Promise.all([
    device.rooms.read(),
    device.session.ownLog(0),
    device.session.kid(),
    device.devices.door(),
  ]);
  if (!isSealable(log)) void device.maintain(stores.keyStore).catch(() => {});
  const devices = [...log.devices.values()].filter(({ revokedAt }) => revokedAt === undefined);
  return { rooms, devices, own, door };
}

/** Looks now, and again whenever something happened; after a cut that lost something, from the start. */
async function follow(
  device: Client,
  signal: AbortSignal,
  look: () => void,
  onLine: (up: boolean) => void,
): Promise<void> {
  while (!signal.aborted) {
    const { cursor } = await device.pending({ max: 1 });
    look();
    for await (const happened of device.follow(cursor, signal, onLine)) {
      if (happened.kind === 'resync') break;
      look();
    }
  }
}
