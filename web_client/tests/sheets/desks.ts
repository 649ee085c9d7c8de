/** Snapshots of the pages that are no visit: the coordinator's and the connection test's. */
import type { Coordinated, CoordinationFacts } from '../../core/coordination';
import { type CheckupFacts, type Outcome, STEPS, type Step, type Tried, type Verdict } from '../../core/checkup';

const visit = (name: string, change: Partial<Coordinated>): Coordinated => ({
  visit: `V-${name}`,
  doctor: 'd-1',
  phase: 'waiting',
  patient: name,
  age: 68,
  seconds: 540,
  late: false,
  phoneBack: false,
  rebook: false,
  escalated: false,
  held: false,
  moved: false,
  present: true,
  doctorPresent: true,
  doctorLine: null,
  patientLine: 'good',
  recording: null,
  ...change,
});

const DEPARTMENTS: CoordinationFacts['departments'] = [
  {
    name: '内科',
    doctors: [
      { id: 'd-1', name: '李敏', department: '内科', here: true, waiting: 3, live: 1, longest: 1860 },
      { id: 'd-2', name: '欧阳若兰', department: '内科', here: false, waiting: 0, live: 0, longest: null },
    ],
  },
  { name: null, doctors: [{ id: 'd-3', name: '陈立', department: null, here: true, waiting: 0, live: 1, longest: null }] },
];

const BUSY: readonly Coordinated[] = [
  visit('赵*国', { seconds: 1860, late: true, escalated: true, phoneBack: true, age: 74 }),
  visit('王*英', { seconds: 540 }),
  visit('陈*', { seconds: 45, age: 5, present: false, patientLine: null, moved: true }),
  visit('刘*芳', { phase: 'live', seconds: 761, doctorLine: 'good', patientLine: 'slow', recording: 'on' }),
  visit('周*华', { phase: 'live', doctor: 'd-3', seconds: 120, doctorLine: 'bad', patientLine: 'good', recording: 'interrupted', doctorPresent: false, held: true }),
];

const RATINGS: CoordinationFacts['ratings'] = [
  { id: 'r1', doctor: 'd-1', month: '2026-05', stars: 5, text: '讲得很清楚，药怎么吃都写下来了。', state: 'pending' },
  { id: 'r2', doctor: 'd-3', month: '2026-05', stars: 2, text: null, state: 'pending' },
  { id: 'r3', doctor: 'd-1', month: '2026-04', stars: 4, text: 'He listened. The picture stopped twice, the sound never did.', state: 'shown' },
];

const NOTHING: CoordinationFacts = { clinic: '县人民医院', departments: null, visits: [], at: null, failure: null, choosing: null, moving: false, trouble: false, ratings: [], unreviewed: null };

export const COORDINATOR: Readonly<Record<string, CoordinationFacts>> = {
  loading: NOTHING,
  refused: { ...NOTHING, failure: 'refused' },
  away: { ...NOTHING, failure: 'failed' },
  quiet: { ...NOTHING, departments: DEPARTMENTS },
  busy: { ...NOTHING, departments: DEPARTMENTS, visits: BUSY, failure: 'failed' },
  crowded: { ...NOTHING, departments: DEPARTMENTS, visits: [...BUSY.slice(0, 1), ...Array.from({ length: 40 }, (_, at) => visit(['王*英', 'Maximiliana*en', '阿卜杜热西提·买买提*尔', '陈*'][at % 4] ?? '', { visit: `V-${at}`, seconds: 2400 - at * 55, present: at % 9 !== 4, moved: at % 7 === 3 }))] },
  choosing: { ...NOTHING, departments: DEPARTMENTS, visits: BUSY, choosing: 'V-赵*国', trouble: true, ratings: RATINGS, unreviewed: 'r2' },
};

const tried = (outcome: Outcome, ms: number | null = null, why: string | null = null): Tried => ({ outcome, ms, why });
const steps = (change: Partial<Record<Step, Tried>> = {}): Record<Step, Tried> => ({ ...(Object.fromEntries(STEPS.map((step) => [step, tried('good', 84)])) as Record<Step, Tried>), 'relay-tls': tried('absent'), ...change });
const ended = (verdict: Verdict, change: Partial<Record<Step, Tried>> = {}): CheckupFacts => ({ running: false, steps: steps(change), flow: { up_bps: 1_240_000, down_bps: 986_000, up_lost: 0, down_lost: 0.01, rtt_ms: 46 }, verdict });

export const CHECK: Readonly<Record<string, CheckupFacts>> = {
  before: { running: false, steps: steps(), flow: null, verdict: null },
  running: { running: true, steps: steps({ udp: tried('trying'), flow: tried('waiting'), camera: tried('waiting'), microphone: tried('waiting') }), flow: null, verdict: null },
  good: ended('good'),
  slow: ended('slow', { flow: tried('weak', null, 'loss') }),
  media: ended('media', { udp: tried('failed', null, 'timeout'), tcp: tried('failed', null, 'timeout'), 'relay-udp': tried('failed', null, 'timeout'), 'relay-tcp': tried('failed', null, 'refused'), flow: tried('absent') }),
  devices: ended('devices', { camera: tried('failed', null, 'NotAllowedError') }),
  busy: ended('devices', { microphone: tried('failed', null, 'NotReadableError') }),
};
