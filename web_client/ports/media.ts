/** Camera, microphone and screen of this browser. */
import type { Captured, MediaPort } from '../core/devices';

const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE_OF_ANY: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 25, max: 30 },
};
const PICTURE: MediaTrackConstraints = { ...PICTURE_OF_ANY, facingMode: 'user' };

function captured(track: MediaStreamTrack): Captured {
  return {
    track,
    enable: (on) => {
      track.enabled = on;
    },
    stop: () => track.stop(),
    whenEnded: (then) => track.addEventListener('ended', then),
    whenTaken: (then) => {
      track.addEventListener('mute', () => then(true));
      track.addEventListener('unmute', () => then(false));
    },
  };
}

function first(tracks: readonly MediaStreamTrack[]): Captured {
  const track = tracks[0];
  if (track === undefined) throw new DOMException('no track', 'NotFoundError');
  return captured(track);
}

export const media: MediaPort = {
  get secure() {
    return window.isSecureContext;
  },
  get able() {
    return navigator.mediaDevices !== undefined;
  },
  get canShareScreen() {
    return navigator.mediaDevices !== undefined && 'getDisplayMedia' in navigator.mediaDevices;
  },
  async capture(source, wish) {
    const which: MediaTrackConstraints = wish === undefined ? {} : 'device' in wish ? { deviceId: { exact: wish.device } } : { facingMode: { ideal: wish.facing } };
    const base = source === 'camera' && wish !== undefined && 'device' in wish ? PICTURE_OF_ANY : source === 'camera' ? PICTURE : SOUND;
    const stream = await navigator.mediaDevices.getUserMedia({ [source === 'camera' ? 'video' : 'audio']: { ...base, ...which } });
    return first(stream.getTracks());
  },
  async list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.flatMap(({ kind, deviceId, label }) =>
      kind === 'audioinput' || kind === 'videoinput' ? [{ source: kind === 'audioinput' ? ('microphone' as const) : ('camera' as const), id: deviceId, label }] : [],
    );
  },
  async captureBoth() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND, video: PICTURE });
    return { microphone: first(stream.getAudioTracks()), camera: first(stream.getVideoTracks()) };
  },
  async captureScreen() {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    const track = stream.getVideoTracks()[0];
    // Text first: a shared report must be legible before it is smooth.
    if (track !== undefined) track.contentHint = 'detail';
    return first(stream.getVideoTracks());
  },
};
