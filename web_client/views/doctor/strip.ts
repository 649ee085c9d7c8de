/** The desk's strip: how picture, sound and connection of the visit at hand are, in one sentence. */
import { unseen, unwanted } from '../../core/shown';
import { doctorView } from '../../core/visit';
import type { DoctorGiven } from './shape';

/** `calm`: nothing is wrong, and nothing is done yet either. */
type Tone = 'good' | 'warn' | 'calm';

/** The one sentence about this connection, the worst first. */
export function deskStrip({ now, w }: Pick<DoctorGiven, 'now' | 'w'>): { words: string; tone: Tone } {
  const { session, peer, devices, level } = now.call;
  const state = session.state;
  const view = doctorView(session);
  if (session.link === 'lost') return { words: w.offline, tone: 'warn' };
  if (view === 'ended') return { words: w.deskEndDone, tone: 'good' };
  if (view === 'ready') return { words: w.deskReady, tone: 'calm' };
  if (view !== 'live' || state === null) return { words: w.deskIdle, tone: 'calm' };
  if (state.held) return { words: w.held, tone: 'warn' };
  const patient = state.seats.patient;
  if (!state.media.available) return { words: w.admitMedia, tone: 'warn' };
  if (!patient.present || patient.media === 'silent') return { words: w.patientLost, tone: 'warn' };
  const silent = patient.microphone === 'failed' || patient.microphone === 'off';
  if (peer.remotes.length === 0) {
    const nothing = patient.microphone === 'failed' && patient.camera === 'failed';
    return { words: nothing ? w.patientNothing : patient.media === 'none' ? w.patientRinging : w.patientConnecting, tone: 'warn' };
  }
  if (peer.transport !== 'connected' || now.call.stalled) return { words: w.offline, tone: 'warn' };
  if (now.call.dumb) return { words: w.myDumb, tone: 'warn' };
  if (devices.microphone.state === 'muted' || devices.microphone.state === 'failed') return { words: w.mySound, tone: 'warn' };
  if (devices.screen.state === 'on') return { words: w.shareOn, tone: 'good' };
  if (silent) return { words: w.patientNoMic, tone: 'warn' };
  if (patient.microphone === 'muted') return { words: w.patientMuted, tone: 'warn' };
  if (state.you.soundOnly) return { words: w.soundOnlyOn, tone: 'good' };
  if (devices.camera.state === 'on' && unwanted(state, 'patient', 'doctor')) return { words: w.patientSoundOnly, tone: 'good' };
  if (now.call.black === 'mine') return { words: w.myBlack, tone: 'warn' };
  if (patient.camera !== 'on') return { words: w.patientNoCamera, tone: 'good' };
  if (devices.camera.state === 'failed') return { words: w.myCamera, tone: 'warn' };
  if (devices.camera.state === 'on' && unseen(state, 'patient', 'doctor')) return { words: w.patientUnseen, tone: 'warn' };
  if (now.call.black === 'theirs') return { words: w.patientBlack, tone: 'warn' };
  if (level === 'audio' || level === 'text') return { words: w.patientPaused, tone: 'warn' };
  if (level === 'slow') return { words: w.patientSlow, tone: 'warn' };
  return { words: w.patientClear, tone: 'good' };
}
