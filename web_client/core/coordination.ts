/** The coordinator's desk: what goes on everywhere, asked for again every few seconds; and a patient given to another doctor. */
import type { Clock } from './clock';
import { Snapshot, type Watchable } from './watch';
import { count, fields, list, text } from './fields';

export type Level = 'good' | 'slow' | 'bad' | null;

export interface DoctorLoad {
  readonly id: string;
  readonly name: string;
  readonly department: string | null;
  readonly here: boolean;
  readonly waiting: number;
  readonly live: number;
  readonly longest: number | null;
}

export interface Department {
  readonly name: string | null;
  readonly doctors: readonly DoctorLoad[];
}

export interface Coordinated {
  readonly visit: string;
  readonly doctor: string;
  readonly phase: 'waiting' | 'live';
  readonly patient: string;
  readonly age: number | null;
  readonly seconds: number;
  readonly late: boolean;
  readonly phoneBack: boolean;
  readonly rebook: boolean;
  readonly escalated: boolean;
  readonly held: boolean;
  readonly moved: boolean;
  readonly present: boolean | null;
  readonly doctorPresent: boolean | null;
  readonly doctorLine: Level;
  readonly patientLine: Level;
  readonly recording: string | null;
}

/** What a patient said of a visit, without saying which one (RATING-1). */
export interface Rating {
  readonly id: string;
  readonly doctor: string;
  readonly month: string;
  readonly stars: number;
  readonly text: string | null;
  readonly state: RatingState;
}

type RatingState = 'pending' | 'shown' | 'hidden';

export interface CoordinationFacts {
  /** The hospital's own name, if it has said one. */
  readonly clinic: string | null;
  readonly departments: readonly Department[] | null;
  readonly visits: readonly Coordinated[];
  /** When the figures were read; they stay on the page while newer ones cannot be had. */
  readonly at: number | null;
  readonly failure: 'refused' | 'failed' | null;
  /** Of which patient a new doctor is being chosen. */
  readonly choosing: string | null;
  readonly moving: boolean;
  readonly trouble: boolean;
  /** Those that nobody has read yet, and those decided here: a decision may be changed while it stands on the page. */
  readonly ratings: readonly Rating[];
  /** Which one's decision did not arrive. */
  readonly unreviewed: string | null;
}

export interface CoordinationPort {
  read(): Promise<unknown>;
  reassign(visit: string, doctor: string): Promise<boolean>;
  ratings(): Promise<unknown>;
  review(rating: string, decision: 'shown' | 'hidden'): Promise<boolean>;
  failure(error: unknown): 'refused' | 'failed';
}

const EVERY_MS = 3000;
/** Ratings do not hurry. */
const RATINGS_EVERY = 10;

export class CoordinationDesk implements Watchable<CoordinationFacts> {
  private readonly facts = new Snapshot<CoordinationFacts>({ clinic: null, departments: null, visits: [], at: null, failure: null, choosing: null, moving: false, trouble: false, ratings: [], unreviewed: null });
  private reads = 0;

  constructor(
    private readonly port: CoordinationPort,
    private readonly clock: Clock,
  ) {}

  get now(): CoordinationFacts {
    return this.facts.now;
  }

  watch(told: (now: CoordinationFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** Read now, and again until the link is refused. */
  async open(): Promise<void> {
    await this.read();
    if (this.reads++ % RATINGS_EVERY === 0) await this.readRatings();
    if (this.now.failure !== 'refused') this.clock.after(EVERY_MS, () => void this.open());
  }

  choose(visit: string | null): void {
    this.facts.set({ choosing: visit, trouble: false });
  }

  async reassign(visit: string, doctor: string): Promise<void> {
    if (this.now.moving) return;
    this.facts.set({ moving: true, trouble: false });
    const done = await this.port.reassign(visit, doctor).catch(() => false);
    this.facts.set({ moving: false, trouble: !done, choosing: done ? null : visit });
    await this.read();
  }

  async review(rating: string, decision: 'shown' | 'hidden'): Promise<void> {
    this.facts.set({ unreviewed: null });
    if (!(await this.port.review(rating, decision).catch(() => false))) this.facts.set({ unreviewed: rating });
    else this.facts.set({ ratings: this.now.ratings.map((each) => (each.id === rating ? { ...each, state: decision } : each)) });
  }

  private async readRatings(): Promise<void> {
    if (this.now.failure !== null) return;
    const read = parseRatings(await this.port.ratings().catch(() => null));
    const fresh = read.filter((each) => this.now.ratings.every((held) => held.id !== each.id));
    if (fresh.length > 0) this.facts.set({ ratings: [...this.now.ratings, ...fresh] });
  }

  private async read(): Promise<void> {
    try {
      const read = parse(await this.port.read());
      const gone = !read.visits.some((each) => each.visit === this.now.choosing);
      this.facts.set({ ...read, at: this.clock.now(), failure: null, choosing: gone ? null : this.now.choosing });
    } catch (error) {
      this.facts.set({ failure: this.port.failure(error) });
    }
  }
}

export function parse(given: unknown): Pick<CoordinationFacts, 'clinic' | 'departments' | 'visits'> {
  const from = fields(given);
  return {
    clinic: text(from['clinic']),
    departments: list(from['departments']).map((each) => ({ name: text(fields(each)['department']), doctors: list(fields(each)['doctors']).flatMap(parseLoad) })),
    visits: list(from['visits']).flatMap(parseVisit),
  };
}

function parseRatings(given: unknown): Rating[] {
  return list(fields(given)['ratings']).flatMap((each): Rating[] => {
    const from = fields(each);
    const id = text(from['id']);
    const stars = count(from['stars']);
    if (id === null || stars === null) return [];
    return [{ id, stars, doctor: text(from['doctor']) ?? '', month: text(from['month']) ?? '', text: text(from['text']), state: 'pending' }];
  });
}

function parseLoad(given: unknown): DoctorLoad[] {
  const from = fields(given);
  const id = text(from['id']);
  if (id === null) return [];
  return [{ id, name: text(from['name']) ?? '', department: text(from['department']), here: from['here'] === true, waiting: count(from['waiting']) ?? 0, live: count(from['live']) ?? 0, longest: count(from['longest_s']) }];
}

const levelOf = (given: unknown): Level => (given === 'good' || given === 'slow' || given === 'bad' ? given : null);

function parseVisit(given: unknown): Coordinated[] {
  const from = fields(given);
  const visit = text(from['visit']);
  const doctor = text(from['doctor']);
  if (visit === null || doctor === null) return [];
  const pulse = from['pulse'] === null || from['pulse'] === undefined ? null : fields(from['pulse']);
  return [
    {
      visit,
      doctor,
      phase: from['phase'] === 'live' ? 'live' : 'waiting',
      patient: text(from['patient']) ?? '',
      age: count(from['age']),
      seconds: count(from['seconds']) ?? 0,
      late: text(from['late']) !== null,
      phoneBack: from['phone_back'] === true,
      rebook: from['rebook'] === true,
      escalated: from['escalated'] === true,
      held: from['held'] === true,
      moved: from['moved'] === true,
      present: pulse === null ? null : pulse['patient_present'] === true,
      doctorPresent: pulse === null ? null : pulse['doctor_present'] === true,
      doctorLine: levelOf(pulse?.['doctor']),
      patientLine: levelOf(pulse?.['patient']),
      recording: pulse === null ? null : text(pulse['recording']),
    },
  ];
}
