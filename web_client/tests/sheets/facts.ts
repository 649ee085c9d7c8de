/** Snapshots for the contact sheets and the accessibility run: every page in every state, without a server. */
import type { CallFacts } from '../../core/call';
import type { DeskFacts } from '../../core/desk';
import type { Device } from '../../core/devices';
import type { PatientFacts } from '../../core/patient';
import type { MediaTrack } from '../../core/peer';
import type { PatientPage } from '../../core/visit';
import { type QueueRow, type SeatState, type State, parseState } from '../../core/wire';

const NOW = Date.parse('2026-05-04T09:24:41.000Z');
const at = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1000).toISOString();

const CONTACTS = { clinic: { name: '县人民医院', phone: '0571-8877 6655' }, emergency: { name: '县医院急诊', phone: '0571-8877 0120' } };

const ON: Partial<SeatState> = { present: true, consent: 'agreed', media: 'connected', microphone: 'on', camera: 'on', screen: 'off' };

function stateOf(phase: State['phase'], seat: State['you']['seat'], change: Record<string, unknown> = {}): State {
  const state = parseState({
    v: 1,
    seq: 17,
    visit: 'Vb3k',
    phase,
    at: new Date(NOW).toISOString(),
    you: { seat, role: seat, pc: null },
    doctor: { name: '李敏', title: '主治医师', department: '内科', licence: '1103***217' },
    patient: { name: '王*英', age: 68, sex: 'female', complaint: '头晕三天，晨起明显' },
    seats: { doctor: ON, patient: ON },
    consent: { required: true, text_version: '2026-05' },
    waiting: { ahead: 2, estimate_s: { low: 480, high: 880 } },
    contacts: CONTACTS,
    summary: seat !== 'doctor' ? null : {
      allergies: [{ substance: '青霉素', reaction: '全身皮疹', severity: 'severe' }],
      conditions: [{ name: '高血压', since: '2014 年' }, { name: '2 型糖尿病', since: '2019 年' }],
      medication: [{ name: '苯磺酸氨氯地平片', dosage: '5 mg 每日 1 次' }, { name: '盐酸二甲双胍片', dosage: '0.5 g 每日 2 次' }],
      weight_kg: 62,
    },
    advice: phase === 'ended' ? '血压记下来，早晚各一次。\n三天后复诊。' : null,
    tracks: [],
    media: { epoch: 'm', available: true },
    recording: {
      state: phase === 'live' ? 'on' : phase === 'ended' ? 'closed' : 'off',
      since: at(384),
      streams: [
        { stream: 'patient', sealed_to_ms: 382000, state: 'recording' },
        { stream: 'doctor', sealed_to_ms: 383000, state: 'recording' },
      ],
      gaps: [],
    },
    times: { scheduled: null, entered: at(1300), live: phase === 'live' || phase === 'ended' ? '2026-05-04T09:12:00.000Z' : null, ended: phase === 'ended' ? new Date(NOW).toISOString() : null },
    ended: phase === 'ended' ? { by: 'doctor', reason: 'completed' } : null,
    ...change,
  });
  if (state === null) throw new Error('sample state');
  return state;
}

const device = (track: MediaTrack | null): Device => ({ state: track === null ? 'idle' : 'on', cause: null, track });

interface Tracks {
  readonly face: MediaTrack;
  readonly other: MediaTrack;
  readonly screen: MediaTrack;
}

/** Whose camera is seen by whom. */
function others(state: State): [string, keyof Tracks][] {
  const guests = state.guests.filter((each) => each.admitted && each.seat !== state.you.seat).map((each): [string, keyof Tracks] => [each.seat, 'face']);
  if (state.you.seat === 'patient') return [['doctor', 'other'], ...guests];
  return state.you.seat === 'doctor' ? [['patient', 'other'], ...guests] : [['doctor', 'other'], ['patient', 'face'], ...guests];
}

const GUESTS = { doctor: ON, patient: ON, 'guest-1': { ...ON, as: 'village_doctor', admitted: true }, 'guest-2': { ...ON, as: 'interpreter', admitted: true, camera: 'off', consent: 'refused' } };
const LOBBY = { ...GUESTS, 'guest-1': { ...ON, as: 'village_doctor', admitted: false } };

