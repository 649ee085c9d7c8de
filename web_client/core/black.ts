/**
 * Whether a picture that moves shows nothing: a covered lens, a shutter, a camera that gives frames and no light. Decoding it goes
 * well, so no statistics tell. A glance every few seconds, at a picture of a few points, is enough.
 */

/** A picture of a few points, 0–255: how bright it is, and how far its points are apart. */
interface Glimpse {
  readonly mean: number;
  readonly spread: number;
}

/** Looks at a picture of this page; null while it shows nothing yet. */
export type Glance = (name: 'theirs' | 'mine') => Glimpse | null;

/** A dark room has noise and a window, a screen, a face; a covered lens has nothing. */
const DARK = 20;
const FLAT = 8;
/** One glance may fall on a blink of the camera. */
const TELLS = 3;

export function isBlack({ mean, spread }: Glimpse): boolean {
  return mean < DARK && spread < FLAT;
}

/** How many glances one after the other saw nothing. */
export function blacker(held: number, glimpse: Glimpse | null): number {
  return glimpse !== null && isBlack(glimpse) ? Math.min(held + 1, TELLS) : 0;
}

export function tellsOfBlack(held: number): boolean {
  return held >= TELLS;
}

/** Luma of RGBA points (ITU-R BT.601). */
export function glimpseOf(points: Uint8ClampedArray): Glimpse {
  let [sum, least, most] = [0, 255, 0];
  const count = points.length >> 2;
  for (let n = 0; n < count; n += 1) {
    const luma = 0.299 * (points[4 * n] ?? 0) + 0.587 * (points[4 * n + 1] ?? 0) + 0.114 * (points[4 * n + 2] ?? 0);
    sum += luma;
    least = Math.min(least, luma);
    most = Math.max(most, luma);
  }
  return { mean: count === 0 ? 255 : sum / count, spread: most - least };
}
