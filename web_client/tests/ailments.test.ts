import { describe, expect, it } from 'vitest';
import { type Ailing, ail, mendsMicrophone, mendsPicture, tellsOfMicrophone, vitals } from '../core/ailments';

const ON = { picture: true, microphone: true };

function after(looks: number, step: { frames: number; bytes: number; energy: number }, on = ON): Ailing[] {
  let held: Ailing | null = null;
  const all: Ailing[] = [];
  for (let n = 0; n <= looks; n += 1) {
    const rows = [
      { type: 'inbound-rtp', kind: 'video', framesDecoded: n * step.frames, bytesReceived: n * step.bytes },
      { type: 'media-source', kind: 'audio', totalAudioEnergy: n * step.energy },
    ];
    held = ail(held, vitals(rows), on);
    all.push(held);
  }
  return all;
}

describe('ailments', () => {
  it('mends a picture that arrives and is not shown, ever more seldom', () => {
    const all = after(40, { frames: 0, bytes: 20_000, energy: 1 });
    expect(all.flatMap((each, n) => (mendsPicture(each) ? [n] : []))).toEqual([3, 10, 30]);
  });

  it('lets alone a picture that moves, one that does not arrive, padding, and none at all', () => {
    for (const [step, on] of [
      [{ frames: 10, bytes: 20_000, energy: 1 }, ON],
      [{ frames: 0, bytes: 0, energy: 1 }, ON],
      [{ frames: 0, bytes: 500, energy: 1 }, ON],
      [{ frames: 0, bytes: 20_000, energy: 1 }, { picture: false, microphone: true }],
    ] as const)
      expect(after(40, step, on).some(mendsPicture)).toBe(false);
  });

  it('asks for a microphone again that gives nothing at all, and tells of it if that did not help', () => {
    const all = after(20, { frames: 10, bytes: 20_000, energy: 0 });
    expect(all.flatMap((each, n) => (mendsMicrophone(each) ? [n] : []))).toEqual([8]);
    expect(all.findIndex(tellsOfMicrophone)).toBe(15);
    expect(after(20, { frames: 10, bytes: 1, energy: 1e-9 }).some(tellsOfMicrophone)).toBe(false);
    expect(after(20, { frames: 10, bytes: 1, energy: 0 }, { picture: true, microphone: false }).some(tellsOfMicrophone)).toBe(false);
  });
});
