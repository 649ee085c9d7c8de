import { describe, expect, it } from 'vitest';
import { AMPLE, type Thrift, thrifty } from '../core/thrift';

const THIN = { bps: 80_000, rtt_ms: 600, lost: 0.3 };
const WIDE = { bps: 900_000, rtt_ms: 80, lost: 0 };

describe('thrift', () => {
  it('leaves out pictures at once, and the bits of the voice only where a queue stands', () => {
    expect(thrifty(AMPLE, THIN, 1000)).toMatchObject({ pictures: false, rich: false });
    expect(thrifty(AMPLE, { bps: 80_000, rtt_ms: 90, lost: 0.5 }, 1000)).toMatchObject({ pictures: false, rich: true });
    expect(thrifty(AMPLE, { bps: null, rtt_ms: null, lost: 0 }, 1000)).toBe(AMPLE);
    expect(thrifty(AMPLE, WIDE, 1000)).toBe(AMPLE);
    expect(thrifty(AMPLE, { bps: 80_000, rtt_ms: 90, lost: 0.15 }, 1000)).toBe(AMPLE);
  });

  it('brings all back when the uplink has been wide for a while', () => {
    let held: Thrift = thrifty(AMPLE, THIN, 1000);
    held = thrifty(held, WIDE, 2000);
    held = thrifty(held, { bps: 150_000, rtt_ms: 80, lost: 0 }, 3000);
    held = thrifty(held, WIDE, 4000);
    expect(held.pictures).toBe(false);
    expect(thrifty(held, WIDE, 8000)).toMatchObject({ pictures: true, rich: true });
  });

  it('tries now and then all the same, later each time it was in vain', () => {
    let held: Thrift = thrifty(AMPLE, THIN, 1000);
    expect(thrifty(held, THIN, 30_000).pictures).toBe(false);
    held = thrifty(held, THIN, 31_000);
    expect(held.pictures).toBe(true);
    held = thrifty(held, THIN, 34_000);
    expect(held).toMatchObject({ pictures: false, patience: 60_000 });
  });
});