/** A third party's pages. */
export const GUEST: Readonly<Record<string, PatientSample>> = {
  entry: ['entry', (t) => callOf(stateOf('live', 'guest-1', { patient: null, seats: LOBBY }), t)],
  consent: ['consent', (t) => callOf(stateOf('live', 'guest-1', { patient: null, seats: LOBBY }), t)],
  declined: ['declined', (t) => callOf(stateOf('live', 'guest-1', { patient: null, seats: LOBBY }), t)],
  check: ['check', (t) => callOf(stateOf('live', 'guest-1', { patient: null, seats: LOBBY }), t)],
  waiting: ['waiting', (t) => callOf(stateOf('live', 'guest-1', { patient: null, seats: LOBBY }), t)],
  live: ['live', (t) => callOf(stateOf('live', 'guest-1', { seats: GUESTS }), t)],
  'live-captions': ['live', (t) => callOf(stateOf('live', 'guest-1', { seats: GUESTS }), t, { caption: { text: '血压早上高一些，先把药量一次，晚上再量。', language: 'zh' } })],
  'live-text': ['live', (t) => callOf(stateOf('live', 'guest-1', { seats: GUESTS }), t, { level: 'text' })],
  reconnecting: ['live', (t) => callOf(stateOf('live', 'guest-1', { seats: GUESTS }), t, { session: { link: 'lost', code: null, contacts: null, lostAt: Date.now() - 20_000, queue: null, state: stateOf('live', 'guest-1', { seats: GUESTS }) } })],
  ended: ['ended', (t) => callOf(stateOf('ended', 'guest-1', { seats: LOBBY }), t)],
  left: ['closed', (t) => callOf(null, t, { session: { link: 'over', code: 'closed', contacts: null, lostAt: null, state: null, queue: null } })],
};

function callOf(state: State | null, tracks: Tracks, change: Partial<CallFacts> = {}): CallFacts {
  const live = state?.phase === 'live';
  return {
    session: { link: 'open', code: null, contacts: null, lostAt: null, state, queue: null },
    peer: {
      transport: live ? 'connected' : 'new',
      remotes: live ? others(state).map(([seat, track]) => ({ id: `${seat}.camera`, seat, source: 'camera', track: tracks[track] })) : [],
      pc: 'pc',
    },
    devices: { microphone: device(tracks.face), camera: device(tracks.face), screen: device(null) },
    messages: {
      list: [
        { seq: 1, id: 'a', from: 'patient', at: '', text: '大夫，我把药盒拍给您看了', photo: null },
        { seq: 2, id: 'p', from: 'patient', at: '', text: null, photo: { id: 'box' } },
        { seq: 3, id: 'b', from: 'doctor', at: '', text: '收到，先量一次血压。', photo: null },
      ],
      pending: [{ id: 'c', text: '刚量的 168/95', photo: null, stored: null, refused: null }],
      unread: 0,
      unreadable: false,
    },
    level: 'good',
    stalled: false,
    dumb: false,
    black: null,
    talking: false,
    caption: null,
    // The sample's clock stands still.
    skew: NOW - Date.now(),
    ...change,
  };
}

const CONSENT = {
  zh: '为了保护您和医生，这次看诊会全程录音录像。\n录什么：您和医生的声音、画面和时间。\n谁能看：医院的质量管理人员，每次查看都会留下记录。\n保存多久：按国家规定保存，到期删除。\n您可以不同意，也可以随时收回同意。',
  en: 'To protect you and the doctor, this visit is recorded from beginning to end.\nWhat: the sound and picture of both, and the times.\nWho may look: the hospital\'s quality staff; every look leaves a record.\nHow long: as the law requires.\nYou may refuse, and withdraw at any time.',
};

const failed = (cause: 'denied' | 'busy' | 'none' | 'insecure' | 'unable'): Device => ({ state: 'failed', cause, track: null });

type PatientSample = readonly [page: PatientPage, call: (tracks: Tracks) => CallFacts];

