/** The patient's page: one view a state, and one announcer for all of them. */
import { Said } from '../parts/said';
import { Closed, Ended, Opening } from './after';
import { Consent, Declined, Entry } from './before';
import { Check, deviceSays } from './check';
import { Live, liveStrip, recordingWords } from './live';
import { doctorName } from './parts';
import type { PatientGiven } from './shape';
import { Waiting } from './waiting';

const VIEWS = {
  opening: Opening,
  closed: Closed,
  entry: Entry,
  consent: Consent,
  declined: Declined,
  check: Check,
  waiting: Waiting,
  live: Live,
  ended: Ended,
};

/** What is said aloud now: the polite sentence and the urgent one. */
function spoken(given: PatientGiven): { polite: string; urgent: string } {
  const { now, w } = given;
  const { session, devices } = now.call;
  const state = session.state;
  if (now.page === 'check') {
    const lines = [deviceSays('camera', devices.camera, w), deviceSays('microphone', devices.microphone, w)];
    return { polite: lines.flatMap((each) => (each === null ? [] : [each.words])).join(' '), urgent: '' };
  }
  if (now.page === 'waiting') {
    if (session.link === 'lost') return { polite: '', urgent: w.netLost };
    const ahead = state?.ahead ?? 0;
    const { before, n, after } = w.waitAhead(ahead);
    return { polite: ahead === 0 ? w.waitNext : `${before}${n} ${after}`, urgent: '' };
  }
  if (now.page === 'live' && state !== null) {
    const strip = liveStrip(given);
    const called = strip.key === 'connecting' ? w.waitCalled(doctorName(state.doctor, w)) : '';
    return { polite: `${strip.tone === 'good' ? strip.words : ''} ${recordingWords(state, w).words}`, urgent: called || (strip.tone === 'warn' ? strip.words : '') };
  }
  return { polite: '', urgent: '' };
}

export function PatientPageView(given: PatientGiven) {
  const View = VIEWS[given.now.page];
  return (
    <>
      <View {...given} />
      <Said {...spoken(given)} />
    </>
  );
}
