/**
 * How long a picture is held back before it is shown. The browser sees the short way from our server, not the repairs on the
 * sender's own way to it: each of those stops the picture. Who has seen it stop twice waits a little, until it no longer does.
 */
export interface Cushion {
  readonly ms: number;
  /** How often the picture had stopped, and when that changed last (ms). */
  readonly freezes: number;
  readonly since: number;
}

export const NONE: Cushion = { ms: 0, freezes: 0, since: 0 };

const STEP_MS = 100;
/** With the way itself less than the 400 ms beyond which people talk over each other (ITU-T G.114). */
const MOST_MS = 300;
const CALM_MS = 20_000;

/** `freezes`: of all pictures, since the transport began. */
export function cushioned(held: Cushion, freezes: number, now: number): Cushion {
  if (freezes > held.freezes) return { ms: Math.min(held.ms + STEP_MS, MOST_MS), freezes, since: now };
  if (freezes < held.freezes) return { ...held, freezes, since: now }; // a new transport counts anew
  if (held.ms > 0 && now - held.since > CALM_MS) return { ms: held.ms - STEP_MS / 2, freezes, since: now };
  return held;
}

/** How often pictures stopped, of a browser's statistics. */
export function freezesOf(rows: readonly Readonly<Record<string, unknown>>[]): number {
  let all = 0;
  for (const row of rows) if (row['type'] === 'inbound-rtp' && row['kind'] === 'video') all += Number(row['freezeCount'] ?? 0);
  return all;
}
