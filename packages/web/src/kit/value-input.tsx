/**
 * A line to type a value of a type, with what it is called.
 * @module
 */
import type { SessionField } from '@countersign/core/session-terms';

interface Properties {
  readonly label: string;
  readonly name: string;
  readonly type: SessionField['type'];
  readonly defaultValue?: string;
  /** Why the value is not one of its type. */
  readonly wrong?: string;
}

export function ValueInput({ label, name, type, defaultValue = '', wrong }: Properties) {
  const inputMode = type === 'number' ? 'numeric' : 'text';
  const judged =
    wrong === undefined ? {} : ({ 'aria-invalid': true, 'aria-describedby': `${name}-wrong` } as const);
  return (
    <>
      <label htmlFor={name}>
        {label}
        {type === 'date' ? (
          <input id={name} name={name} type="date" required defaultValue={defaultValue} {...judged} />
        ) : (
          <input
            id={name}
            name={name}
            type="text"
            inputMode={inputMode}
            required
            autocomplete="off"
            defaultValue={defaultValue}
            {...judged}
          />
        )}
      </label>
      {wrong !== undefined && (
        <p role="alert" id={`${name}-wrong`}>
          {wrong}
        </p>
      )}
    </>
  );
}
