/** Where a page cannot begin or go on, and why; and what an end is called. */
import { closedSays } from '../parts/closed';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Sheet } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

export function endTitle({ now, w }: Pick<PatientGiven, 'now' | 'w'>): string {
  const state = now.call.session.state;
  const reason = state?.ended?.reason;
  if (reason === 'consent_withdrawn') return w.endWithdrawn;
  if (reason === 'abandoned') return w.endAbandoned;
  if (reason === 'expired') return w.endExpired;
  if (reason === 'server_stopped') return w.endStopped;
  if (reason === 'transferred') return w.endMoving;
  return Number.isNaN(Date.parse(state?.times.live ?? '')) ? w.endNever : w.endDone;
}

export function Closed(given: PatientGiven) {
  const { now, w, act } = given;
  const { session } = now.call;
  const { code } = session;
  const { title, next, again } = closedSays(code, w);
  return (
    <Sheet
      given={given}
      page="closed"
      main={
        again !== null && (
          <Button act="continue" kind="main" onTap={act.reload}>
            {again}
          </Button>
        )
      }
    >
      <Heading page="closed">{title}</Heading>
      <p class="lead">{next}</p>
      {code !== 'taken_over' && <Phones of={session.state ?? session} w={w} says120 />}
    </Sheet>
  );
}

export function Opening(given: PatientGiven) {
  const { now, w } = given;
  return (
    <Sheet given={given} page="opening">
      <Heading page="opening">{w.opening}</Heading>
      {now.call.session.link === 'lost' && <p class="lead">{w.openingSlow}</p>}
    </Sheet>
  );
}
