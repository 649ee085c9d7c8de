/** A guest's pages after the visit. */
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { endTitle } from '../patient/after';
import { Sheet, WhoDoctor } from '../patient/parts';
import type { GuestGiven } from './shape';

/** The guest left by a tap, and may come again. */
export function Left(given: GuestGiven) {
  const { w, act } = given;
  return (
    <Sheet
      given={given}
      page="closed"
      says120
      main={
        <Button act="continue" kind="main" onTap={act.reload}>
          {w.continueHere}
        </Button>
      }
    >
      <Heading page="closed">{w.guestLeft}</Heading>
      <p class="lead">{w.endThanks}</p>
    </Sheet>
  );
}

export function Ended(given: GuestGiven) {
  const { now, w } = given;
  return (
    <Sheet given={given} page="ended" says120>
      <Heading page="ended">{endTitle(given)}</Heading>
      <p class="lead">{w.endThanks}</p>
      <WhoDoctor doctor={now.call.session.state?.doctor} w={w} />
    </Sheet>
  );
}
