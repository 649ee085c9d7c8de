/** A guest's page: one view a state, and one announcer for all of them. */
import { useLazy } from '../parts/lazy';
import { Said } from '../parts/said';
import { Closed, Opening } from '../patient/after';
import { Consent, Declined } from '../patient/before';
import { Entry, Lobby } from './before';
import type { GuestGiven } from './shape';
import { saying } from './spoken';

const VIEWS = { opening: Opening, closed: Closed, entry: Entry, consent: Consent, declined: Declined, waiting: Lobby, called: Opening };

export function GuestPageView(given: GuestGiven) {
  const { now } = given;
  const left = now.call.session.code === 'closed';
  const later = useLazy(left || (now.page !== 'opening' && now.page !== 'closed'), () => import('./later'));
  const fetched = later && { check: later.Check, live: later.Live, ended: later.Ended, closed: left ? later.Left : Closed };
  const View = now.page in VIEWS && !left ? VIEWS[now.page as keyof typeof VIEWS] : (fetched?.[now.page as keyof typeof fetched] ?? Opening);
  const told = now.page === 'consent' || now.page === 'declined' || now.page === 'ended' ? '' : (saying(given)?.words ?? '');
  return (
    <>
      <View {...given} />
      <Said polite={told} />
    </>
  );
}
