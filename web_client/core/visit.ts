/** Which page a person sees: one pure function of the facts a role. */
import type { SessionFacts } from './session';
import type { Guest, State } from './wire';

export type PatientPage = 'opening' | 'closed' | 'early' | 'entry' | 'consent' | 'declined' | 'check' | 'waiting' | 'called' | 'live' | 'ended';

/** What the patient did on this page and the server need not know. */
export interface Steps {
  /** The patient wants in before the time that was booked. */
  readonly early: boolean;
  /** 是我: the patient said who they are. */
  readonly confirmed: boolean;
  /** The device check is done, or was put off. */
  readonly checked: boolean;
  /** After a refusal the patient wants to read the consent again. */
  readonly reconsidering: boolean;
  /** The doctor's call was taken: with a tap in elder mode, by itself otherwise. */
  readonly answered: boolean;
}

/** So long before a booked time the waiting room is open: whoever comes sooner is told when, and may come in all the same. */
const OPENS_BEFORE_MS = 30 * 60_000;

/** Milliseconds until the waiting room of a booked visit opens; null if it is open, or nothing was booked. `now` is the server's clock. */
export function opensIn(state: State, now: number): number | null {
  const left = Date.parse(state.times.scheduled ?? '') - OPENS_BEFORE_MS - now;
  return state.phase === 'scheduled' && left > 0 ? left : null;
}

/** `now` is the server's clock, in ms. */
export function patientPage(session: SessionFacts, steps: Steps, now: number): PatientPage {
  const state = session.state;
  if (state?.phase === 'ended') return 'ended';
  if (session.link === 'over') return 'closed';
  if (state === null) return 'opening';
  if (state.phase === 'live') return steps.answered ? 'live' : 'called';
  if (!steps.early && opensIn(state, now) !== null) return 'early';
  const decided = state.seats.patient.consent;
  const gone = decided === 'refused' || decided === 'withdrawn';
  if (gone && state.consent.required && !steps.reconsidering) return 'declined';
  if (state.phase === 'waiting' && decided !== 'undecided' && !steps.reconsidering) return 'waiting';
  if (!steps.confirmed) return 'entry';
  if (decided === 'undecided' || steps.reconsidering) return 'consent';
  return steps.checked ? 'waiting' : 'check';
}

/** A third party's pages: `waiting` is the lobby, and in the visit is who the doctor let in (SIG-26). */
export function guestPage(session: SessionFacts, steps: Steps): PatientPage {
  const state = session.state;
  if (state?.phase === 'ended') return 'ended';
  if (session.link === 'over') return 'closed';
  if (state === null) return 'opening';
  const mine = ownSeat(state);
  if (mine.admitted && state.phase === 'live') return 'live';
  const gone = mine.consent === 'refused' || mine.consent === 'withdrawn';
  if (gone && state.consent.required && !steps.reconsidering) return 'declined';
  if (!steps.confirmed) return 'entry';
  if (mine.consent === 'undecided' || steps.reconsidering) return 'consent';
  return steps.checked ? 'waiting' : 'check';
}

/** One's own seat among the guests; nobody's where the page is not a guest's. */
export function ownSeat(state: State): Pick<Guest, 'as' | 'consent' | 'admitted'> {
  return state.guests.find((each) => each.seat === state.you.seat) ?? { as: 'family', consent: 'undecided', admitted: false };
}

type DoctorView = 'opening' | 'closed' | 'idle' | 'ready' | 'live' | 'ended';

/** What the doctor's picture column shows. */
export function doctorView(session: SessionFacts): DoctorView {
  const state = session.state;
  if (state === null) return session.link === 'over' ? 'closed' : 'opening';
  if (state.phase === 'ended') return 'ended';
  if (session.link === 'over') return 'closed';
  if (state.phase === 'live') return 'live';
  return state.phase === 'waiting' ? 'ready' : 'idle';
}

/** Seconds of an estimate → whole minutes to say: never nought, and never narrower than it is. */
export function minutesOf(estimate: { readonly low: number; readonly high: number }): { from: number; to: number } {
  const from = Math.max(1, Math.floor(estimate.low / 60));
  return { from, to: Math.max(from, Math.ceil(estimate.high / 60)) };
}

/** A visit that ended by mistake may be taken up again this long (SIG-25). */
const RECONNECT_MS = 60_000;

/** Seconds left to come back, or null if it is no use. `now` is the server's clock. */
export function secondsToReturn(state: State, now: number): number | null {
  const reason = state.ended?.reason;
  if (reason !== 'completed' && reason !== 'left') return null;
  const gone = since(state.times.ended, now);
  if (state.times.live === null || gone === null || gone >= RECONNECT_MS) return null;
  return Math.ceil((RECONNECT_MS - gone) / 1000);
}

/** The recording's gaps of one stream, in whole seconds. */
export function gapSeconds(state: State, stream: string): number {
  const ms = state.recording.gaps.filter((gap) => gap.stream === stream).reduce((sum, gap) => sum + gap.to_ms - gap.from_ms, 0);
  return Math.ceil(ms / 1000);
}

/** Milliseconds since an instant, never negative; null if the instant is unknown. */
export function since(instant: string | null, now: number): number | null {
  const at = instant === null ? Number.NaN : Date.parse(instant);
  return Number.isNaN(at) ? null : Math.max(0, now - at);
}
