/** What a page says aloud now: to screen readers always, by the browser's voice on request. */
import type { Saying } from '../../core/voice';
import { deviceSays, networkSays } from './found';
import { liveStrip, lostLong, recordingWords } from './strip';
import { doctorName } from './parts';
import { closedSays } from '../parts/closed';
import { endTitle } from './after';
import { waitSays } from './waiting';
import { moment } from '../parts/moment';
import { guestsIn } from '../parts/tiles';
import type { PatientGiven } from './shape';

const NET = new Set(['net.lost', 'media.away', 'connecting']);

/** Pages that change while nobody touches them. */
const UNASKED = new Set(['closed', 'waiting', 'live', 'ended']);

type Given = Pick<PatientGiven, 'now' | 'w' | 'browser' | 'low'>;

/** One sentence or a few; null where there is nothing to say. */
export function saying({ now, w, browser, low }: Given): Saying | null {
  const said = (key: string, words: string, rank: Saying['rank'] = 'news', paced = false): Saying => ({ key, words, rank, paced, unasked: UNASKED.has(now.page) });
  const { session, devices } = now.call;
  const state = session.state;
  switch (now.page) {
    case 'opening':
      return null;
    case 'closed': {
      const { title, next } = closedSays(session.code, w);
      return said('closed', w.sentences([title, next]));
    }
    case 'early':
      return said('early', w.sentences([w.earlyTitle, `${w.earlyAt} ${moment(Date.parse(state?.times.scheduled ?? ''), w.tag)}`, w.earlyNext]));
    case 'entry':
      return said('entry', w.sentences([`${w.entryConfirm} ${doctorName(state?.doctor, w)}`, w.emergency]));
    case 'consent':
      return now.consent === null ? null : said(`consent.${now.consent.version}`, w.sentences([w.consentTitle, `${w.consentAsk} ${now.consent.text}`]));
    case 'declined':
      return said('declined', w.sentences([w.declinedTitle, w.declinedSay]));
    case 'check': {
      const lines = [deviceSays('camera', devices.camera, w, browser), deviceSays('microphone', devices.microphone, w, browser), now.network === 'trying' ? null : networkSays(now.network, w)];
      const words = lines.flatMap((each) => (each === null ? [] : [each.words]));
      return words.length === 0 ? said('check', w.checkAsk) : said(`check.${words.join()}`, [...new Set(words)].join(' '));
    }
    case 'waiting': {
      if (session.link === 'lost') return lostLong(session, Date.now()) ? said('net.failed', w.netFailed, 'net') : said('net.lost', w.netLost, 'net');
      if (state?.phase !== 'waiting') return null;
      const ahead = state.ahead ?? 0;
      const { before, n, after } = w.waitAhead(ahead);
      const power = low ? w.batteryLow : '';
      const late = state.phoneBack ? 'phone' : state.rebook ? 'rebook' : (state.wait.late ?? '');
      // A broken promise is told at once; a position at most once a minute.
      return said(`wait.${ahead}.${late}.${power}`, w.sentences([ahead === 0 ? w.waitNext : `${before}${n} ${after}`, waitSays(state, w), power]), 'news', late === '' && power === '');
    }
    case 'called':
      return said('called', w.waitCalled(doctorName(state?.doctor, w)), 'call');
    case 'live': {
      if (state === null) return null;
      const strip = liveStrip({ now, w, low });
      const power = strip.more === w.batteryLow ? w.batteryLow : '';
      const recording = recordingWords(state, w);
      const guests = w.list(guestsIn(now.call).map((each) => w.guestAs[each.as]));
      const words = [strip.words, strip.tone === 'good' || state.recording.state !== 'on' ? recording.words : '', power, guests && w.named(w.guests, guests)];
      return said(`live.${strip.key}.${strip.long ?? ''}.${power}.${state.recording.state}.${guests}`, w.sentences(words), NET.has(strip.key) ? 'net' : 'news');
    }
    case 'ended':
      return said('ended', w.sentences([endTitle({ now, w }), state?.advice ? w.named(w.endAdvice, state.advice) : '']));
  }
}
