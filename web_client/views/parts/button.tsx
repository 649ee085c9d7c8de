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
  /** It comes in place of what was pressed, and takes the focus over. */
  lands?: boolean;
}

/** As the `ref` of what comes in place of what was pressed: without it the focus would fall to the top of the page. */
export const land = (node: HTMLElement | null): void => node?.focus();

/** A button; `act` names what it does, for tests and for nobody else. */
export function Button({ act, onTap, children, kind = 'soft', icon, turn, disabled, pressed, label, lands }: Given) {
  return (
    <button
      type="button"
      ref={lands ? land : null}
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
