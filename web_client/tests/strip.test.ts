import { describe, expect, it } from 'vitest';
import type { Device } from '../core/devices';
import { parseState } from '../core/wire';
import { liveStrip } from '../views/patient/strip';
import { common } from '../words/en/common';
import { patient } from '../words/en/patient';
import { stateGiven } from './bench';

const w = { ...common, ...patient };

function shown(microphone: Device['state'], change: Record<string, unknown>, link = 'open', clock = 0) {
  const device = (state: Device['state']): Device => ({ state, cause: null, track: null });
  const call = {
    session: { link, code: null, contacts: null, lostAt: 0, queue: null, state: parseState(stateGiven(change)) },
    peer: { transport: 'connected', remotes: [{ source: 'camera' }] },
    devices: { microphone: device(microphone), camera: device('on'), screen: device('idle') },
    level: 'good',
  };
  return liveStrip({ now: { call }, w } as unknown as Parameters<typeof liveStrip>[0], clock);
}

describe('the strip of the visit', () => {
  it('tells who is muted so, beside what is worse', () => {
    expect(shown('muted', {}).key).toBe('muted');
    expect(shown('muted', { held: true })).toMatchObject({ key: 'hold', words: w.liveDoctorAway, more: w.liveMuted });
    expect(shown('on', { held: true }).more).toBeUndefined();
    expect(shown('muted', {}, 'lost')).toMatchObject({ key: 'net.lost', more: w.netWait });
  });

  it('offers the telephone once the network has been away for a while, and no longer says to wait', () => {
    expect(shown('on', {}, 'lost', 15_000).long).toBeUndefined();
    expect(shown('on', {}, 'lost', 15_001)).toMatchObject({ key: 'net.lost', words: w.netFailed, long: true });
    expect(shown('on', {}, 'lost', 15_001).more).toBeUndefined();
  });
});
