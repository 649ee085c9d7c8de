/** The wire of `signaling/PROTOCOL.md`, version 1: its types, and parsers that let nothing malformed further in. */
import { count, type Fields, fields, isText, list, oneOf, text } from './fields';

export type Seat = 'doctor' | 'patient';
export type GuestSeat = 'guest-1' | 'guest-2' | 'guest-3';
export type GuestKind = 'specialist' | 'village_doctor' | 'interpreter' | 'family';
type Phase = 'scheduled' | 'waiting' | 'live' | 'ended';
type ConsentState = 'undecided' | 'agreed' | 'refused' | 'withdrawn';
export type Source = 'microphone' | 'camera' | 'screen';
export type Kind = 'audio' | 'video';
type SeatMedia = 'none' | 'connecting' | 'connected' | 'silent';
export type DeviceState = 'on' | 'muted' | 'off' | 'failed';
type RecordingState = 'off' | 'starting' | 'on' | 'interrupted' | 'closed';

export interface Doctor {
  readonly name: string | null;
  readonly title: string | null;
  readonly department: string | null;
  readonly licence: string | null;
  /** Name of a portrait. */
  readonly picture: string | null;
}

export interface Patient {
  readonly name: string | null;
  readonly age: number | null;
  readonly sex: string | null;
  readonly complaint: string | null;
}

export interface SeatState {
  /** How the seat's line is, as the server measured. */
  readonly path: 'good' | 'slow' | 'bad' | null;
  readonly present: boolean;
  readonly consent: ConsentState;
  readonly media: SeatMedia;
  readonly microphone: DeviceState;
  readonly camera: DeviceState;
  readonly screen: DeviceState;
}

/** A third party's seat (PROTOCOL.md §9). */
export interface Guest extends SeatState {
  readonly seat: GuestSeat;
  readonly as: GuestKind;
  readonly admitted: boolean;
}

/** Who decides for the patient: a small child's guardian, or family. */
export interface OnBehalf {
  readonly as: 'guardian' | 'family';
  readonly relation: Relation;
  readonly name: string;
}

export type Relation = 'mother' | 'father' | 'grandparent' | 'guardian' | 'child' | 'spouse' | 'sibling' | 'other';

/** A place that can be phoned. */
interface Contact {
  readonly name: string;
  readonly phone: string;
}

/** Whom a patient may phone, beside 120. */
export interface Contacts {
  readonly clinic: Contact | null;
  readonly emergency: Contact | null;
}

interface Track {
  readonly id: string;
  readonly seat: string;
  readonly source: Source;
  readonly kind: Kind;
  readonly codec: string;
}

interface Picture {
  readonly seat: string;
  readonly track: string;
  readonly shown: boolean;
  readonly why: 'network' | 'sender' | 'asked';
}

interface Gap {
  readonly stream: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly cause: string;
}

interface StreamAlive {
  readonly stream: string;
  readonly sealed_to_ms: number;
  readonly state: string;
}

interface Recording {
  readonly state: RecordingState;
  readonly since: string | null;
  readonly streams: readonly StreamAlive[];
  readonly gaps: readonly Gap[];
}

/** The whole visit as this seat may see it (PROTOCOL.md §4). */
export interface State {
  readonly seq: number;
  readonly visit: string;
  readonly phase: Phase;
  readonly at: string;
  readonly you: {
    readonly seat: Seat | GuestSeat;
    readonly pc: string | null;
    /** This seat wants no moving picture, by hand. */
    readonly soundOnly: boolean;
    /** What the small encoding of each source should cost, bits a second; no entry: as this page likes. */
    readonly send: Readonly<Partial<Record<Source, number>>>;
  };
  readonly doctor: Doctor;
  readonly patient: Patient;
  readonly seats: Readonly<Record<Seat, SeatState>>;
  /** Third parties, in the order of their seats. */
  readonly guests: readonly Guest[];
  readonly consent: { readonly required: boolean; readonly text_version: string | null; readonly guardian: boolean };
  /** Who decides for the patient (SIG-40); the name is masked. */
  readonly behalf: OnBehalf | null;
  readonly contacts: Contacts;
  readonly ahead: number | null;
  readonly wait: Wait;
  /** The doctor has put the live visit on hold. */
  readonly held: boolean;
  /** What the doctor wrote for afterwards. */
  readonly advice: string | null;
  /** When the patient asked to be phoned. */
  readonly phoneBack: string | null;
  /** When the patient asked for another time. */
  readonly rebook: string | null;
  /** `seq` of the newest message. */
  readonly lastMessage: number;
  readonly tracks: readonly Track[];
  /** What is shown to whom in less than its sender's best, and why. */
  readonly pictures: readonly Picture[];
  readonly media: { readonly epoch: string | null; readonly available: boolean; readonly layered: boolean };
  readonly recording: Recording;
  /** The hospital's prescribing page beside the picture; null where none is configured. */
  readonly slot: { readonly url: string; readonly origin: string } | null;
  /** What is known of prescriptions made there (§11). */
  readonly prescriptions: readonly Prescription[];
  /** The doctor's: what the hospital says of the patient, for `core/summary` to read. */
  readonly summary: unknown;
  /** `scheduled`: what the visit was booked for. */
  readonly times: { readonly scheduled: string | null; readonly entered: string | null; readonly live: string | null; readonly ended: string | null };
  readonly ended: { readonly by: string; readonly reason: string } | null;
}

