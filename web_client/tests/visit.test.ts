import { describe, expect, it } from 'vitest';
import { nameCause } from '../core/devices';
import { steer } from '../core/player';
import { type Judged, type Sample, judge } from '../core/quality';
import type { SessionFacts } from '../core/session';
import { type Steps, minutesOf, patientPage, secondsToReturn } from '../core/visit';
import { parseAck, parseIce, parseState } from '../core/wire';
import { stateGiven } from './bench';

const NEW: Steps = { early: false, confirmed: false, checked: false, reconsidering: false, answered: false };
const session = (change: Record<string, unknown> | null, link: SessionFacts['link'] = 'open', code: string | null = null): SessionFacts => ({
  link,
  code,
  contacts: null,
  lostAt: null,
  queue: null,
  state: change === null ? null : parseState(stateGiven(change)),
});
const BOOKED = '2026-05-06T01:30:00.000Z';
const consented = (decision: string) => ({ doctor: { consent: 'undecided' }, patient: { present: true, consent: decision } });

describe('the patient’s page', () => {
  const table: [string, SessionFacts, Steps, string][] = [
    ['nothing known yet', session(null), NEW, 'opening'],
    ['a refused link', session(null, 'over', 'token_expired'), NEW, 'closed'],
    ['a new patient', session({ phase: 'scheduled', seats: consented('undecided') }), NEW, 'entry'],
    ['who opens the link days before', session({ phase: 'scheduled', times: { scheduled: BOOKED } }), NEW, 'early'],
    ['who wants in all the same', session({ phase: 'scheduled', times: { scheduled: BOOKED }, seats: consented('undecided') }), { ...NEW, early: true }, 'entry'],
    ['who said who they are', session({ phase: 'scheduled', seats: consented('undecided') }), { ...NEW, confirmed: true }, 'consent'],
    ['who agreed', session({ phase: 'scheduled', seats: consented('agreed') }), { ...NEW, confirmed: true }, 'check'],
    ['who refused', session({ phase: 'scheduled', seats: consented('refused') }), { ...NEW, confirmed: true }, 'declined'],
    ['who thinks again', session({ phase: 'scheduled', seats: consented('refused') }), { ...NEW, confirmed: true, reconsidering: true }, 'consent'],
    ['who refused where recording is optional', session({ phase: 'scheduled', seats: consented('refused'), consent: { required: false } }), { ...NEW, confirmed: true }, 'check'],
    ['who checked', session({ phase: 'scheduled', seats: consented('agreed') }), { ...NEW, confirmed: true, checked: true }, 'waiting'],
    ['who comes back to a place that was kept', session({ phase: 'waiting', seats: consented('agreed') }), NEW, 'waiting'],
    ['a call that is not answered', session({ phase: 'live' }), NEW, 'called'],
    ['a live visit', session({ phase: 'live' }), { ...NEW, answered: true }, 'live'],
    ['a live visit whose line is lost', session({ phase: 'live' }, 'lost'), { ...NEW, answered: true }, 'live'],
    ['a live visit taken to another tab', session({ phase: 'live' }, 'over', 'taken_over'), NEW, 'closed'],
    ['an ended visit, even when the link is over', session({ phase: 'ended' }, 'over', 'closed'), NEW, 'ended'],
  ];
  it.each(table)('%s', (_name, facts, steps, page) => {
    expect(patientPage(facts, steps, 0)).toBe(page);
  });

  it('opens half an hour before the time that was booked, and never shuts on who waits or is called', () => {
    const at = Date.parse(BOOKED) - 30 * 60_000;
    const page = (now: number, phase = 'scheduled') => patientPage(session({ phase, times: { scheduled: BOOKED }, seats: consented('undecided') }), NEW, now);
    expect([page(at - 1), page(at), page(at + 86_400_000)]).toEqual(['early', 'entry', 'entry']);
    expect(page(0, 'live')).toBe('called');
    expect(page(0, 'ended')).toBe('ended');
  });
});

