/** Who is shown whose face, by `pictures` of a state (PROTOCOL.md §4). Of a third party's face nothing follows for the others'. */
import type { State } from './wire';

function hides(state: State, viewer: string, of: string, asked: boolean): boolean {
  const face = state.tracks.find((each) => each.seat === of && each.source === 'camera')?.id;
  return state.pictures.some((each) => each.track === face && each.seat === viewer && !each.shown && (each.why === 'asked') === asked);
}

/** Whether `viewer` is shown no moving picture of `of`, for want of network. */
export function unseen(state: State, viewer: string, of: string): boolean {
  return hides(state, viewer, of, false);
}

/** Whether `viewer` wants none: by hand, so no network is to blame. */
export function unwanted(state: State, viewer: string, of: string): boolean {
  return hides(state, viewer, of, true);
}

/** Whether this seat is shown nobody's face for want of network: the doctor's to the patient, the patient's to the doctor, both to a guest. */
export function blind(state: State): boolean {
  const me = state.you.seat;
  const faces = state.tracks.filter((each) => each.source === 'camera' && each.seat !== me && (each.seat === 'doctor' || each.seat === 'patient'));
  return faces.length > 0 && faces.every((each) => unseen(state, me, each.seat));
}
