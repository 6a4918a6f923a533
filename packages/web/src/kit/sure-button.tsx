/**
 * A button for what can't be undone: its first press asks, its second does it.
 * @module
 */
import { useState } from 'preact/hooks';

interface Properties {
  readonly kind: 'danger' | 'plain';
  readonly label: string;
  /** What it says once it was pressed. */
  readonly sure: string;
  readonly disabled?: boolean;
  onSure(): unknown;
}

export function SureButton({ kind, label, sure, disabled = false, onSure }: Properties) {
  const [pressed, setPressed] = useState(false);
  return (
    <button
      type="button"
      class={kind}
      disabled={disabled}
      onClick={pressed ? () => void onSure() : () => setPressed(true)}
    >
      {pressed ? sure : label}
    </button>
  );
}