const PATIENT: Readonly<Record<string, PatientSample>> = {
  opening: ['opening', (t) => callOf(null, t)],
  early: ['early', (t) => callOf(stateOf('scheduled', 'patient', { times: { scheduled: '2026-05-06T01:30:00.000Z' } }), t)],
  entry: ['entry', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  'entry-child': ['entry', (t) => callOf(stateOf('scheduled', 'patient', { patient: { name: '陈*', age: 4, sex: 'male', complaint: '发热' }, consent: { required: true, guardian_required: true, text_version: '2026-05' } }), t)],
  consent: ['consent', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  declined: ['declined', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  'check-before': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: device(null), camera: device(null), screen: device(null) } })],
  check: ['check', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  'check-denied': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: failed('denied'), camera: failed('denied'), screen: device(null) } })],
  'check-none': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: device(t.face), camera: failed('none'), screen: device(null) } })],
  'check-insecure': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: failed('insecure'), camera: failed('insecure'), screen: device(null) } })],
  'check-busy': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: device(t.face), camera: failed('busy'), screen: device(null) } })],
  'check-wechat': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t, { devices: { microphone: failed('unable'), camera: failed('unable'), screen: device(null) } })],
  'check-slow': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  'check-blocked': ['check', (t) => callOf(stateOf('scheduled', 'patient'), t)],
  waiting: ['waiting', (t) => callOf(stateOf('waiting', 'patient'), t)],
  'waiting-next': ['waiting', (t) => callOf(stateOf('waiting', 'patient', { waiting: { ahead: 0 } }), t, { devices: { microphone: device(null), camera: device(null), screen: device(null) } })],
  'waiting-silent': ['waiting', (t) => callOf(stateOf('waiting', 'patient'), t)],
  'waiting-late': ['waiting', (t) => callOf(stateOf('waiting', 'patient', { waiting: { ahead: 0, late: 'coordinator', offers: ['phone_back', 'rebook'] } }), t)],
  'live-hold': ['live', (t) => callOf(stateOf('live', 'patient', { held: true }), t)],
  'waiting-lost': ['waiting', (t) => callOf(stateOf('waiting', 'patient'), t, { session: { link: 'lost', code: null, contacts: null, lostAt: Date.now(), queue: null, state: stateOf('waiting', 'patient') } })],
  called: ['called', (t) => callOf(stateOf('live', 'patient'), t)],
  live: ['live', (t) => callOf(stateOf('live', 'patient'), t)],
  'waiting-low': ['waiting', (t) => callOf(stateOf('waiting', 'patient'), t)],
  'live-low': ['live', (t) => callOf(stateOf('live', 'patient'), t)],
  'live-taken': ['live', (t) => callOf(stateOf('live', 'patient'), t, { devices: { microphone: { ...device(t.face), taken: true }, camera: device(t.face), screen: device(null) } })],
  'live-slow': ['live', (t) => callOf(stateOf('live', 'patient'), t, { level: 'slow' })],
  'live-text': ['live', (t) => callOf(stateOf('live', 'patient'), t, { level: 'text' })],
  'live-unheard': ['live', (t) => callOf(stateOf('live', 'patient'), t, { devices: { microphone: failed('denied'), camera: failed('denied'), screen: device(null) } })],
  'live-captions': ['live', (t) => callOf(stateOf('live', 'patient'), t, { caption: { text: '血压早上高一些，先把药量一次，晚上再量。', language: 'zh' } })],
  'live-connecting': ['live', (t) => callOf(stateOf('live', 'patient', { recording: { state: 'starting' } }), t, { peer: { transport: 'connecting', remotes: [], pc: 'pc' } })],
  'live-screen': ['live', (t) => callOf(stateOf('live', 'patient'), t, { peer: { transport: 'connected', pc: 'pc', remotes: [{ id: 'c', seat: 'doctor', source: 'camera', track: t.other }, { id: 's', seat: 'doctor', source: 'screen', track: t.screen }] } })],
  'live-audio': ['live', (t) => callOf(stateOf('live', 'patient', { seats: { doctor: { ...ON, camera: 'off' }, patient: ON } }), t)],
  'live-muted': ['live', (t) => callOf(stateOf('live', 'patient', { recording: { state: 'on', since: at(300), gaps: [{ stream: 'patient', from_ms: 1, to_ms: 2400, cause: 'network' }] } }), t, { devices: { microphone: { state: 'muted', cause: null, track: t.face }, camera: device(t.face), screen: device(null) } })],
  'live-guests': ['live', (t) => callOf(stateOf('live', 'patient', { seats: GUESTS }), t)],
  reconnecting: ['live', (t) => callOf(stateOf('live', 'patient'), t, { session: { link: 'lost', code: null, contacts: null, lostAt: Date.now(), queue: null, state: stateOf('live', 'patient') } })],
  ended: ['ended', (t) => callOf(stateOf('ended', 'patient'), t)],
  'ended-rated': ['ended', (t) => callOf(stateOf('ended', 'patient'), t)],
  closed: ['closed', (t) => callOf(null, t, { session: { link: 'over', code: 'taken_over', contacts: null, lostAt: null, state: null, queue: null } })],
  'closed-expired': ['closed', (t) => callOf(null, t, { session: { link: 'over', code: 'token_expired', contacts: CONTACTS, lostAt: null, state: null, queue: null } })],
  'reconnecting-long': ['live', (t) => callOf(stateOf('live', 'patient'), t, { session: { link: 'lost', code: null, contacts: null, lostAt: Date.now() - 20_000, queue: null, state: stateOf('live', 'patient') } })],
  'waiting-lost-long': ['waiting', (t) => callOf(stateOf('waiting', 'patient'), t, { session: { link: 'lost', code: null, contacts: null, lostAt: Date.now() - 20_000, queue: null, state: stateOf('waiting', 'patient') } })],
};

