import { describe, expect, it } from 'vitest';
import { Pulse } from '../core/pulse';
import { Bench, settle } from './bench';

function begin() {
  const clock = new Bench();
  const heard = { bytes: 0, told: 0, stalled: false };
  const pulse = new Pulse(clock, () => Promise.resolve([{ type: 'candidate-pair', bytesReceived: heard.bytes }]), () => (heard.told += 1), (stalled) => (heard.stalled = stalled));
  pulse.run(true);
  const pass = async (ms: number, growing: boolean): Promise<void> => {
    for (let n = 0; n < ms / 150; n += 1) {
      if (growing) heard.bytes += 100;
      clock.pass(150);
      await settle();
    }
  };
  return { clock, heard, pulse, pass };
}

describe('pulse', () => {
  it('tells of a silence within half a second where packets came steadily, and again while it lasts', async () => {
    const { heard, pass } = begin();
    await pass(3000, true);
    await pass(300, false);
    expect(heard.told).toBe(0);
    await pass(150, false);
    expect(heard.told).toBe(1);
    expect(heard.stalled).toBe(false);
    await pass(1650, false);
    expect(heard.told).toBe(2);
    expect(heard.stalled).toBe(true);
    await pass(3000, true);
    expect(heard.stalled).toBe(false);
    expect(heard.told).toBe(2);
  });

  it('waits longer where little ever came', async () => {
    const { heard, pass } = begin();
    for (let n = 0; n < 4; n += 1) {
      await pass(150, true);
      await pass(900, false);
    }
    expect(heard.told).toBe(0);
    await pass(2250, false);
    expect(heard.told).toBe(1);
  });

  it('does not take its own pause for silence, and is quiet when it is told to be', async () => {
    const { clock, heard, pulse, pass } = begin();
    await pass(3000, true);
    clock.pass(5000);
    await settle();
    expect(heard.told).toBe(0);
    pulse.run(false);
    expect(clock.pending).toBe(0);
  });
});
