import { describe, expect, it } from 'vitest';
import { type Caption, Captions } from '../core/captions';

const heard = (seat: string, line: string, text: string, final = false) => ({ v: 1, seat, line, text, final, language: 'zh' });

describe('captions', () => {
  it('shows the newest line of the others until it is old, and none after it was final', () => {
    const told: (Caption | null)[] = [];
    const timers: (() => void)[] = [];
    const captions = new Captions({ now: () => 0, random: () => 0.5, after: (_, then) => { timers.push(then); return () => { timers.splice(timers.indexOf(then), 1); }; } }, (now) => told.push(now));
    captions.hear(heard('doctor', 'a', '血压'), 'patient');
    captions.hear(heard('patient', 'b', '我的话'), 'patient');
    captions.hear(heard('doctor', 'a', '血压高', true), 'patient');
    captions.hear(heard('doctor', 'a', '血'), 'patient');
    captions.hear({ v: 1, text: 7 }, 'patient');
    expect(told.map((each) => each?.text)).toEqual(['血压', '血压高']);
    expect(timers.length).toBe(1);
    timers[0]?.();
    expect(told.at(-1)).toBeNull();
  });
});
