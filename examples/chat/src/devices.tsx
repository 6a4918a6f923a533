/**
 * The devices of one's account, and the way out for each.
 * @module
 */
import { type Device as Client, explain } from '@countersign/client';
import { counts, type Device, formatDeviceLink, isFrozen } from '@countersign/core';
import { useState } from 'preact/hooks';
import { keepLink } from './chat-server.ts';
import { linkLife } from './own.ts';

interface Properties {
  readonly client: Client;
  readonly devices: readonly Device[];
  readonly own: string;
  onDone(): void;
}

export function Devices({ client, devices, own, onDone }: Properties) {
  const [failure, setFailure] = useState('');
  const may = devices.some(({ kid, rights }) => kid === own && rights.includes('admit'));
  const act = async (work: () => Promise<void>) => {
    setFailure('');
    try {
      await work();
      // The link that a device gave goes with it: the next sign-in needs one of a device that stays.
      await keepLink(formatDeviceLink(await client.devices.invite('knock', linkLife()))).catch(() => {});
      onDone();
    } catch (error) {
      setFailure(explain(error));
    }
  };
  return (
    <details>
      <summary>Devices ({devices.filter(counts).length})</summary>
      <ul class="devices">
        {devices.map((device) => (
          <li key={device.kid}>
            <span>
              {device.name} {device.kid === own && <em>(this one)</em>}{' '}
              {isFrozen(device) && <em>(frozen)</em>}
              <br />
              <code>{device.kid.slice(0, 14)}…</code>
            </span>
            {may && device.kid !== own && (
              <span class="row">
                {!isFrozen(device) && (
                  <button
                    type="button"
                    class="plain"
                    onClick={() => act(() => client.devices.freeze(device.kid))}
                  >
                    Lost
                  </button>
                )}
                <button
                  type="button"
                  class="danger"
                  onClick={() => {
                    if (confirm(`Show out ${device.name}? It reads nothing that is said from now on.`)) {
                      void act(() => client.devices.revoke(device.kid, 'retired'));
                    }
                  }}
                >
                  Show out
                </button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {failure !== '' && <p role="alert">{failure}</p>}
    </details>
  );
}
