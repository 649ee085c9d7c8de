/** The middle: whom the doctor has before them, and the hospital's own prescribing page. */
import { parseSummary } from '../../core/summary';
import { doctorView } from '../../core/visit';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { useLazy } from '../parts/lazy';
import { patientFacts, patientName } from './names';
import { Prescriptions } from './prescriptions';
import type { DoctorGiven } from './shape';
import { PatientSummary } from './summary';
import { Writing } from './writing';

export function Workspace(given: DoctorGiven) {
  const { now, w, act, prescribing } = given;
  const state = now.call.session.state;
  const view = doctorView(now.call.session);
  const someone = state !== null && (view === 'live' || view === 'ready' || view === 'ended');
  const config = state?.slot ?? null;
  const weight = parseSummary(state?.summary)?.weightKg;
  const opened = prescribing && view === 'live';
  const part = useLazy(opened && config !== null, () => import('./slot'));
  return (
    <section class="work" id="work" tabIndex={-1} aria-label={w.summary}>
      <div class="pt">
        <Heading page={`desk.${view}`} level={2}>{someone ? patientName(state.patient, w) : w.nobody}</Heading>
        {someone ? (
          <>
            <span class="quiet">{[patientFacts(state.patient, w), weight == null ? '' : w.weight(weight)].filter(Boolean).join(' · ')}</span>
            {view === 'live' && <span class="pill good">{w.queueNow}</span>}
            {view === 'ready' && <span class="pill flat">{w.queue}</span>}
            {view === 'ended' && <span class="pill flat">{w.deskEndDone}</span>}
            {view === 'live' && (
              <Button act="prescribe" kind="soft" icon="paper" pressed={prescribing} onTap={act.prescribe}>
                {prescribing ? w.rxClose : w.rxOpen} <kbd>F9</kbd>
              </Button>
            )}
            <PatientSummary state={state} messages={now.call.messages} w={w} photo={act.photo} />
          </>
        ) : (
          <p class="why">{w.nobodyNext}</p>
        )}
      </div>
      {someone && <Writing key={state.visit} given={given} advising={view !== 'ready'} />}
      {state !== null && <Prescriptions state={state} given={given} />}
      {opened && config !== null && part !== null ? (
        <part.SlotView key={`${state?.visit} ${config.url}`} given={given} />
      ) : (view === 'live' || view === 'ready') && (
        <div class="rx">
          <h3>
            <Icon name="paper" /> {w.rxTitle}
          </h3>
          <p class="quiet">{config === null ? w.rxSoon : w.rxHow}</p>
        </div>
      )}
    </section>
  );
}
