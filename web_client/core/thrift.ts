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
}

export interface Uplink {
  /** What the browser thinks it may send, bits a second. */
  readonly bps: number | null;
  readonly rtt_ms: number | null;
  /** Fraction of its sound that did not arrive, 0–1. */
  readonly lost: number;
}

export const AMPLE: Thrift = { pictures: true, rich: true, since: 0, wideSince: null, patience: 30_000 };
/** Sound, its headers and the reports need about 90 kbit/s. */
const THIN_BPS = 130_000;
const WIDE_BPS = 220_000;
const WIDE_MS = 4000;
const QUEUE_RTT_MS = 350;
const HOPELESS_LOSS = 0.35;
const LONGEST_MS = 240_000;

export function thrifty(held: Thrift, uplink: Uplink, now: number): Thrift {
  const bps = uplink.bps;
  if (bps === null) return held;
  const queue = (uplink.rtt_ms ?? 0) > QUEUE_RTT_MS;
  // What a radio loses makes a browser timid; that alone is no reason to leave out anything.
  if (bps < THIN_BPS && (queue || uplink.lost > HOPELESS_LOSS)) {
    if (!held.pictures) return { ...held, ...(queue ? { rich: false } : {}), wideSince: null, ...retried(held, now) };
    // Left out again soon after a try: the next try is later.
    const patience = held.since > 0 && now - held.since < 2 * held.patience ? Math.min(2 * held.patience, LONGEST_MS) : AMPLE.patience;
    return { pictures: false, rich: !queue && held.rich, since: now, wideSince: null, patience };
  }
  if (held.pictures && held.rich) return held;
  const wideSince = bps > WIDE_BPS ? (held.wideSince ?? now) : null;
  if (wideSince !== null && now - wideSince >= WIDE_MS) return { ...held, pictures: true, rich: true, wideSince: null };
  return { ...held, wideSince, ...retried(held, now) };
}

/** A browser that sends sound alone may never learn that there is room again. */
function retried(held: Thrift, now: number): { pictures?: true } {
  return !held.pictures && now - held.since >= held.patience ? { pictures: true } : {};
}
