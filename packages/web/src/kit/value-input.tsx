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
}

export function ValueInput({ label, name, type, defaultValue = '' }: Properties) {
  const inputMode = type === 'number' ? 'numeric' : 'text';
  return (
    <label htmlFor={name}>
      {label}
      {type === 'date' ? (
        <input id={name} name={name} type="date" required defaultValue={defaultValue} />
      ) : (
        <input
          id={name}
          name={name}
          type="text"
          inputMode={inputMode}
          required
          autocomplete="off"
          defaultValue={defaultValue}
        />
      )}
    </label>
  );
}
