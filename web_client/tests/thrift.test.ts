import { describe, expect, it } from 'vitest';
import { AMPLE, type Thrift, type Uplink, thrifty } from '../core/thrift';

const THIN = { bps: 80_000, rtt_ms: 600, lost: 0.3 };
const WIDE = { bps: 900_000, rtt_ms: 80, lost: 0 };

/** Judged once a second. */
function judged(held: Thrift, uplink: Uplink, from: number, to: number): Thrift {
  for (let now = from; now <= to; now += 1000) held = thrifty(held, uplink, now);
  return held;
}

describe('thrift', () => {
  it('leaves out the bits of the voice where a queue is seen, pictures where it stands, and pictures at once where much is lost', () => {
    const seen = thrifty(AMPLE, THIN, 1000);
    expect(seen).toMatchObject({ pictures: true, rich: false });
    expect(thrifty(seen, THIN, 2000)).toMatchObject({ pictures: false, rich: false });
    expect(thrifty(AMPLE, { bps: 80_000, rtt_ms: 90, lost: 0.5 }, 1000)).toMatchObject({ pictures: false, rich: true });
    expect(thrifty(AMPLE, { bps: null, rtt_ms: null, lost: 0 }, 1000)).toBe(AMPLE);
    expect(thrifty(AMPLE, WIDE, 1000)).toMatchObject({ pictures: true, rich: true });
    expect(thrifty(AMPLE, { bps: 80_000, rtt_ms: 90, lost: 0.15 }, 1000)).toMatchObject({ pictures: true, rich: true });
  });

  it('does not take one late answer for a queue, nor a machine that stood still', () => {
    let held = thrifty(thrifty(AMPLE, THIN, 1000), { ...THIN, rtt_ms: 200 }, 2000);
    expect(thrifty(held, THIN, 3000).pictures).toBe(true);
    held = thrifty(thrifty(AMPLE, THIN, 1000), THIN, 6000);
    expect(held.pictures).toBe(true);
    expect(thrifty(held, THIN, 7000).pictures).toBe(false);
  });

  it('brings all back when the uplink has been wide for a while', () => {
    let held = judged(AMPLE, THIN, 1000, 2000);
    held = thrifty(held, WIDE, 3000);
    held = thrifty(held, { bps: 150_000, rtt_ms: 80, lost: 0 }, 3500);
    held = thrifty(held, WIDE, 4000);
    expect(held.pictures).toBe(false);
    expect(thrifty(held, WIDE, 8000)).toMatchObject({ pictures: true, rich: true });
  });

  it('tries now and then all the same, later each time it was in vain', () => {
    let held = judged(AMPLE, THIN, 1000, 2000);
    held = judged(held, THIN, 3000, 16_000);
    expect(held.pictures).toBe(false);
    held = judged(held, THIN, 17_000, 17_000);
    expect(held.pictures).toBe(true);
    held = judged(held, THIN, 18_000, 20_000);
    expect(held).toMatchObject({ pictures: false, patience: 30_000 });
  });
});
