import { describe, expect, it } from 'vitest';
import { blind, unseen, unwanted } from '../core/shown';
import { type State, parseState } from '../core/wire';
import { stateGiven } from './bench';

const camera = (seat: string) => ({ id: `${seat}.camera`, seat, source: 'camera', kind: 'video' });
const hidden = (seat: string, of: string, why = 'network') => ({ seat, track: `${of}.camera`, shown: false, lines: null, why });

function state(me: string, pictures: unknown[]): State {
  const made = parseState(stateGiven({ you: { seat: me, role: 'patient', pc: null }, tracks: ['doctor', 'patient', 'guest-1'].map(camera), pictures }));
  if (made === null) throw new Error('no state');
  return made;
}

describe('who is shown whose face', () => {
  it('keeps a third party whose picture stands still apart from the patient, whose picture moves', () => {
    const now = state('patient', [hidden('doctor', 'guest-1'), hidden('patient', 'guest-1')]);
    expect(unseen(now, 'doctor', 'patient')).toBe(false);
    expect(unseen(now, 'doctor', 'guest-1')).toBe(true);
    expect(blind(now)).toBe(false);
  });

  it('tells what the network does from what was chosen', () => {
    const now = state('patient', [hidden('doctor', 'patient', 'asked')]);
    expect([unseen(now, 'doctor', 'patient'), unwanted(now, 'doctor', 'patient')]).toEqual([false, true]);
    expect(unwanted(state('patient', [hidden('doctor', 'patient')]), 'doctor', 'patient')).toBe(false);
  });

  it('calls a guest blind who is shown neither face, and not one who is shown one', () => {
    expect(blind(state('guest-1', [hidden('guest-1', 'patient')]))).toBe(false);
    expect(blind(state('guest-1', [hidden('guest-1', 'patient'), hidden('guest-1', 'doctor')]))).toBe(true);
    expect(blind(state('patient', [hidden('patient', 'doctor')]))).toBe(true);
    expect(blind(state('doctor', []))).toBe(false);
  });
});
