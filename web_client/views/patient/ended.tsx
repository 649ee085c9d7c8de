/** The end of a visit, as the patient reads it. */
import { secondsToReturn } from '../../core/visit';
import { tongue } from '../../core/tongue';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { clockwise } from '../parts/length';
import { moment } from '../parts/moment';
import { useTick } from '../parts/snapshot';
import { endTitle } from './after';
import { Sheet, WhoDoctor } from './parts';
import { Phones } from './phones';
import type { PatientGiven } from './shape';

/** The visit is over: what to do next first, then what was, then what can be kept. */
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
  const stopped = state?.ended?.reason === 'server_stopped';
  // The page goes along to the other doctor by itself.
  const moving = state?.ended?.reason === 'transferred';
  const elder = given.mode !== 'normal';
  // An app's own view of pages prints nothing.
  const prints = given.browser !== 'wechat' && given.browser !== 'inapp';
  const undo =
    left !== null && now.noReturn === null && now.call.session.link === 'open' ? (
      <Button act="reconnect" kind={elder ? 'main' : 'soft'} icon="left" disabled={now.busy} onTap={given.act.reconnect}>
        {w.endUndo(left)}
      </Button>
    ) : undefined;
  return (
    // Elder mode docks it, too: there is a minute, and below the fold nobody looks for it.
    <Sheet given={given} page="ended" main={elder ? undo : undefined} rest={elder ? undefined : undo}>
      <Heading page="ended">{endTitle(given)}</Heading>
      {now.noReturn !== null && <p class="state warn">{now.noReturn === 'recorder_unavailable' ? w.endSealed : w.endNoReturn}</p>}
      {/* What is to be done next is why one reads this page: it stands first. */}
      {state?.advice && (
        <section class="hero text" aria-label={w.endAdvice} data-advice>
          <h2>{w.endAdvice}</h2>
          {state.advice.split(/\n+/).map((each) => <p key={each} lang={tongue(each)}>{each}</p>)}
        </section>
      )}
      {state?.advice && (prints ? (
        <Button act="print" kind="soft" icon="paper" onTap={given.act.print}>
          {w.endPrint}
        </Button>
      ) : (
        <p class="quiet">{w.endKeep}</p>
      ))}
      {!moving && (!happened || !state?.advice) && <p class="lead">{happened && !stopped ? w.endThanks : w.endNeverNext}</p>}
      <WhoDoctor doctor={state?.doctor} w={w} />
      {happened && (
        <dl class="hero facts">
          <div>
            <dt>{w.endWhen}</dt>
            <dd class="num">{moment(began, w.tag)}</dd>
          </div>
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
      {happened && rating !== null && <rating.Rating given={given} />}
      {receipt !== null && <receipt.Receipt {...given.act.receipt()} w={w} />}
      {happened && <p class="quiet">{w.endAgain}</p>}
      <Phones of={state} w={w} says120 />
      {happened && state?.advice && <p class="quiet">{w.endThanks}</p>}
    </Sheet>
  );
}
