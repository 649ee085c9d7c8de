/** The middle: whom the doctor has before them, and the place where prescribing will be. */
import { doctorView } from '../../core/visit';
import { Heading } from '../parts/heading';
import { Icon } from '../parts/icon';
import { patientFacts, patientName } from './names';
import type { DoctorGiven } from './shape';

export function Workspace({ now, w }: DoctorGiven) {
  const state = now.call.session.state;
  const view = doctorView(now.call.session);
  const someone = state !== null && (view === 'live' || view === 'ready' || view === 'ended');
  return (
    <section class="work" id="work" tabIndex={-1} aria-label={w.summary}>
      <div class="pt">
        <Heading page={`desk.${view}`} level={2}>{someone ? patientName(state.patient, w) : w.nobody}</Heading>
        {someone ? (
          <>
            <span class="quiet">{patientFacts(state.patient, w)}</span>
            {view === 'live' && <span class="pill good">{w.queueNow}</span>}
            {view === 'ready' && <span class="pill flat">{w.queue}</span>}
            {view === 'ended' && <span class="pill flat">{w.deskEndDone}</span>}
            <p class="why">
              <b>{w.complaint}</b> {state.patient.complaint ?? w.noComplaint}
            </p>
          </>
        ) : (
          <p class="why">{w.nobodyNext}</p>
        )}
      </div>
      <div class="rx">
        <h3>
          <Icon name="paper" /> {w.rxTitle}
        </h3>
        <p class="quiet">{w.rxSoon}</p>
      </div>
    </section>
  );
}
