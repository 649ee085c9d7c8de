import { describe, expect, it } from 'vitest';
import { blacker, glimpseOf, isBlack, tellsOfBlack } from '../core/black';

function points(luma: (n: number) => number): Uint8ClampedArray {
  const made = new Uint8ClampedArray(16 * 12 * 4);
  for (let n = 0; n < 16 * 12; n += 1) made.fill(luma(n), 4 * n, 4 * n + 3);
  return made;
}

describe('black pictures', () => {
  it('are those of a covered lens, also as a codec gives them back', () => {
    expect(isBlack(glimpseOf(points(() => 0)))).toBe(true);
    expect(isBlack(glimpseOf(points((n) => 14 + (n % 4))))).toBe(true);
  });

  it('are not those of a dark room with a lamp, of a grey wall, or of nothing at all', () => {
    expect(isBlack(glimpseOf(points((n) => (n === 40 ? 90 : 6))))).toBe(false);
    expect(isBlack(glimpseOf(points(() => 60)))).toBe(false);
    expect(isBlack(glimpseOf(new Uint8ClampedArray()))).toBe(false);
  });

  it('are told of after three glances, and no longer once there is light or no picture', () => {
    const night = { mean: 2, spread: 1 };
    let held = 0;
    const told = [1, 2, 3, 4].map(() => tellsOfBlack((held = blacker(held, night))));
    expect(told).toEqual([false, false, true, true]);
    expect(tellsOfBlack(blacker(held, { mean: 100, spread: 80 }))).toBe(false);
    expect(tellsOfBlack(blacker(held, null))).toBe(false);
  });
});
