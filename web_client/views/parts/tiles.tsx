/** Third parties in the visit: a small picture each, with who they are and whether they can be heard and are recorded. */
import type { CallFacts } from '../../core/call';
import { trackOf } from '../../core/peer';
import type { Guest } from '../../core/wire';
import type { VisitWords as Words } from '../../words/kinds';
import { Icon } from './icon';
import { Picture } from './picture';
import '../../style/tiles.css';

/** The third parties that are in the visit now, oneself left out. */
export function guestsIn(call: CallFacts): readonly Guest[] {
  const state = call.session.state;
  return state?.phase === 'live' ? state.guests.filter((each) => each.admitted && each.seat !== state.you.seat) : [];
}

interface Given {
  call: CallFacts;
  w: Words;
  nudge?: number;
}

export function Tiles({ call, w, nudge }: Given) {
  const guests = guestsIn(call);
  return guests.length === 0 ? null : (
    <ul class="tiles" aria-label={w.guests} data-tiles={guests.length}>
      {guests.map((each) => {
        const camera = trackOf(call.peer, each.seat, 'camera');
        const face = each.camera === 'on' && camera !== undefined && call.session.state?.you.soundOnly !== true;
        const away = !each.present || each.media === 'none' || each.media === 'silent';
        return (
          <li key={each.seat} class={face && !away ? '' : 'faceless'} data-tile={each.seat}>
            <Picture name={each.seat} label={w.guestAs[each.as]} tracks={[camera, trackOf(call.peer, each.seat, 'microphone')]} {...(nudge === undefined ? {} : { nudge })} />
            {(!face || away) && <Icon name="person" />}
            <span>
              {each.microphone !== 'on' && <Icon name="micOff" />}
              {w.guestAs[each.as]}
              <small>{!each.present ? w.guestAway : away ? w.guestComing : each.consent === 'agreed' ? '' : w.recOff}</small>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
