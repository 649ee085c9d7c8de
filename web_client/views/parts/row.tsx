/** The row of buttons under a live visit. The last one asks whether to end: the answers take the place of all, in the same row. */
import type { ComponentChildren } from 'preact';
import type { VisitWords as Words } from '../../words/kinds';
import { Button } from './button';

interface Given {
  /** Its class, and how many buttons that is laid out for. */
  kind: 'bar' | 'ctl';
  of?: 'four' | 'five' | undefined;
  w: Words;
  /** What leaving is called here. */
  end: string;
  /** It is asked whether to end. */
  asking: boolean;
  onStay: () => void;
  onEnd: () => void;
  children: ComponentChildren;
}

export function Row({ kind, of, w, end, asking, onStay, onEnd, children }: Given) {
  return (
    <div class={`${kind} ${asking ? 'asking' : (of ?? '')}`} role="group" aria-label={asking ? w.endAsk : w.buttons}>
      {asking ? (
        <>
          <Button act="end-stay" kind="tool" lands onTap={onStay}>
            {w.endStay}
          </Button>
          <Button act="end-confirm" kind="end" icon="phone" turn onTap={onEnd}>
            {end}
          </Button>
        </>
      ) : (
        children
      )}
    </div>
  );
}
