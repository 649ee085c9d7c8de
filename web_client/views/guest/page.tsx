/** A guest's page: one view a state, and one announcer for all of them. */
import { useLazy } from '../parts/lazy';
import { Said } from '../parts/said';
import { Closed, Opening } from '../patient/after';
import { Consent, Declined } from '../patient/before';
import { Check } from '../patient/check';
import { Entry, Lobby } from './before';
import type { GuestGiven } from './shape';
import { saying } from './spoken';

const VIEWS = { opening: Opening, closed: Closed, entry: Entry, consent: Consent, declined: Declined, check: Check, waiting: Lobby, called: Opening };

export function GuestPageView(given: GuestGiven) {
  const { now } = given;
  const left = now.call.session.code === 'closed';
  const later = useLazy(left || (now.page !== 'opening' && now.page !== 'closed'), () => import('./later'));
  const View = now.page === 'live' ? (later?.Live ?? Opening) : now.page === 'ended' ? (later?.Ended ?? Opening) : left ? (later?.Left ?? Opening) : VIEWS[now.page];
  const told = now.page === 'consent' || now.page === 'declined' || now.page === 'ended' ? '' : (saying(given)?.words ?? '');
  return (
    <>
      <View {...given} />
      <Said polite={told} />
    </>
  );
}
