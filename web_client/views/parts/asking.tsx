/** “End the visit?”: in the place of the buttons, with the way back first. */
import { Button } from './button';

interface Given {
  /** The row of buttons it takes the place of. */
  row: string;
  w: { readonly endAsk: string; readonly endStay: string };
  /** What leaving is called here. */
  end: string;
  onStay: () => void;
  onEnd: () => void;
}

export function Asking({ row, w, end, onStay, onEnd }: Given) {
  return (
    <div class={`${row} asking`} role="group" aria-label={w.endAsk}>
      <Button act="end-stay" kind="tool" lands onTap={onStay}>
        {w.endStay}
      </Button>
      <Button act="end-confirm" kind="end" icon="phone" turn onTap={onEnd}>
        {end}
      </Button>
    </div>
  );
}
