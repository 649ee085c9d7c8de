/** The patient's page: one view a state, and one announcer for all of them. */
import { Said } from '../parts/said';
import { Closed, Ended, Opening } from './after';
import { Consent, Declined, Entry } from './before';
import { Called } from './called';
import { Check } from './check';
import { Live, liveStrip } from './live';
import type { PatientGiven } from './shape';
import { saying } from './spoken';
import { Waiting } from './waiting';

const VIEWS = {
  opening: Opening,
  closed: Closed,
  entry: Entry,
  consent: Consent,
  declined: Declined,
  check: Check,
  waiting: Waiting,
  called: Called,
  live: Live,
  ended: Ended,
};

export function PatientPageView(given: PatientGiven) {
  const { now } = given;
  const View = VIEWS[now.page];
  const said = saying(given);
  const urgent = said !== null && (said.rank !== 'news' || (now.page === 'live' && liveStrip(given).tone === 'warn'));
  // The page's heading takes the focus and is read with it: only what changes while one stays is told here.
  const told = now.page === 'entry' || now.page === 'consent' || now.page === 'declined' || now.page === 'ended' ? '' : (said?.words ?? '');
  return (
    <>
      <View {...given} />
      <Said polite={urgent ? '' : told} urgent={urgent ? told : ''} />
    </>
  );
}