interface Prescription {
  readonly rx: string;
  readonly version: number;
  readonly state: string;
  readonly sha256: string;
  readonly standing: 'claimed' | 'confirmed' | 'unconfirmed' | 'contradicted';
  readonly late: boolean;
}

/** How long it may still take, and what may be done when it takes longer (SIG-21, SIG-22). */
interface Wait {
  /** Seconds; null while too few visits of this doctor are known. */
  readonly estimate: { readonly low: number; readonly high: number } | null;
  readonly late: 'doctor' | 'coordinator' | null;
  readonly offers: readonly string[];
}

/** A line of text or a photo (PROTOCOL.md §8). */
export interface Message {
  readonly seq: number;
  readonly id: string;
  readonly from: string;
  readonly at: string;
  readonly text: string | null;
  readonly photo: { readonly id: string } | null;
}

export interface QueueRow {
  readonly visit: string;
  readonly phase: Phase;
  readonly since: string | null;
  readonly present: boolean;
  readonly consent: ConsentState;
  readonly patient: Patient;
  /** The promised time is past. */
  readonly late: boolean;
  readonly phoneBack: boolean;
  readonly rebook: boolean;
  /** How many messages there are. */
  readonly messages: number;
  /** How the patient's line is. */
  readonly network: 'good' | 'slow' | 'bad' | null;
  /** A colleague or the coordinator sent the patient. */
  readonly moved: boolean;
}

/** All waiting and live visits of this doctor, longest wait first. */
export interface Queue {
  readonly seq: number;
  readonly at: string;
  readonly rows: readonly QueueRow[];
}

export type Ack =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: string };


const SEATS: readonly Seat[] = ['doctor', 'patient'];
const PHASES: readonly Phase[] = ['scheduled', 'waiting', 'live', 'ended'];
const CONSENTS: readonly ConsentState[] = ['undecided', 'agreed', 'refused', 'withdrawn'];
const SOURCES: readonly Source[] = ['microphone', 'camera', 'screen'];
const MEDIA: readonly SeatMedia[] = ['none', 'connecting', 'connected', 'silent'];
const GUESTS: readonly GuestSeat[] = ['guest-1', 'guest-2', 'guest-3'];
const KINDS: readonly GuestKind[] = ['specialist', 'village_doctor', 'interpreter', 'family'];
const DEVICES: readonly DeviceState[] = ['on', 'muted', 'off', 'failed'];
const RECORDINGS: readonly RecordingState[] = ['off', 'starting', 'on', 'interrupted', 'closed'];

