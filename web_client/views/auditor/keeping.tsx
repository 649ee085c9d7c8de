/** How long this is kept, whether it is held, and how it lies there: by what the recorder says. */
import type { Keeping as Kept } from '../../core/audit';
import type { AuditorGiven } from './shape';

export function Keeping({ kept, w }: { kept: Kept; w: AuditorGiven['w'] }) {
  return (
    <section class="card" data-keeping={kept.held ? 'held' : 'free'}>
      <h2>{w.auditKeeping}</h2>
      <p>{kept.until === null ? w.auditKeptNoPromise : w.auditKeptUntil(kept.until.slice(0, 10))}</p>
      <p class={kept.held ? '' : 'quiet'}>{kept.held ? w.auditHeld : w.auditNoHold}</p>
      <p class="quiet">{kept.shredded ? w.auditShredded : kept.sealed ? w.auditSealed : w.auditPlain}</p>
    </section>
  );
}
