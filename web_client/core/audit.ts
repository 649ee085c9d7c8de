/** The auditor's desk: the list, one recording, and its verdict as this machine finds it. */
import { type Asked, Asking, type Failure } from './asking';
import { type Export, parseExport, parseExports } from './export';
import { type Kept, keptMessages } from './kept';
import { type Objects, type Verdict, type Sums, verify } from './verify';
import { type Vouched, vouchedFor } from './vouched';
import { Snapshot, type Watchable } from './watch';
import { type OnBehalf, parseBehalf, type Relation } from './wire';
import { count, fields, list, text } from './fields';

export interface Row {
  readonly visit: string;
  readonly phase: string;
  readonly doctor: string | null;
  readonly patient: string;
  readonly at: string | null;
  readonly length_ms: number | null;
  /** What the recorder says; the verdict is this machine's own. Null: nothing was recorded, or the recorder is away. */
  readonly closed: boolean | null;
  readonly gap_ms: number | null;
}

interface Look {
  readonly who: string;
  readonly role: string;
  readonly what: string;
  readonly at: string;
  readonly outcome: string;
  readonly purpose: string | null;
}

/** Who looks: fit for a watermark, and nobody's name. */
interface Viewer {
  readonly who: string;
  readonly role: string;
  readonly link: boolean;
}

interface Names {
  readonly doctor: string;
  readonly patient: string;
  readonly age: number | null;
  readonly sex: string | null;
  /** Who decided for the patient. */
  readonly by: OnBehalf | null;
}

/** A copy that was made of it: both side by side, encoded anew, and no evidence. */
interface DerivedCopy {
  readonly id: string;
  readonly at: string;
  readonly state: string;
  /** How many spans are not in it. */
  readonly redacted: number;
}

/** The picture or the sound of one stream, taken out of a copy: ms of stream time. */
export interface Redaction {
  readonly stream: 'patient' | 'doctor';
  readonly what: 'picture' | 'sound';
  readonly from_ms: number;
  readonly to_ms: number;
}

/** How it is kept, as the recorder says. */
export interface Keeping {
  readonly held: boolean;
  readonly sealed: boolean;
  readonly shredded: boolean;
  readonly until: string | null;
}

export interface Search {
  readonly words: string;
  /** Days as `2026-05-04`, in this auditor's own time; empty for none. */
  readonly since: string;
  readonly until: string;
}

export interface RecordingsPort {
  page(cursor: string | null, search: Search): Promise<unknown>;
  session(): Promise<unknown>;
  reason(visit: string, purpose: string, reason: string): Promise<unknown>;
  names(visit: string): Promise<unknown>;
  messages(visit: string): Promise<unknown>;
  keeping(visit: string): Promise<unknown>;
  makeCopy(visit: string, purpose: string, reason: string, redact: readonly Redaction[]): Promise<unknown>;
  copies(visit: string): Promise<unknown>;
  takeCopy(visit: string, copy: string): Promise<void>;
  askExport(visit: string, purpose: string, reason: string): Promise<unknown>;
  exports(): Promise<unknown>;
  decideExport(id: string, approve: boolean): Promise<unknown>;
  one(visit: string): Promise<unknown>;
  files(visit: string): Promise<unknown>;
  /** Null if it cannot be read. */
  read(visit: string, name: string): Promise<Uint8Array | null>;
  download(id: string, visit: string, to: string): Promise<void>;
  failure(error: unknown): Failure;
}

export interface Shown {
  readonly row: Row;
  readonly consents: readonly { readonly seat: string; readonly state: string; readonly at: string | null; readonly version: string | null; readonly by: Relation | null }[];
  readonly looks: readonly Look[];
  /** After a reason. */
  readonly names: Names | null;
  readonly messages: readonly Kept[] | null;
  readonly keeping: Keeping | null;
  readonly copies: readonly DerivedCopy[];
  readonly progress: { readonly done: number; readonly all: number };
  readonly verdict: Verdict | null;
  /** Who else vouches for it: as its files say, and not judged here. */
  readonly vouched: Vouched | null;
  /** A bundle from this machine's own disk, and whether its keys are there: of the server nothing is asked. */
  readonly local: { readonly keys: boolean } | null;
}

