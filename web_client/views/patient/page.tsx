/** The patient's page: one view a state, and one announcer for all of them. */
import { useLazy } from '../parts/lazy';
import { Said } from '../parts/said';
import { Closed, Opening } from './after';
import { Consent, Declined, Entry } from './before';
import { Called } from './called';
import type { PatientGiven } from './shape';
import { saying } from './spoken';
import { liveStrip } from './strip';
import { Waiting } from './waiting';

const VIEWS = {
  opening: Opening,
  closed: Closed,
  entry: Entry,
  consent: Consent,
  declined: Declined,
  waiting: Waiting,
  called: Called,
};

export function PatientPageView(given: PatientGiven) {
  const { now } = given;
  const later = useLazy(now.page !== 'opening' && now.page !== 'closed', () => import('./later'));
  const fetched = later && { early: later.Early, check: later.Check, live: later.Live, ended: later.Ended };
  const View = now.page in VIEWS ? VIEWS[now.page as keyof typeof VIEWS] : (fetched?.[now.page as keyof typeof fetched] ?? Opening);
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