describe('quality', () => {
  const GOOD: Sample = { fps: 24, lost: 0, concealed: 0, rtt_ms: 60 };
  const SLOW: Sample = { ...GOOD, fps: 4 };
  const run = (steps: readonly [Sample, number][]): string[] => {
    let held: Judged | null = null;
    let now = 0;
    return steps.flatMap(([sample, seconds]) =>
      Array.from({ length: seconds }, () => {
        held = judge(held, sample, (now += 1000));
        return held.level;
      }),
    );
  };
  it('worsens after two seconds and betters after ten', () => {
    const levels = run([[GOOD, 3], [SLOW, 4], [GOOD, 12]]);
    expect(levels.slice(0, 5)).toEqual(['good', 'good', 'good', 'good', 'good']);
    expect(levels[5]).toBe('slow');
    expect(levels.slice(7, 17).every((level) => level === 'slow')).toBe(true);
    expect(levels[17]).toBe('good');
  });
  it('does not flicker on one bad second', () => {
    expect(run([[GOOD, 2], [SLOW, 1], [GOOD, 2], [SLOW, 1], [GOOD, 2]])).not.toContain('slow');
  });
  it('says that the picture has stopped when no frame comes', () => {
    expect(run([[GOOD, 1], [{ ...GOOD, fps: 0 }, 4]]).at(-1)).toBe('audio');
  });
});

describe('the wait and the way back', () => {
  it('says minutes with their spread, never nought and never narrower than measured', () => {
    expect(minutesOf({ low: 240, high: 600 })).toEqual({ from: 4, to: 10 });
    expect(minutesOf({ low: 10, high: 50 })).toEqual({ from: 1, to: 1 });
    expect(minutesOf({ low: 119, high: 121 })).toEqual({ from: 1, to: 3 });
  });
  it('offers the way back for a minute, and only from an end somebody made', () => {
    const ended = (reason: string) => {
      const state = parseState(stateGiven({ phase: 'ended', times: { live: '2026-05-04T09:00:00.000Z', ended: '2026-05-04T09:10:00.000Z' }, ended: { by: 'patient', reason } }));
      if (state === null) throw new Error('sample');
      return state;
    };
    const at = Date.parse('2026-05-04T09:10:00.000Z');
    expect(secondsToReturn(ended('left'), at + 20_000)).toBe(40);
    expect(secondsToReturn(ended('left'), at + 60_000)).toBeNull();
    expect(secondsToReturn(ended('consent_withdrawn'), at)).toBeNull();
  });
});

describe('devices', () => {
  it('names the cause of a refusal', () => {
    const causes = { NotAllowedError: 'denied', NotReadableError: 'busy', NotFoundError: 'none', OverconstrainedError: 'none', TypeError: 'unknown' };
    for (const [name, cause] of Object.entries(causes)) expect(nameCause({ name })).toBe(cause);
    expect(nameCause(null)).toBe('unknown');
  });
});

describe('player', () => {
  it('leaves small drift alone, leans against more, and seeks when it is far off', () => {
    expect(steer(10)).toEqual({ seek: false, rate: 1 });
    expect(steer(40).rate).toBeLessThan(1);
    expect(steer(-40).rate).toBeGreaterThan(1);
    expect(steer(1000).seek).toBe(true);
  });
});

describe('wire', () => {
  it('takes no state of another version, seat or phase', () => {
    for (const wrong of [null, 7, [], {}, stateGiven({ v: 2 }), stateGiven({ you: { seat: 'auditor' } }), stateGiven({ phase: 'x' }), stateGiven({ seq: '1' })]) expect(parseState(wrong)).toBeNull();
  });
  it('ignores what it does not know', () => {
    const state = parseState(stateGiven({ novel: 1, tracks: [{ id: 'a', seat: 'doctor', source: 'hologram' }, { id: 'b', seat: 'doctor', source: 'camera', kind: 'video' }] }));
    expect(state?.tracks.map((track) => track.id)).toEqual(['b']);
  });
  it('reads acknowledgements and relays', () => {
    expect(parseAck(undefined)).toEqual({ ok: false, code: 'ack_invalid' });
    expect(parseIce({ ice_servers: [{ urls: ['turn:a'], username: 'u', credential: 'c' }, 7], ttl_s: 60 })).toEqual({ servers: [{ urls: ['turn:a'], username: 'u', credential: 'c' }], ttl_s: 60 });
  });
});
