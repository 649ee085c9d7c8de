/** Camera, microphone and screen of this browser. */
import type { Captured, MediaPort } from '../core/devices';

const SOUND: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE: MediaTrackConstraints = {
  facingMode: 'user',
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 25, max: 30 },
};

function captured(track: MediaStreamTrack): Captured {
  return {
    track,
    enable: (on) => {
      track.enabled = on;
    },
    stop: () => track.stop(),
    whenEnded: (then) => track.addEventListener('ended', then),
  };
}

function first(tracks: readonly MediaStreamTrack[]): Captured {
  const track = tracks[0];
  if (track === undefined) throw new DOMException('no track', 'NotFoundError');
  return captured(track);
}

export const media: MediaPort = {
  get secure() {
    return window.isSecureContext && navigator.mediaDevices !== undefined;
  },
  get canShareScreen() {
    return navigator.mediaDevices !== undefined && 'getDisplayMedia' in navigator.mediaDevices;
  },
  async capture(source) {
    const stream = await navigator.mediaDevices.getUserMedia(source === 'microphone' ? { audio: SOUND } : { video: PICTURE });
    return first(stream.getTracks());
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
