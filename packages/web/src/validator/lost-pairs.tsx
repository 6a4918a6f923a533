/**
 * The hosts of a device that is lost are told so, by what it has kept for the other devices: each kills its pair.
 * @module
 */
import type { Device } from '@countersign/client';
import {
  eraseLost,
  type KeptErasure,
  reachByWebSocket,
  type LostPairs as Told,
} from '@countersign/client/m-auth';
import { makeVisible } from '@countersign/core';
import { webNoise } from '@countersign/core/noise-web';
import { useEffect, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { explain, say } from './words.ts';

interface Properties {
  readonly device: Device;
  /** Of the device that is lost. */
  readonly kid: string;
}

export function LostPairs({ device, kid }: Properties) {
  const [told, setTold] = useState<Told>();
  const { busy, failure, press } = usePress(explain);
  const tell = () =>
    press(async () => {
      const now = await eraseLost(device.rooms, kid, webNoise, reachByWebSocket);
      // What is known of the hosts stays as it was.
      if (now.unread !== undefined) throw now.unread;
      // Whoever has confirmed it once says nothing any more.
      const gone = [...(told?.erased ?? []), ...now.erased];
      const left = now.unconfirmed.filter(({ id }) => !gone.some((one) => one.id === id));
      setTold({ erased: gone, unconfirmed: left });
    });
  useEffect(() => void tell(), []);
  const none = told !== undefined && told.erased.length + told.unconfirmed.length === 0;
  return (
    <div class="told">
      <div role="status">
        {busy && <p>{say('lost.asking')}</p>}
        {!busy && none && <p>{say('lost.none')}</p>}
        {told?.erased.map((one) => (
          <p key={one.id}>{say('lost.erased', { pair: nameOf(one) })}</p>
        ))}
        {!busy &&
          told?.unconfirmed.map((one) => (
            <p class="warning" key={one.id}>
              {say('lost.unconfirmed', { pair: nameOf(one) })}
            </p>
          ))}
      </div>
      {failure !== '' && <p role="alert">{failure}</p>}
      {!busy && (failure !== '' || (told?.unconfirmed.length ?? 0) > 0) && (
        <button type="button" class="plain" onClick={tell}>
          {say('lost.again')}
        </button>
      )}
    </div>
  );
}

const nameOf = ({ account, host }: KeptErasure) => `${makeVisible(account)}@${makeVisible(host)}`;