/** `state`, or null if it is not one of version 1. */
export function parseState(given: unknown): State | null {
  const from = fields(given);
  const you = fields(from['you']);
  const seat = oneOf([...SEATS, ...GUESTS], you['seat'], null);
  const phase = oneOf(PHASES, from['phase'], null);
  if (from['v'] !== 1 || typeof from['seq'] !== 'number' || phase === null) return null;
  if (seat === null) return null;
  const seats = fields(from['seats']);
  const consent = fields(from['consent']);
  const media = fields(from['media']);
  const times = fields(from['times']);
  const ended = from['ended'] === null || from['ended'] === undefined ? null : fields(from['ended']);
  return {
    seq: from['seq'],
    visit: text(from['visit']) ?? '',
    phase,
    at: text(from['at']) ?? '',
    you: { seat, pc: text(you['pc']), soundOnly: fields(you['view'])['camera'] === 'none', send: Object.fromEntries(Object.entries(fields(you['send'])).filter((each) => count(each[1]) !== null)) },
    doctor: parseDoctor(from['doctor']),
    patient: parsePatient(from['patient']),
    seats: { doctor: parseSeat(seats['doctor']), patient: parseSeat(seats['patient']) },
    guests: GUESTS.flatMap((each) => (seats[each] === undefined ? [] : [parseGuest(each, seats[each])])),
    consent: { required: consent['required'] !== false, text_version: text(consent['text_version']), guardian: consent['guardian_required'] === true },
    behalf: parseBehalf(fields(seats['patient'])['by']),
    contacts: parseContacts(from['contacts']),
    ahead: count(fields(from['waiting'])['ahead']),
    wait: parseWait(from['waiting']),
    held: from['held'] === true,
    advice: text(from['advice']),
    phoneBack: text(from['phone_back']),
    rebook: text(from['rebook']),
    lastMessage: count(fields(from['messages'])['last']) ?? 0,
    tracks: list(from['tracks']).flatMap(parseTrack),
    pictures: list(from['pictures']).flatMap(parsePicture),
    media: { epoch: text(media['epoch']), available: media['available'] !== false, layered: media['camera'] === 'VP9' },
    recording: parseRecording(from['recording']),
    slot: parseSlot(from['slot']),
    prescriptions: list(from['prescriptions']).flatMap(parsePrescription),
    summary: from['summary'] ?? null,
    times: { scheduled: text(times['scheduled']), entered: text(times['entered']), live: text(times['live']), ended: text(times['ended']) },
    ended: ended && { by: text(ended['by']) ?? 'system', reason: text(ended['reason']) ?? 'completed' },
  };
}

/** `queue`, or null. */
export function parseQueue(given: unknown): Queue | null {
  const from = fields(given);
  if (from['v'] !== 1 || typeof from['seq'] !== 'number') return null;
  const rows = list(from['waiting']).flatMap((each): QueueRow[] => {
    const row = fields(each);
    const visit = text(row['visit']);
    if (visit === null) return [];
    return [
      {
        visit,
        phase: oneOf(PHASES, row['phase'], 'waiting'),
        since: text(row['since']),
        present: row['present'] === true,
        consent: oneOf(CONSENTS, row['consent'], 'undecided'),
        patient: parsePatient(row['patient']),
        late: row['late'] === true,
        phoneBack: row['phone_back'] === true,
        rebook: row['rebook'] === true,
        messages: count(row['messages']) ?? 0,
        network: oneOf(['good', 'slow', 'bad'] as const, row['network'], null),
        moved: row['moved'] === true,
      },
    ];
  });
  return { seq: from['seq'], at: text(from['at']) ?? '', rows };
}

/** `message`, or null. */
export function parseMessage(given: unknown): Message | null {
  const from = fields(given);
  const id = text(from['id']);
  const seq = count(from['seq']);
  const photo = text(fields(from['photo'])['id']);
  const words = text(from['text']);
  if (from['v'] !== 1 || id === null || seq === null || (words === null && photo === null)) return null;
  return { seq, id, from: text(from['from']) ?? '', at: text(from['at']) ?? '', text: words, photo: photo === null ? null : { id: photo } };
}

/** An acknowledgement; what is not one is a refusal with code `ack_invalid`. */
export function parseAck(given: unknown): Ack {
  const from = fields(given);
  if (from['ok'] === true) return { ok: true, body: from };
  return { ok: false, code: text(fields(from['error'])['code']) ?? 'ack_invalid' };
}

/** The code of a `bye` or of a refused CONNECT. */
export function parseCode(given: unknown): string {
  return text(fields(given)['code']) ?? 'unknown';
}

/** RTCIceServer dictionaries, as the server hands them out, and their lifetime in seconds. */
export interface IceServers {
  readonly servers: readonly { readonly urls: string | string[]; readonly username?: string; readonly credential?: string }[];
  readonly ttl_s: number;
}

export function parseIce(body: Fields): IceServers {
  const servers = list(body['ice_servers']).flatMap((each) => {
    const from = fields(each);
    const urls = typeof from['urls'] === 'string' ? from['urls'] : list(from['urls']).filter(isText);
    if (urls.length === 0) return [];
    const username = text(from['username']);
    const credential = text(from['credential']);
    return [{ urls, ...(username === null ? {} : { username }), ...(credential === null ? {} : { credential }) }];
  });
  return { servers, ttl_s: count(body['ttl_s']) ?? 300 };
}

function parseDoctor(given: unknown): Doctor {
  const from = fields(given);
  return { name: text(from['name']), title: text(from['title']), department: text(from['department']), licence: text(from['licence']), picture: text(from['picture']) };
}