/** A bundle from the disk. */
export interface Bundle extends Objects {
  /** The visit that its first record names; empty if that cannot be read. */
  readonly visit: string;
  /** Whether a file of keys lies beside it. */
  readonly keys: boolean;
}

export interface AuditFacts extends Asked {
  readonly rows: readonly Row[] | null;
  readonly more: boolean;
  readonly search: Search;
  readonly shown: Shown | null;
  readonly downloading: boolean;
  readonly viewer: Viewer | null;
  readonly exports: readonly Export[];
}

const EVERYTHING: Search = { words: '', since: '', until: '' };

const UNJUDGED = { consents: [], looks: [], names: null, messages: null, keeping: null, copies: [], progress: { done: 0, all: 0 }, verdict: null, vouched: null, local: null };

const FIRST_RECORDS = 'records/000001.jsonl';
const MOST_TRIES = 20;
const BETWEEN_MS = 1000;

export class Audit implements Watchable<AuditFacts> {
  private readonly facts = new Snapshot<AuditFacts>({ rows: null, more: false, failure: null, search: EVERYTHING, shown: null, downloading: false, viewer: null, exports: [], sending: false });
  private readonly asking = new Asking(this.facts, (error) => this.port.failure(error));
  private cursor: string | null = null;
  private turn = 0;
  private asked = 0;

