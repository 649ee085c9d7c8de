import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon';

interface Given {
  act: string;
  onTap: () => void;
  children: ComponentChildren;
  kind?: 'main' | 'soft' | 'plain' | 'end' | 'tool';
  icon?: IconName;
  turn?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  label?: string;
}

/** A button; `act` names what it does, for tests and for nobody else. */
export function Button({ act, onTap, children, kind = 'soft', icon, turn, disabled, pressed, label }: Given) {
  return (
    <button
      type="button"
      class={`btn ${kind}`}
      data-act={act}
      onClick={() => {
        if (!disabled) onTap();
      }}
      aria-disabled={disabled ? 'true' : undefined}
      aria-pressed={pressed === undefined ? undefined : pressed ? 'true' : 'false'}
      aria-label={label}
    >
      {icon && <Icon name={icon} turn={turn ?? false} />}
      <span>{children}</span>
    </button>
  );
}
