/**
 * What this page leaves out when its own uplink is too weak: the pictures, and, where a queue stands (which more would only
 * lengthen), most bits of its voice. Sound goes on.
 */
export interface Thrift {
  readonly pictures: boolean;
  readonly rich: boolean;
  /** When the pictures were left out, when the uplink became wide again, and how long to wait before trying all the same (ms). */
  readonly since: number;
  readonly wideSince: number | null;
  readonly patience: number;
  /** Since when the uplink has been thin without a break, and when it was judged last (ms). */
  readonly thinSince: number | null;
  readonly at: number;
}

export interface Uplink {
  /** What the browser thinks it may send, bits a second. */
  readonly bps: number | null;
  readonly rtt_ms: number | null;
  /** Fraction of its sound that did not arrive, 0–1. */
  readonly lost: number;
}

export const AMPLE: Thrift = { pictures: true, rich: true, since: 0, wideSince: null, patience: 15_000, thinSince: null, at: 0 };
/** Sound, its headers and the reports need about 90 kbit/s. */
const THIN_BPS = 130_000;
const WIDE_BPS = 220_000;
const WIDE_MS = 4000;
const QUEUE_RTT_MS = 350;
const HOPELESS_LOSS = 0.35;
const LONGEST_MS = 240_000;
/** A queue must be seen for so long; a judgement that comes so much after the one before it is of a machine that stood still. */
const STANDS_MS = 900;
const STALLED_MS = 2500;

export function thrifty(held: Thrift, uplink: Uplink, now: number): Thrift {
  const bps = uplink.bps;
  if (bps === null) return held;
  const queue = (uplink.rtt_ms ?? 0) > QUEUE_RTT_MS;
  const hopeless = uplink.lost > HOPELESS_LOSS;
  const stalled = now - held.at > STALLED_MS;
  // What a radio loses makes a browser timid; that alone is no reason to leave out anything.
  if (bps < THIN_BPS && (queue || hopeless)) {
    const thinSince = held.thinSince === null || stalled ? now : held.thinSince;
    const thin = { ...held, at: now, thinSince, wideSince: null, rich: held.rich && !queue };
    if (!held.pictures) return { ...thin, ...retried(held, now) };
    if (!hopeless && now - thinSince < STANDS_MS) return thin;
    // Left out again soon after a try: the next try is later.
    const patience = held.since > 0 && now - held.since < 2 * held.patience ? Math.min(2 * held.patience, LONGEST_MS) : AMPLE.patience;
    return { ...thin, pictures: false, since: now, patience };
  }
  const calm = { ...held, at: now, thinSince: null };
  if (held.pictures && held.rich) return calm;
  const wideSince = bps > WIDE_BPS ? (held.wideSince ?? now) : null;
  if (wideSince !== null && now - wideSince >= WIDE_MS) return { ...calm, pictures: true, rich: true, wideSince: null };
  return { ...calm, wideSince, ...retried(held, now) };
}

/** A browser that sends sound alone may never learn that there is room again. */
function retried(held: Thrift, now: number): { pictures?: true } {
  return !held.pictures && now - held.since >= held.patience ? { pictures: true } : {};
}
