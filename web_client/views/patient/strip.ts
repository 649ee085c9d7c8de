/** The visit in one sentence: how picture, sound and recording are. */
import { unseen, unwanted } from '../../core/shown';
import { gapSeconds } from '../../core/visit';
import type { State } from '../../core/wire';
import type { PatientWords as Words } from '../../words/kinds';
import type { IconName } from '../parts/icon';
import type { PatientGiven } from './shape';

export interface Strip {
  readonly words: string;
  readonly tone: 'good' | 'warn';
  readonly icon: IconName;
  readonly key: string;
  readonly more?: string;
  /** So long away that there should be another way: the telephone. */
  readonly long?: boolean;
}

/** After this long the patient is told of another way. */
const LONG_LOST_MS = 15_000;

/** Whether the connection has been away so long that waiting for it is no advice. */
export function lostLong({ lostAt }: { readonly lostAt: number | null }, clock: number): boolean {
  return lostAt !== null && clock - lostAt > LONG_LOST_MS;
}

/** The one sentence that is true now, the worst first; who is muted is told so beside it. */
export function liveStrip(given: Pick<PatientGiven, 'now' | 'w'> & { readonly low?: boolean }, clock = Date.now()): Strip {
  const strip = worst(given, clock);
  const muted = given.now.call.devices.microphone.state === 'muted' && strip.key !== 'muted';
  if (strip.more !== undefined) return strip;
  if (muted) return { ...strip, more: given.w.liveMuted };
  return given.low ? { ...strip, more: given.w.batteryLow } : strip;
}

function worst({ now, w }: Pick<PatientGiven, 'now' | 'w'>, clock: number): Strip {
  const { session, peer, devices, level } = now.call;
  const state = session.state;
  const doctor = state?.seats.doctor;
  if (session.link !== 'open') {
    const long = lostLong(session, clock);
    return { words: long ? w.netFailed : w.netLost, ...(long ? { long } : { more: w.netWait }), tone: 'warn', icon: 'back', key: 'net.lost' };
  }
  if ((peer.transport !== 'connected' || now.call.stalled) && peer.remotes.length > 0) return { words: w.liveMediaAway, tone: 'warn', icon: 'back', key: 'media.away' };
  if (state?.media.available === false) return { words: w.liveMediaAway, tone: 'warn', icon: 'back', key: 'media.away' };
  if (state?.held) return { words: w.liveDoctorAway, tone: 'warn', icon: 'person', key: 'hold' };
  if (doctor?.present === false) return { words: w.liveDoctorAway, tone: 'warn', icon: 'person', key: 'doctor.away' };
  if (doctor?.media === 'silent') return { words: w.liveDoctorLost, tone: 'warn', icon: 'back', key: 'doctor.lost' };
  if (peer.remotes.length === 0) return { words: w.liveConnecting, tone: 'warn', icon: 'back', key: 'connecting' };
  if (devices.microphone.state === 'failed') return { words: w.liveNoMic, tone: 'warn', icon: 'micOff', key: 'mic.failed' };
  if (devices.microphone.taken) return { words: w.liveTaken, tone: 'warn', icon: 'micOff', key: 'taken' };
  if (now.call.dumb) return { words: w.liveDumb, tone: 'warn', icon: 'micOff', key: 'mic.dumb' };
  if (devices.microphone.state === 'muted') return { words: w.liveMuted, tone: 'warn', icon: 'micOff', key: 'muted' };
  if (peer.remotes.some((each) => each.source === 'screen')) return { words: w.liveScreen, tone: 'good', icon: 'share', key: 'screen' };
  if (state?.you.soundOnly) return { words: w.liveSoundOnly, tone: 'good', icon: 'sound', key: 'sound.only' };
  if (state != null && devices.camera.state === 'on' && unwanted(state, 'doctor', state.you.seat)) return { words: w.liveTheySoundOnly, tone: 'good', icon: 'sound', key: 'sound.only.theirs' };
  if (now.call.black === 'mine') return { words: w.liveBlackMine, tone: 'warn', icon: 'cameraOff', key: 'black.mine' };
  if (doctor !== undefined && doctor.camera !== 'on') return { words: w.liveTheirCamera, tone: 'good', icon: 'cameraOff', key: 'their.camera' };
  // What one sees oneself first: a face that stands still, with no word of it, looks like a page that broke.
  const hidden = state != null && doctor?.camera === 'on' && devices.camera.state === 'on' && unseen(state, 'doctor', state.you.seat);
  if (level === 'text') return { words: w.liveText, tone: 'warn', icon: 'chat', key: 'text' };
  if (level === 'audio') return { words: w.liveAudio, ...(hidden ? { more: w.liveUnseen } : {}), tone: 'warn', icon: 'bars', key: 'audio' };
  if (hidden) return { words: w.liveUnseen, tone: 'warn', icon: 'bars', key: 'unseen' };
  if (now.call.black === 'theirs') return { words: w.liveBlackTheirs, tone: 'warn', icon: 'cameraOff', key: 'black.theirs' };
  if (level === 'slow') return { words: w.liveSlow, tone: 'warn', icon: 'bars', key: 'slow' };
  return { words: w.liveGood, tone: 'good', icon: 'tick', key: 'good' };
}

export function recordingWords(state: State, w: Words): { words: string; on: boolean } {
  const gap = gapSeconds(state, 'patient') + gapSeconds(state, 'doctor');
  switch (state.recording.state) {
    case 'on':
      return { words: gap > 0 ? w.recGap(gap) : w.recOn, on: true };
    case 'starting':
      return { words: w.recStarting, on: false };
    case 'interrupted':
      return { words: w.recInterrupted, on: false };
    case 'closed':
      return { words: w.recClosed, on: false };
    case 'off':
      return { words: w.recOff, on: false };
  }
}
