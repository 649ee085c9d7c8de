/** Third parties who came by their links: let in, asked out, each with one click. */
import type { Guest, GuestSeat } from '../../core/wire';
import type { DoctorWords as Words } from '../../words/kinds';
import { Button } from '../parts/button';

interface Given {
  guests: readonly Guest[];
  w: Words;
  act: { guest(seat: GuestSeat, inside: boolean): void };
}

function stands(guest: Guest, w: Words): string {
  if (!guest.present) return w.guestAway;
  if (guest.admitted) return w.guestInside;
  if (guest.consent === 'undecided') return w.guestReading;
  return guest.consent === 'agreed' ? w.guestHere : w.guestRefused;
}

export function Guests({ guests, w, act }: Given) {
  const shown = guests.filter((each) => each.present || each.admitted);
  return shown.length === 0 ? null : (
    <ul class="card guests" aria-label={w.guests} data-guests>
      {shown.map((each) => (
        <li key={each.seat} data-guest={each.seat}>
          <span>
            <b>{w.guestAs[each.as]}</b> <small>{stands(each, w)}</small>
          </span>
          <Button
            act={each.admitted ? 'guest-out' : 'guest-in'}
            kind={each.admitted ? 'soft' : 'main'}
            disabled={!each.admitted && each.consent === 'undecided'}
            onTap={() => act.guest(each.seat, !each.admitted)}
          >
            {each.admitted ? w.guestOut : w.guestIn}
          </Button>
        </li>
      ))}
    </ul>
  );
}