function parsePatient(given: unknown): Patient {
  const from = fields(given);
  return { name: text(from['name']), age: count(from['age']), sex: text(from['sex']), complaint: text(from['complaint']) };
}

function parseSeat(given: unknown): SeatState {
  const from = fields(given);
  return {
    present: from['present'] === true,
    consent: oneOf(CONSENTS, from['consent'], 'undecided'),
    media: oneOf(MEDIA, from['media'], 'none'),
    microphone: oneOf(DEVICES, from['microphone'], 'off'),
    camera: oneOf(DEVICES, from['camera'], 'off'),
    screen: oneOf(DEVICES, from['screen'], 'off'),
    path: oneOf(['good', 'slow', 'bad'] as const, from['path'], null),
  };
}

const RELATIONS: readonly Relation[] = ['mother', 'father', 'grandparent', 'guardian', 'child', 'spouse', 'sibling', 'other'];

/** Who decides for the patient; null if the patient does. A name may be left out. */
export function parseBehalf(given: unknown): OnBehalf | null {
  const from = fields(given);
  const as = oneOf(['guardian', 'family'] as const, from['as'], null);
  return as === null ? null : { as, relation: oneOf(RELATIONS, from['relation'], 'other'), name: text(from['name']) ?? '' };
}

/** `contacts`, of a state or of a refused CONNECT. */
export function parseContacts(given: unknown): Contacts {
  const from = fields(given);
  return { clinic: parseContact(from['clinic']), emergency: parseContact(from['emergency']) };
}

function parseContact(given: unknown): Contact | null {
  const name = text(fields(given)['name']);
  const phone = text(fields(given)['phone']);
  return name === null || phone === null ? null : { name, phone };
}

function parseGuest(seat: GuestSeat, given: unknown): Guest {
  const from = fields(given);
  return { ...parseSeat(given), seat, as: oneOf(KINDS, from['as'], 'family'), admitted: from['admitted'] === true };
}

function parseWait(given: unknown): Wait {
  const from = fields(given);
  const estimate = fields(from['estimate_s']);
  const low = count(estimate['low']);
  const high = count(estimate['high']);
  return {
    estimate: low === null || high === null ? null : { low, high: Math.max(low, high) },
    late: oneOf(['doctor', 'coordinator'] as const, from['late'], null),
    offers: list(from['offers']).filter(isText),
  };
}

function parseSlot(given: unknown): State['slot'] {
  const url = text(fields(given)['url']);
  const origin = text(fields(given)['origin']);
  return url === null || origin === null ? null : { url, origin };
}

function parsePrescription(given: unknown): Prescription[] {
  const from = fields(given);
  const rx = text(from['rx']);
  const sha256 = text(from['sha256']);
  if (rx === null || sha256 === null) return [];
  const standing = oneOf(['claimed', 'confirmed', 'unconfirmed', 'contradicted'] as const, from['standing'], 'claimed');
  return [{ rx, sha256, version: count(from['version']) ?? 0, state: text(from['state']) ?? '', standing, late: from['late'] === true }];
}

function parseTrack(given: unknown): Track[] {
  const from = fields(given);
  const id = text(from['id']);
  const seat = text(from['seat']);
  const source = oneOf(SOURCES, from['source'], null);
  if (id === null || seat === null || source === null) return [];
  return [{ id, seat, source, kind: from['kind'] === 'audio' ? 'audio' : 'video', codec: text(from['codec']) ?? '' }];
}

function parsePicture(given: unknown): Picture[] {
  const from = fields(given);
  const seat = text(from['seat']);
  const track = text(from['track']);
  const why = oneOf(['network', 'sender', 'asked'] as const, from['why'], null);
  return seat === null || track === null || why === null ? [] : [{ seat, track, shown: from['shown'] !== false, why }];
}

function parseRecording(given: unknown): Recording {
  const from = fields(given);
  return {
    state: oneOf(RECORDINGS, from['state'], 'off'),
    since: text(from['since']),
    streams: list(from['streams']).map((each) => {
      const one = fields(each);
      return { stream: text(one['stream']) ?? '', sealed_to_ms: count(one['sealed_to_ms']) ?? 0, state: text(one['state']) ?? '' };
    }),
    gaps: list(from['gaps']).map((each) => {
      const one = fields(each);
      return {
        stream: text(one['stream']) ?? '',
        from_ms: count(one['from_ms']) ?? 0,
        to_ms: count(one['to_ms']) ?? 0,
        cause: text(one['cause']) ?? '',
      };
    }),
  };
}
