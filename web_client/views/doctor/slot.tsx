/** The hospital's page in its frame, and one line on what it said. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SlotFacts } from '../../core/slot';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import type { DoctorGiven } from './shape';

export function SlotView({ given }: { given: DoctorGiven }) {
  const { w, act } = given;
  const frame = useRef<HTMLIFrameElement>(null);
  const [now, set] = useState<SlotFacts | null>(null);
  const [load, again] = useState(0);
  useEffect(() => (frame.current === null ? undefined : act.fit(frame.current, set)), [load]);
  const dropped = Object.values(now?.dropped ?? {}).reduce((sum: number, each) => sum + (each ?? 0), 0);
  const claim = now?.claims.at(-1);
  const silent = now?.state === 'silent' || now?.state === 'failed';
  const words =
    now === null || now.state === 'loading' ? w.slotLoading
    : now.state === 'silent' ? w.slotSilent
    : now.state === 'failed' ? w.slotFailed
    : now.error !== null ? w.slotError(now.error)
    : claim !== undefined ? w.slotHeard
    : now.state === 'done' ? w.slotDone
    : w.slotReady;
  return (
    <div class="slot" data-slot={now?.state ?? 'loading'} data-accepted={now?.accepted ?? 0} data-dropped={dropped} data-claims={now?.claims.length ?? 0}>
      {/* Never top navigation, never pop-ups. Same-origin is its own origin: without it the page has no storage and no name. */}
      <iframe key={load} ref={frame} title={w.rxTitle} sandbox="allow-scripts allow-forms allow-same-origin" allow="" referrerpolicy="no-referrer" />
      <p class={`strip ${silent || now?.error ? 'warn' : ''}`} role="status">
        <Icon name={silent || now?.error ? 'warn' : 'paper'} />
        <span>{words}</span>
        {silent && (
          <Button act="slot-again" kind="soft" onTap={() => again(load + 1)}>
            {w.slotAgain}
          </Button>
        )}
      </p>
    </div>
  );
}
