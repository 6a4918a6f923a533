/**
 * The form by which this browser becomes a device: of a new account, of one that is joined, of one that is got back.
 * @module
 */
import type { ComponentChildren } from 'preact';
import { usePress } from '../../kit/press.ts';
import { explain } from '../explain.ts';
import { thisBrowser } from '../own.ts';
import { say } from '../words.ts';

interface Properties {
  /** What the button says. */
  readonly button: string;
  /** The fields that come before the name of the device. */
  readonly children: ComponentChildren;
  onBack(): void;
  /**
   * Does it, with the fields by their names; the device's name is `device`.
   * @returns words for the person, where it does not go on so
   */
  onSubmit(field: (name: string) => string): Promise<string | undefined>;
}

export function NewDeviceForm({ button, children, onBack, onSubmit }: Properties) {
  const { busy, failure, press, fail } = usePress(explain);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    void press(async () => fail((await onSubmit((name) => String(data.get(name)))) ?? ''));
  };
  return (
    <>
      <form onSubmit={submit}>
        {children}
        <label>
          {say('create.device')}
          <input name="device" required maxLength={60} defaultValue={thisBrowser().deviceName} />
        </label>
        <div class="row">
          <button type="submit" disabled={busy}>
            {button}
          </button>
          <button type="button" class="link" onClick={onBack}>
            {say('back')}
          </button>
        </div>
      </form>
      <p role="status">{busy ? say('moment') : ''}</p>
      {failure !== '' && <p role="alert">{failure}</p>}
    </>
  );
}
