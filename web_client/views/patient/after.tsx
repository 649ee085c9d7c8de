/** The ends: the visit is over, or this page cannot go on, and why. */
import { secondsToReturn } from '../../core/visit';
import { tongue } from '../../core/tongue';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { clockwise } from '../parts/length';
import { useTick } from '../parts/snapshot';
import { Sheet, WhoDoctor } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

export function endTitle({ now, w }: Pick<PatientGiven, 'now' | 'w'>): string {
  const state = now.call.session.state;
  const reason = state?.ended?.reason;
  if (reason === 'consent_withdrawn') return w.endWithdrawn;
  if (reason === 'abandoned') return w.endAbandoned;
  return Number.isNaN(Date.parse(state?.times.live ?? '')) ? w.endNever : w.endDone;
}

export function Ended(given: PatientGiven) {
  const { now, w } = given;
  const state = now.call.session.state;
  const began = Date.parse(state?.times.live ?? '');
  const ended = Date.parse(state?.times.ended ?? '');
  const happened = !Number.isNaN(began);
  const clock = useTick(1000);
  const left = state === null ? null : secondsToReturn(state, clock + now.call.skew);
  const rating = useLazy(happened, () => import('./rating'));
  const recorded = happened && state?.recording.since !== null;
  const receipt = useLazy(recorded, () => import('../parts/receipt'));
  const elder = given.mode !== 'normal';
  const undo =
    left !== null && now.noReturn === null && now.call.session.link === 'open' ? (
      <Button act="reconnect" kind={elder ? 'main' : 'soft'} icon="back" disabled={now.busy} onTap={given.act.reconnect}>
        {w.endUndo(left)}
      </Button>
    ) : undefined;
  return (
    // Elder mode docks it, too: there is a minute, and below the fold nobody looks for it.
    <Sheet given={given} page="ended" main={elder ? undo : undefined} rest={elder ? undefined : undo}>
      <Heading page="ended">{endTitle(given)}</Heading>
      <p class="lead">{happened ? w.endThanks : w.endNeverNext}</p>
      <WhoDoctor doctor={state?.doctor} w={w} />
      {happened && (
        <dl class="hero facts">
          {!Number.isNaN(ended) && (
            <div>
              <dt>{w.endLength}</dt>
              <dd class="num">{clockwise(ended - began)}</dd>
            </div>
          )}
          <div>
            <dt>{w.endRecorded}</dt>
            <dd>
              {recorded && <Icon name="shield" />} {recorded ? w.endRecordedYes : w.endRecordedNo}
            </dd>
          </div>
        </dl>
      )}
      {state?.advice && (
        <section class="hero text" aria-label={w.endAdvice} data-advice>
          <h2>{w.endAdvice}</h2>
          {state.advice.split(/\n+/).map((each) => <p key={each} lang={tongue(each)}>{each}</p>)}
        </section>
      )}
      {happened && rating !== null && <rating.Rating given={given} />}
      {receipt !== null && <receipt.Receipt {...given.act.receipt()} w={w} />}
      {happened && <p class="quiet">{w.endAgain}</p>}
      <Phones state={state} w={w} says120 />
      {now.noReturn !== null && <p class="state warn">{now.noReturn === 'recorder_unavailable' ? w.endSealed : w.endNoReturn}</p>}
    </Sheet>
  );
}

export function Closed(given: PatientGiven) {
  const { now, w, act } = given;
  const code = now.call.session.code;
  const taken = code === 'taken_over';
  const expired = code === 'token_expired' || code === 'token_revoked';
  const none = code === 'no_link';
  return (
    <Sheet
      given={given}
      page="closed"
      main={
        taken && (
          <Button act="continue" kind="main" onTap={act.reload}>
            {w.continueHere}
          </Button>
        )
      }
    >
      <Heading page="closed">{taken ? w.closedTaken : expired ? w.closedExpired : none ? w.noLink : w.closedUnknown}</Heading>
      <p class="lead">{taken ? w.closedTakenNext : expired ? w.closedExpiredNext : none ? w.noLinkNext : w.closedUnknownNext}</p>
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