  constructor(
    private readonly port: RecordingsPort,
    private readonly sums: Sums,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  get now(): AuditFacts {
    return this.facts.now;
  }

  watch(told: (now: AuditFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** Who looks; nothing is shown without it. */
  async meet(): Promise<void> {
    await this.asking.trying(async () => {
      const from = fields(await this.port.session());
      const viewer = { who: text(from['who']) ?? '', role: text(from['role']) ?? '', link: from['kind'] === 'link' };
      this.facts.set({ viewer });
    });
  }

  /** The first page, or the next one. */
  async load(): Promise<void> {
    const asked = (this.asked += 1);
    await this.asking.trying(async () => {
      const page = fields(await this.port.page(this.cursor, this.now.search));
      if (asked !== this.asked) return; // searched for something else meanwhile
      this.cursor = text(page['next']);
      const rows = [...(this.now.rows ?? []), ...list(page['recordings']).flatMap(parseRow)];
      this.facts.set({ rows, more: this.cursor !== null, failure: null });
    });
  }

  /** What could not be had at the beginning, once more. */
  async again(): Promise<void> {
    if (this.now.rows !== null || this.now.failure !== 'failed') return;
    if (this.now.viewer === null) await this.meet();
    if (this.now.viewer !== null) await this.load();
  }

  /** Look for something else: from the first page. */
  async search(search: Search): Promise<void> {
    this.facts.set({ search, rows: null, more: false });
    this.cursor = null;
    await this.load();
  }

  /** Say why, and be shown names and messages. */
  async reason(purpose: string, reason: string): Promise<void> {
    const visit = this.now.shown?.row.visit;
    if (visit === undefined) return;
    await this.asking.sending(async () => {
      await this.port.reason(visit, purpose, reason);
      await this.personal(visit);
    });
  }

  async askExport(purpose: string, reason: string): Promise<void> {
    const visit = this.now.shown?.row.visit;
    if (visit === undefined) return;
    await this.asking.sending(async () => {
      const asked = parseExport(await this.port.askExport(visit, purpose, reason), Date.now());
      this.facts.set({ exports: [...asked, ...this.now.exports] });
    });
  }

  async makeCopy(purpose: string, reason: string, redact: readonly Redaction[]): Promise<void> {
    const visit = this.now.shown?.row.visit;
    if (visit === undefined) return;
    await this.asking.sending(async () => {
      await this.port.makeCopy(visit, purpose, reason, redact);
      await this.copies();
    });
  }

  async takeCopy(copy: string): Promise<void> {
    const visit = this.now.shown?.row.visit;
    if (visit !== undefined) await this.asking.sending(() => this.port.takeCopy(visit, copy));
  }

  /** The copies of what is shown, as they stand now. */
  async copies(): Promise<void> {
    const visit = this.now.shown?.row.visit;
    if (visit === undefined) return;
    const given = await this.port.copies(visit).then((said) => list(fields(said)['copies']).map(parseCopy), () => null);
    const shown = this.now.shown;
    if (given === null || shown?.row.visit !== visit || JSON.stringify(given) === JSON.stringify(shown.copies)) return;
    this.facts.set({ shown: { ...shown, copies: given } });
  }

  async decideExport(id: string, approve: boolean): Promise<void> {
    await this.asking.sending(async () => {
      await this.port.decideExport(id, approve);
      await this.exports();
    });
  }

  /** What is asked for and what may be taken, as it stands now. */
  async exports(): Promise<void> {
    try {
      const exports = parseExports(await this.port.exports(), Date.now());
      if (JSON.stringify(exports) !== JSON.stringify(this.now.exports)) this.facts.set({ exports });
    } catch (error) {
      // Nobody asked, and it is asked again in a moment: that the network is gone is said by what somebody does ask for.
      const failure = this.port.failure(error);
      if (failure !== 'failed') this.facts.set({ failure });
    }
  }

  /** What was chosen is no bundle. */
  refuseLocal(): void {
    this.facts.set({ failure: 'not_a_bundle' });
  }

  back(): void {
    this.turn += 1;
    this.facts.set({ shown: null, failure: null });
  }

  /** Open one recording and verify it here. */
  async open(visit: string): Promise<void> {
    const turn = (this.turn += 1);
    const mine = (): boolean => this.turn === turn;
    try {
      const detail = fields(await this.port.one(visit));
      const row = parseRow(detail)[0];
      if (row === undefined || !mine()) return;
      this.facts.set({ shown: { ...UNJUDGED, row, consents: parseConsents(detail), looks: parseLooks(detail) }, failure: null });
      void this.keeping(visit);
      void this.copies();
      const names = await this.files(visit, mine);
      if (!mine()) return;
      await this.judge({ names, read: (name: string) => this.port.read(visit, name) }, visit, mine);
      if (mine() && this.now.shown !== null && this.now.shown.messages !== null) await this.personal(visit);
    } catch (error) {
      if (mine()) this.facts.set({ failure: this.port.failure(error) });
    }
  }

  /** Open a bundle of this machine, and verify it here. */
  async openLocal(bundle: Bundle): Promise<void> {
    const turn = (this.turn += 1);
    const row: Row = { visit: bundle.visit, phase: 'ended', doctor: null, patient: '', at: null, length_ms: null, closed: null, gap_ms: null };
    this.facts.set({ shown: { ...UNJUDGED, row, local: { keys: bundle.keys } }, failure: null });
    await this.judge(bundle, bundle.visit, () => this.turn === turn);
  }

  private async judge(objects: Objects, visit: string, mine: () => boolean): Promise<void> {
    const verdict = await verify(objects, this.sums, visit, (done, all) => {
      if (mine() && this.now.shown !== null) this.facts.set({ shown: { ...this.now.shown, progress: { done, all } } });
    });
    const vouched = await vouchedFor(verdict, objects, this.sums);
    const shown = this.now.shown;
    if (!mine() || shown === null) return;
    const told = shown.local !== null ? { consents: consentsOf(verdict), row: { ...shown.row, at: verdict.records[0]?.at ?? null } } : {};
    this.facts.set({ shown: { ...shown, verdict, vouched, ...told } });
  }

  /** What there is to verify. A visit that has just begun, or just ended, has its first records a moment later. */
  private async files(visit: string, wanted: () => boolean): Promise<string[]> {
    for (let n = 1; ; n += 1) {
      const names = list(fields(await this.port.files(visit))['files']).map((each) => text(fields(each)['name']) ?? text(each) ?? '');
      if (names.includes(FIRST_RECORDS) || n === MOST_TRIES || !wanted()) return names;
      await this.pause(BETWEEN_MS);
    }
  }

  async download(id: string, to: string): Promise<void> {
    const one = this.now.exports.find((each) => each.id === id);
    if (one === undefined || this.now.downloading) return;
    this.facts.set({ downloading: true });
    await this.asking.trying(() => this.port.download(id, one.visit, to));
    this.facts.set({ downloading: false });
    await this.exports();
  }

  /** Not said where the recorder is away: the page then says nothing of it. */
  private async keeping(visit: string): Promise<void> {
    const from = await this.port.keeping(visit).then(fields, () => null);
    if (from === null || this.now.shown?.row.visit !== visit) return;
    const keeping = { held: from['held'] === true, sealed: from['sealed'] === true, shredded: from['shredded'] === true, until: text(from['kept_until']) };
    this.facts.set({ shown: { ...this.now.shown, keeping } });
  }

  private async personal(visit: string): Promise<void> {
    const names = fields(await this.port.names(visit));
    const given = await this.port.messages(visit);
    const shown = this.now.shown;
    if (shown === null || shown.row.visit !== visit) return;
    const messages = await keptMessages(given, shown.verdict?.records ?? [], this.sums);
    const [doctor, patient] = [fields(names['doctor']), fields(names['patient'])];
    const told = { doctor: text(doctor['name']) ?? '', patient: text(patient['name']) ?? '', age: count(patient['age']), sex: text(patient['sex']), by: parseBehalf(names['by']) };
    if (this.now.shown?.row.visit === visit) this.facts.set({ shown: { ...this.now.shown, names: told, messages } });
  }
}

function parseRow(given: unknown): Row[] {
  const from = fields(given);
  const visit = text(from['visit']);
  if (visit === null) return [];
  const live = text(from['live']);
  const ended = text(from['ended_at']);
  const recording = from['recording'] === null || from['recording'] === undefined ? null : fields(from['recording']);
  const length = live !== null && ended !== null ? Date.parse(ended) - Date.parse(live) : null;
  const gaps = list(recording?.['streams']).flatMap((each) => list(fields(each)['gaps']));
  const missing = gaps.filter((gap) => !['off', 'withdrawn'].includes(text(fields(gap)['cause']) ?? ''));
  return [
    {
      visit,
      phase: text(from['phase']) ?? '',
      doctor: text(fields(from['doctor'])['name']),
      patient: text(from['patient']) ?? '',
      at: live ?? text(from['entered']) ?? text(from['created']),
      length_ms: length,
      closed: recording === null ? null : text(recording['closed']) !== null,
      gap_ms: recording === null ? null : missing.reduce((sum: number, gap) => sum + (count(fields(gap)['to_ms']) ?? 0) - (count(fields(gap)['from_ms']) ?? 0), 0),
    },
  ];
}

function parseCopy(given: unknown): DerivedCopy {
  const from = fields(given);
  const recipe = fields(from['recipe']);
  return { id: text(from['id']) ?? '', at: text(from['asked']) ?? '', state: text(from['state']) ?? '', redacted: ['mute', 'black', 'redact'].reduce((sum, name) => sum + list(recipe[name]).length, 0) };
}

function parseConsents(detail: Readonly<Record<string, unknown>>): Shown['consents'] {
  return Object.entries(fields(detail['consents'])).map(([seat, each]) => {
    const from = fields(each);
    return { seat, state: text(from['state']) ?? '', at: text(from['at']), version: text(from['text_version']), by: parseBehalf(from['by'])?.relation ?? null };
  });
}

/** What the records of a bundle say of consent: the last word of each seat, and who decided, as the event before it says. */
function consentsOf(verdict: Verdict): Shown['consents'] {
  const last = new Map<string, Shown['consents'][number]>();
  const deciding = new Map<string, Relation>();
  for (const { type, at, body } of verdict.records) {
    const seat = text(body['seat']) ?? '';
    if (type === 'event' && body['event'] === 'consent_by') {
      const by = parseBehalf({ as: body['state'], relation: fields(body['detail'])['relation'] });
      if (by !== null) deciding.set(seat, by.relation);
    }
    if (type !== 'consent' && type !== 'withdraw') continue;
    last.set(seat, { seat, at, state: type === 'withdraw' ? 'withdrawn' : (text(body['decision']) ?? ''), version: text(body['text_version']), by: deciding.get(seat) ?? null });
    deciding.delete(seat);
  }
  return [...last.values()];
}

function parseLooks(detail: Readonly<Record<string, unknown>>): readonly Look[] {
  return list(detail['accesses']).map((each) => {
    const from = fields(each);
    return { who: text(from['who']) ?? '', role: text(from['role']) ?? '', what: text(from['what']) ?? '', at: text(from['at']) ?? '', outcome: text(from['outcome']) ?? '', purpose: text(from['purpose']) };
  });
}
