/** The ends: the visit is over, or this page cannot go on, and why. */
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { clockwise } from '../parts/length';
import { Call120, Sheet, WhoDoctor } from './parts';
import type { PatientGiven } from './shape';

export function Ended(given: PatientGiven) {
  const { now, w } = given;
  const state = now.call.session.state;
  const began = Date.parse(state?.times.live ?? '');
  const ended = Date.parse(state?.times.ended ?? '');
  const reason = state?.ended?.reason;
  const happened = !Number.isNaN(began);
  const title =
    reason === 'consent_withdrawn' ? w.endWithdrawn : reason === 'abandoned' ? w.endAbandoned : happened ? w.endDone : w.endNever;
  const recorded = happened && state?.recording.since !== null;
  return (
    <Sheet given={given} page="ended" foot={<Call120 w={w} />}>
      <Heading page="ended">{title}</Heading>
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
      {happened && <p class="quiet">{w.endAgain}</p>}
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
      foot={
        <>
          {taken && (
            <Button act="continue" kind="main" onTap={act.reload}>
              {w.continueHere}
            </Button>
          )}
          <Call120 w={w} />
        </>
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
    <Sheet given={given} page="opening" foot={<Call120 w={w} />}>
      <Heading page="opening">{w.opening}</Heading>
      {now.call.session.link === 'lost' && <p class="lead">{w.openingSlow}</p>}
    </Sheet>
  );
}
