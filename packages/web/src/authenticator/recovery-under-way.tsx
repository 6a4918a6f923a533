/**
 * A device that came in by the recovery code: for three days or so, any device can show it out.
 * @module
 */
import { Device, type Responder } from '@countersign/client';
import { usePress } from '../kit/press.ts';
import { explain } from './explain.ts';
import { say } from './words.ts';

interface Properties {
  readonly responder: Responder;
  readonly kid: string;
  readonly name: string;
  onChange(): void;
}

export function RecoveryUnderWay({ responder, kid, name, onChange }: Properties) {
  const { busy, failure, press } = usePress(explain);
  const undo = () => new Device(responder.session).devices.revoke(kid, 'undone').then(onChange);
  return (
    <div role="alert">
      <p>{say('recovery.underWay', { name })}</p>
      <button type="button" class="danger" disabled={busy} onClick={() => press(undo)}>
        {say('recovery.undo')}
      </button>
      {failure !== '' && <p>{failure}</p>}
    </div>
  );
}
