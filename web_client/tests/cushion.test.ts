import { describe, expect, it } from 'vitest';
import { NONE, cushioned, freezesOf } from '../core/cushion';

describe('a cushion', () => {
  it('grows with each second in which a picture stopped, up to a bound', () => {
    let held = NONE;
    for (let n = 1; n < 9; n += 1) held = cushioned(held, n, n * 1000);
    expect(held.ms).toBe(300);
  });

  it('shrinks slowly while nothing stops, and is gone at last', () => {
    let held = cushioned(NONE, 1, 0);
    held = cushioned(held, 1, 19_000);
    expect(held.ms).toBe(100);
    held = cushioned(held, 1, 20_001);
    expect(held.ms).toBe(50);
    held = cushioned(held, 1, 40_002);
    expect(held.ms).toBe(0);
    expect(cushioned(held, 1, 99_000)).toBe(held);
  });

  it('takes a transport that counts anew for no stop', () => {
    expect(cushioned({ ms: 100, freezes: 7, since: 0 }, 0, 1000)).toEqual({ ms: 100, freezes: 0, since: 1000 });
  });

  it('counts the stops of all pictures', () => {
    const video = { type: 'inbound-rtp', kind: 'video' };
    expect(freezesOf([{ ...video, freezeCount: 2 }, { ...video, freezeCount: 1 }, { ...video, kind: 'audio', freezeCount: 9 }, video])).toBe(3);
  });
});
