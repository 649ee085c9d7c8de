/**
 * In which sizes a picture is sent. The last one that is active is the best: the recorder's, and that of viewers whose path carries
 * it. The one below follows what the weakest viewer can take (`you.send`, MEDIA-8). Where nobody needs a small one, the first
 * encoding alone is the whole picture: a browser fits a picture that is alone to any uplink, and wastes nothing of it.
 */
import type { Source } from './wire';

/** As RTCRtpEncodingParameters names them; bits a second. */
interface Size {
  readonly active: boolean;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
  readonly maxFramerate: number;
  /** How a stream is made of layers (W3C webrtc-svc). */
  readonly scalabilityMode?: string;
}

const CAMERA_BPS = 1_800_000;
const SCREEN_BPS = 1_500_000;
const LAYERS_BPS = 2_300_000;
/** Below so many lines a Chromium makes two sizes at the most, and leaves out the biggest of three. */
const THREE_FROM_LINES = 540;

/**
 * `lines`: the shorter side of the picture, null if unknown; `wish`: bits a second for the size below the best; `bigger`: it was
 * sent bigger than half (every change of size is a keyframe, so it does not go back and forth).
 */
export function sizesOf(source: Source | null, lines: number | null, wish: number | null, bigger = false): Size[] {
  const ease = bigger ? 0.7 : 1;
  if (source === 'screen') {
    // Text stays legible at its full size; it moves less often instead.
    if (wish === 0) return [size(1, SCREEN_BPS), none];
    return [{ ...size(1, within(wish ?? 250_000, 60_000, 800_000)), maxFramerate: (wish ?? 0) > 300_000 ? 10 : 5 }, size(1, SCREEN_BPS)];
  }
  if (source !== 'camera') return [];
  if (wish === 0) return [size(1, CAMERA_BPS), none, none];
  if (lines !== null && lines < THREE_FROM_LINES) {
    const small = within(wish ?? 250_000, 50_000, 1_000_000);
    return [size(small > 450_000 * ease ? 4 / 3 : 2, small), size(1, CAMERA_BPS), none];
  }
  const middle = within(wish ?? 400_000, 150_000, 1_200_000);
  return [size(4, within(wish ?? 100_000, 50_000, 100_000)), size(middle > 700_000 * ease ? 4 / 3 : 2, middle), size(1, CAMERA_BPS)];
}

/**
 * A camera in layers of one stream: three sizes that do not lean on each other (a recording of the biggest is a plain stream, which
 * every player shows), or the whole picture alone. A browser leaves out what is too small, and the big ones on a weak uplink.
 */
export function layersOf(wish: number | null): Size[] {
  const whole = wish === 0;
  return [{ ...size(1, whole ? CAMERA_BPS : LAYERS_BPS), scalabilityMode: whole ? 'L1T3' : 'S3T3' }];
}

function size(scaleResolutionDownBy: number, maxBitrate: number): Size {
  return { active: true, scaleResolutionDownBy, maxBitrate, maxFramerate: 30 };
}

const none: Size = { ...size(1, CAMERA_BPS), active: false };

function within(bps: number, least: number, most: number): number {
  return Math.min(Math.max(bps, least), most);
}
