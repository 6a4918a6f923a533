/**
 * What was asked in the organisation's name, for a member who may read it.
 * @module
 */
import type { Device as Client } from '@countersign/client';
import type { Device } from '@countersign/core';
import { useEffect, useState } from 'preact/hooks';
import { Asked } from './asked.tsx';
import { explain } from './explain.ts';
import { say } from './words.ts';

export function AskedByServices({ device }: { device: Client }) {
  const [devices, setDevices] = useState<ReadonlyMap<string, Device>>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    device.session.ownLog().then(
      (log) => setDevices(log.devices),
      (error: unknown) => setFailure(explain(error)),
    );
  }, []);
  return (
    <section>
      <h2>{say('console.services')}</h2>
      {failure !== '' && <p role="alert">{failure}</p>}
      {devices !== undefined && (
        <Asked device={device} sealed nameOf={(kid) => devices.get(kid)?.name ?? kid} />
      )}
    </section>
  );
}