export function patientFacts(name: string, tracks: Tracks, language: 'zh' | 'en', of = PATIENT): PatientFacts {
  const [page, call] = of[name] ?? ['opening', () => callOf(null, tracks)];
  return {
    page,
    call: call(tracks),
    steps: { early: false, confirmed: true, checked: true, reconsidering: false, answered: of === PATIENT },
    consent: { version: '2026-05', sha256: '00', language, text: CONSENT[language] },
    consentTrouble: false,
    busy: false,
    auto: false,
    noReturn: null,
    by: null,
    rated: name === 'ended-rated',
    network: name === 'check-slow' ? 'slow' : name === 'check-blocked' ? 'blocked' : 'good',
  };
}

const row = (visit: string, name: string, age: number, sex: string, complaint: string, waited: number, change: Partial<QueueRow> = {}): QueueRow => ({
  visit,
  phase: 'waiting',
  network: null,
  moved: false,
  since: new Date(NOW - waited * 60_000).toISOString(),
  present: true,
  consent: 'agreed',
  patient: { name, age, sex, complaint },
  late: waited > 20,
  phoneBack: false,
  rebook: false,
  messages: waited === 21 ? 2 : 0,
  ...change,
});

const WAITING = [
  row('V2', '赵*国', 74, 'male', '膝盖痛，复诊', 21),
  row('V3', '陈*', 5, 'male', '发热，家长陪同', 12),
  row('V4', '刘*芳', 61, 'female', '续方，糖尿病', 7, { consent: 'undecided' }),
  row('V5', '周*华', 57, 'female', '皮疹', 30, { present: false }),
];
const NOWROW = row('Vb3k', '王*英', 68, 'female', '头晕三天，晨起明显', 12, { phase: 'live' });

/** A morning: forty people, names of two worlds, and one who had much to say. */
const LONG = '头晕三天，晨起明显，站起来眼前发黑，昨天下午在地里干活时摔了一跤，右膝盖肿了，村医给贴了膏药不见好，夜里疼得睡不着，想问问要不要拍片子，降压药还能不能接着吃';
const MORNING = Array.from({ length: 40 }, (_, at) =>
  row(`M${at}`, ['欧阳*华', 'A*** K*** van der B***', '买买提·吐尔*', '李*'][at % 4] ?? '', 40 + at, at % 2 === 0 ? 'male' : 'female', at % 5 === 0 ? LONG : '复诊，续方', 40 - at, {
    network: at % 6 === 0 ? 'bad' : at % 4 === 0 ? 'slow' : 'good',
    ...(at % 7 === 3 ? { consent: 'undecided' as const } : {}),
    ...(at % 9 === 4 ? { phoneBack: true, messages: 12 } : {}),
    ...(at > 36 ? { present: false } : {}),
  }),
);

type DeskSample = (tracks: Tracks) => Pick<DeskFacts, 'call'> & Partial<DeskFacts>;

