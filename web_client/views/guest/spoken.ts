/** What a guest's page says aloud: what the patient's says, but for the pages that are a guest's own. */
import { ownSeat } from '../../core/visit';
import type { Saying } from '../../core/voice';
import { endTitle } from '../patient/after';
import { doctorName } from '../patient/parts';
import { saying as patientSaying } from '../patient/spoken';
import { lobbySays } from './before';
import type { GuestGiven } from './shape';

export function saying(given: Pick<GuestGiven, 'now' | 'w' | 'browser' | 'low'>): Saying | null {
  const { now, w } = given;
  const state = now.call.session.state;
  const said = (key: string, words: string): Saying => ({ key, words, rank: 'news', unasked: now.page !== 'entry' });
  switch (now.page) {
    case 'entry':
      return state === null ? null : said('entry', w.sentences([w.guestTitle, w.guestInvites(doctorName(state.doctor, w)), w.guestYou(w.guestAs[ownSeat(state).as])]));
    case 'waiting': {
      const words = now.call.session.link === 'lost' ? w.netLost : lobbySays(state, now.steps.answered, w);
      return said(words, words);
    }
    case 'ended':
      return said('ended', w.sentences([endTitle({ now, w }), w.endThanks]));
    default:
      return patientSaying(given);
  }
}
