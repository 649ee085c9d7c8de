import { describe, expect, it } from 'vitest';
import { layersOf, sizesOf } from '../core/sizes';

const bps = (lines: number | null, wish: number | null) => sizesOf('camera', lines, wish).map((each) => (each.active ? each.maxBitrate : 0));

describe('the sizes of a picture', () => {
  it('in layers of one stream are three until nobody needs a small one', () => {
    const modes = [null, 300_000, 0].map((wish) => layersOf(wish).map((each) => each.scalabilityMode));
    expect(modes).toEqual([['S3T3'], ['S3T3'], ['L1T3']]);
    expect(layersOf(0)[0]?.maxBitrate).toBe(1_800_000);
  });

  it('are three of a big camera, and two of a small one: a Chromium would leave out the biggest', () => {
    expect(bps(720, null)).toEqual([100_000, 400_000, 1_800_000]);
    expect(bps(480, null)).toEqual([250_000, 1_800_000, 0]);
    expect(bps(null, null)).toHaveLength(3);
  });

  it('are one where nobody needs a small one: the first encoding is the whole picture', () => {
    expect(bps(720, 0)).toEqual([1_800_000, 0, 0]);
    expect(sizesOf('screen', 1080, 0).map((each) => each.active)).toEqual([true, false]);
    expect(sizesOf('camera', 480, 0)[0]?.scaleResolutionDownBy).toBe(1);
  });

  it('follow the weakest viewer below the best, which stays as it is', () => {
    expect(bps(720, 600_000)).toEqual([100_000, 600_000, 1_800_000]);
    expect(bps(720, 70_000)).toEqual([70_000, 150_000, 1_800_000]);
    expect(bps(480, 70_000)).toEqual([70_000, 1_800_000, 0]);
  });

  it('grow with their bits, and do not go back and forth', () => {
    const scale = (wish: number, bigger: boolean) => sizesOf('camera', 720, wish, bigger)[1]?.scaleResolutionDownBy;
    expect([scale(600_000, false), scale(600_000, true), scale(800_000, false), scale(400_000, true)]).toEqual([2, 4 / 3, 4 / 3, 2]);
  });

  it('keep every letter of a screen, which moves less instead; a microphone has none', () => {
    expect(sizesOf('screen', 1080, 150_000).map((each) => each.scaleResolutionDownBy)).toEqual([1, 1]);
    expect(sizesOf('screen', 1080, 150_000)[0]).toMatchObject({ maxBitrate: 150_000, maxFramerate: 5 });
    expect(sizesOf('microphone', null, null)).toEqual([]);
  });
});