const DOCTOR: Readonly<Record<string, DeskSample>> = {
  idle: (t) => ({ call: callOf(stateOf('scheduled', 'doctor'), t, { devices: { microphone: device(null), camera: device(null), screen: device(null) } }), queue: { seq: 1, at: '', rows: [] } }),
  ready: (t) => ({ call: callOf(stateOf('waiting', 'doctor', { seats: { doctor: { present: true, consent: 'undecided' }, patient: ON } }), t, { devices: { microphone: device(null), camera: device(null), screen: device(null) } }), queue: { seq: 1, at: '', rows: WAITING } }),
  live: (t) => ({ call: callOf(stateOf('live', 'doctor'), t), queue: { seq: 1, at: '', rows: [NOWROW, ...WAITING] } }),
  'live-guests': (t) => ({ call: callOf(stateOf('live', 'doctor', { seats: { ...GUESTS, 'guest-3': { ...ON, as: 'family', admitted: false } } }), t), queue: { seq: 1, at: '', rows: [NOWROW, ...WAITING] } }),
  'live-gap': (t) => ({
    call: callOf(
      stateOf('live', 'doctor', {
        recording: {
          state: 'interrupted',
          since: at(300),
          streams: [{ stream: 'patient', sealed_to_ms: 382000, state: 'stalled' }, { stream: 'doctor', sealed_to_ms: 383000, state: 'stalled' }],
          gaps: [{ stream: 'patient', from_ms: 180000, to_ms: 202000, cause: 'network' }],
        },
        seats: { doctor: ON, patient: { ...ON, present: false, camera: 'off' } },
      }),
      t,
    ),
    queue: { seq: 1, at: '', rows: [{ ...NOWROW, present: false }, ...WAITING] },
  }),
  crowded: (t) => ({
    call: callOf(
      stateOf('live', 'doctor', {
        patient: { name: 'A*** K*** van der B***', age: 102, sex: 'female', complaint: LONG },
        doctor: { name: '欧阳建国·阿不都热合曼', title: '主任医师', department: '风湿免疫与代谢内分泌联合门诊', licence: '1103***217' },
        seats: { ...GUESTS, 'guest-3': { ...ON, as: 'family', admitted: false } },
        summary: { allergies: ['青霉素', '头孢类', '磺胺', '碘造影剂', '花生'].map((substance) => ({ substance, reaction: '全身皮疹，呼吸困难', severity: 'severe' })), conditions: ['高血压', '2 型糖尿病', '慢性肾病 3 期', '心房颤动', '脑梗死后遗症'].map((name) => ({ name, since: '2014 年' })), medication: ['苯磺酸氨氯地平片', '盐酸二甲双胍缓释片', '利伐沙班片', '阿托伐他汀钙片', '美托洛尔缓释片', '非布司他片'].map((name) => ({ name, dosage: '每日 1 次，早餐后服用' })), weight_kg: 62 },
      }),
      t,
      { peer: { transport: 'connected', pc: 'pc', remotes: [{ id: 'c', seat: 'patient', source: 'camera', track: t.other }, { id: 's', seat: 'patient', source: 'screen', track: t.screen }] }, caption: { text: '血压早上高一些，先把药量一次，晚上再量，量完记在本子上，下次给我看。', language: 'zh' } },
    ),
    queue: { seq: 1, at: '', rows: [NOWROW, ...MORNING] },
  }),
  'crowded-free': (t) => ({ call: callOf(stateOf('waiting', 'doctor', { seats: { doctor: { present: true, consent: 'undecided' }, patient: ON } }), t, { devices: { microphone: device(null), camera: device(null), screen: device(null) } }), queue: { seq: 1, at: '', rows: MORNING } }),
  ended: (t) => ({ call: callOf(stateOf('ended', 'doctor'), t), queue: { seq: 1, at: '', rows: WAITING } }),
};

export function deskFacts(name: string, tracks: Tracks, slot: string | null = null): DeskFacts {
  const sample = DOCTOR[name]?.(tracks) ?? { call: callOf(null, tracks) };
  if (slot !== null) return { queue: null, admitting: null, refused: null, call: callOf(stateOf('live', 'doctor', { slot: { url: slot, origin: new URL(slot).origin } }), tracks) };
  return { queue: null, admitting: null, refused: null, ...sample };
}
