import { describe, expect, it } from 'vitest';
import type { Device } from '../core/devices';
import { parseState } from '../core/wire';
import { liveStrip } from '../views/patient/strip';
import { words as w } from '../words/en/patient-page';
import { stateGiven } from './bench';

function shown(microphone: Device['state'], change: Record<string, unknown>, link = 'open', clock = 0, more: { taken?: boolean; low?: boolean; level?: string } = {}) {
  const device = (state: Device['state']): Device => ({ state, cause: null, track: null });
  const call = {
    session: { link, code: null, contacts: null, lostAt: 0, queue: null, state: parseState(stateGiven(change)) },
    peer: { transport: 'connected', remotes: [{ source: 'camera' }] },
    devices: { microphone: { ...device(microphone), taken: more.taken ?? false }, camera: device('on'), screen: device('idle') },
    level: more.level ?? 'good',
  };
  return liveStrip({ now: { call }, w, low: more.low } as unknown as Parameters<typeof liveStrip>[0], clock);
}

describe('the strip of the visit', () => {
  it('tells who is muted so, beside what is worse', () => {
    expect(shown('muted', {}).key).toBe('muted');
    expect(shown('muted', { held: true })).toMatchObject({ key: 'hold', words: w.liveDoctorAway, more: w.liveMuted });
    expect(shown('on', { held: true }).more).toBeUndefined();
    expect(shown('muted', {}, 'lost')).toMatchObject({ key: 'net.lost', more: w.netWait });
  });

  it('says that the phone has the microphone while a call rings, and not that it is broken', () => {
    expect(shown('on', {}, 'open', 0, { taken: true })).toMatchObject({ key: 'taken', words: w.liveTaken });
    expect(shown('muted', {}, 'open', 0, { taken: true }).key).toBe('taken');
  });

  it('warns of an empty battery beside what it says, and of nothing more than one thing', () => {
    expect(shown('on', { held: true }, 'open', 0, { low: true }).more).toBe(w.batteryLow);
    expect(shown('muted', { held: true }, 'open', 0, { low: true }).more).toBe(w.liveMuted);
    expect(shown('on', {}, 'lost', 0, { low: true }).more).toBe(w.netWait);
  });

  it('says of what one sees oneself that it stands still, before it says what the doctor sees', () => {
    const unseen = { seats: { doctor: { present: true, camera: 'on' }, patient: { present: true } }, pictures: [{ seat: 'doctor', track: 'patient.camera', shown: false, why: 'network' }], tracks: [{ id: 'patient.camera', seat: 'patient', source: 'camera', kind: 'video' }] };
    expect(shown('on', unseen).key).toBe('unseen');
    expect(shown('on', unseen, 'open', 0, { level: 'audio' })).toMatchObject({ key: 'audio', words: w.liveAudio, more: w.liveUnseen });
    expect(shown('on', unseen, 'open', 0, { level: 'text' }).key).toBe('text');
    expect(shown('on', { ...unseen, pictures: [] }, 'open', 0, { level: 'audio' }).more).toBeUndefined();
  });

  it('offers the telephone once the network has been away for a while, and no longer says to wait', () => {
    expect(shown('on', {}, 'lost', 15_000).long).toBeUndefined();
    expect(shown('on', {}, 'lost', 15_001)).toMatchObject({ key: 'net.lost', words: w.netFailed, long: true });
    expect(shown('on', {}, 'lost', 15_001).more).toBeUndefined();
  });
});
