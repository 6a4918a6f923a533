/**
 * What a device may do, to be picked anew. The change is an entry of the account's log, signed by this device.
 * @module
 */
import type { Device, Right } from '@countersign/core';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePress } from '../kit/press.ts';
import { explainOther } from './explain.ts';
import { say } from './words.ts';

const RIGHTS = ['ask', 'answer', 'pay', 'admit', 'recover'] as const satisfies readonly Right[];

interface Properties {
  readonly device: Device;
  /** Those of this device: it gives no others. */
  readonly given: readonly Right[];
  onPick(rights: readonly Right[]): Promise<void>;
  onEnd(): void;
}

export function DeviceRights({ device, given, onPick, onEnd }: Properties) {
  const [picked, setPicked] = useState(device.rights);
  const { busy, failure, press, fail } = usePress(explainOther);
  const first = useRef<HTMLFieldSetElement>(null);
  useEffect(() => first.current?.querySelector('input')?.focus(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (picked.length === 0) fail(say('rights.none'));
    else if (await press(() => onPick(picked))) onEnd();
  };
  const withheld = RIGHTS.some((right) => !given.includes(right) && !device.rights.includes(right));
  return (
    <form class="rights" onSubmit={submit}>
      <fieldset ref={first}>
        <legend>{say('rights.title', { name: device.name })}</legend>
        {RIGHTS.map((right) => (
          <label class="check" key={right}>
            <input
              type="checkbox"
              name={right}
              checked={picked.includes(right)}
              disabled={!given.includes(right) && !device.rights.includes(right)}
              onChange={({ currentTarget: { checked } }) =>
                setPicked(RIGHTS.filter((one) => (one === right ? checked : picked.includes(one))))
              }
            />{' '}
            {say(`right.${right}`)}
          </label>
        ))}
        {withheld && <p class="quiet">{say('rights.withheld')}</p>}
      </fieldset>
      {failure !== '' && <p role="alert">{failure}</p>}
      <div class="row">
        <button type="submit" disabled={busy}>
          {say('rights.change')}
        </button>
        <button type="button" class="plain" onClick={onEnd}>
          {say('back')}
        </button>
      </div>
    </form>
  );
}
