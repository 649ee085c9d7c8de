/** Why: a purpose and a few words, in the place of the button that asked for them. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../parts/button';
import { Purpose } from './purpose';
import type { AuditorGiven } from './shape';

interface Given {
  name: string;
  /** What the button says that opens it, and what it does in the end. */
  label: string;
  done: string;
  note: string;
  sending: boolean;
  w: AuditorGiven['w'];
  /** What else is asked in the same form. */
  children?: ComponentChildren;
  say: (purpose: string, reason: string, form: HTMLFormElement) => void;
}

export function Why({ name, label, done, note, sending, w, say, children }: Given) {
  const [open, set] = useState(false);
  if (!open) {
    return (
      <Button act={`${name}-open`} kind="soft" onTap={() => set(true)}>
        {label}
      </Button>
    );
  }
  return (
    <form
      class="why"
      data-why={name}
      onSubmit={(event) => {
        event.preventDefault();
        const said = new FormData(event.currentTarget);
        const [purpose, reason] = [said.get('purpose'), said.get('reason')];
        if (typeof purpose === 'string' && typeof reason === 'string' && reason.trim().length >= 4) say(purpose, reason.trim(), event.currentTarget);
      }}
    >
      <Purpose w={w} />
      <label class="wide">
        <span>{w.auditReason}</span>
        <input name="reason" required minLength={4} maxLength={1000} autocomplete="off" />
      </label>
      {children}
      <button type="submit" class="btn main" data-act={name} aria-disabled={sending ? 'true' : undefined}>
        <span>{done}</span>
      </button>
      <Button act={`${name}-close`} kind="plain" onTap={() => set(false)}>
        {w.auditNot}
      </Button>
      <small>{note}</small>
    </form>
  );
}
