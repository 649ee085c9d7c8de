/** What the device check found, in sentences: what works, or what is in the way and what to do. */
import type { Browser } from '../../core/browser';
import type { Cause, Device } from '../../core/devices';
import type { NetworkFacts } from '../../core/network';
import type { PatientWords as Words } from '../../words/kinds';

function camera(cause: Cause, w: Words, browser: Browser): string {
  return { denied: `${w.checkCamDenied}${w.checkAllow[browser]}`, busy: w.checkCamBusy, none: w.checkCamNone, insecure: w.checkInsecure, unable: w.checkUnable, unknown: w.checkUnknown }[cause];
}

function microphone(cause: Cause, w: Words, browser: Browser): string {
  return { denied: `${w.checkMicDenied}${w.checkAllow[browser]}`, busy: w.checkMicBusy, none: w.checkMicNone, insecure: w.checkInsecure, unable: w.checkUnable, unknown: w.checkUnknown }[cause];
}

/** One device's line, or null while it has not been asked for. */
export function deviceSays(source: 'camera' | 'microphone', device: Device, w: Words, browser: Browser): { good: boolean; words: string } | null {
  if (device.state === 'failed') return { good: false, words: (source === 'camera' ? camera : microphone)(device.cause ?? 'unknown', w, browser) };
  if (device.state === 'on' || device.state === 'muted') return { good: true, words: source === 'camera' ? w.checkCamera : w.checkMicrophone };
  return null;
}

/** The network's line, or null while nothing is known of it. */
export function networkSays(network: NetworkFacts['state'], w: Words): { good: boolean; words: string } | null {
  if (network === 'unknown') return null;
  return { good: network === 'good', words: { trying: w.checkNetTrying, good: w.checkNetGood, slow: w.checkNetSlow, blocked: w.checkNetBlocked }[network] };
}
