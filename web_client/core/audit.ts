/** The auditor's desk: the list, one recording, and its verdict as this machine finds it. */
import { type Verdict, type Sums, verify } from './verify';
import { Snapshot, type Watchable } from './watch';
import { count, fields, list, text } from './wire';

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

export interface Look {
  readonly who: string;
  readonly what: string;
  readonly at: string;
}

export type Failure = 'refused' | 'failed';

export interface RecordingsPort {
  page(cursor: string | null): Promise<unknown>;
  one(visit: string): Promise<unknown>;
  files(visit: string): Promise<unknown>;
  /** Null if it cannot be read. */
  read(visit: string, name: string): Promise<Uint8Array | null>;
  download(visit: string): Promise<void>;
  failure(error: unknown): Failure;
}

export interface Shown {
  readonly row: Row;
  readonly consents: readonly { readonly seat: string; readonly state: string; readonly at: string | null; readonly version: string | null }[];
  readonly looks: readonly Look[];
  readonly progress: { readonly done: number; readonly all: number };
  readonly verdict: Verdict | null;
}

export interface AuditFacts {
  readonly rows: readonly Row[] | null;
  readonly more: boolean;
  readonly failure: Failure | null;
  readonly search: string;
  readonly shown: Shown | null;
  readonly downloading: boolean;
}

export class Audit implements Watchable<AuditFacts> {
  private readonly facts = new Snapshot<AuditFacts>({ rows: null, more: false, failure: null, search: '', shown: null, downloading: false });
  private cursor: string | null = null;
  private turn = 0;

  constructor(
    private readonly port: RecordingsPort,
    private readonly sums: Sums,
  ) {}

  get now(): AuditFacts {
    return this.facts.now;
  }

  watch(told: (now: AuditFacts) => void): () => void {
    return this.facts.watch(told);
  }

  /** The first page, or the next one. */
  async load(): Promise<void> {
    try {
      const page = fields(await this.port.page(this.cursor));
      this.cursor = text(page['next']);
      const rows = [...(this.now.rows ?? []), ...list(page['recordings']).flatMap(parseRow)];
      this.facts.set({ rows, more: this.cursor !== null, failure: null });
    } catch (error) {
      this.facts.set({ failure: this.port.failure(error) });
    }
  }

  search(search: string): void {
    this.facts.set({ search });
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
      const shown: Shown = { row, consents: parseConsents(detail), looks: parseLooks(detail), progress: { done: 0, all: 0 }, verdict: null };
      this.facts.set({ shown, failure: null });
      const names = list(fields(await this.port.files(visit))['files']).map((each) => text(fields(each)['name']) ?? text(each) ?? '');
      if (!mine()) return;
      const objects = { names, read: (name: string) => this.port.read(visit, name) };
      const verdict = await verify(objects, this.sums, visit, (done, all) => {
        if (mine() && this.now.shown !== null) this.facts.set({ shown: { ...this.now.shown, progress: { done, all } } });
      });
      if (mine() && this.now.shown !== null) this.facts.set({ shown: { ...this.now.shown, verdict } });
    } catch (error) {
      if (mine()) this.facts.set({ failure: this.port.failure(error) });
    }
  }

  async download(): Promise<void> {
    const shown = this.now.shown;
    if (shown === null || this.now.downloading) return;
    this.facts.set({ downloading: true });
    try {
      await this.port.download(shown.row.visit);
    } catch (error) {
      this.facts.set({ failure: this.port.failure(error) });
    }
    this.facts.set({ downloading: false });
  }
}

/** Rows that hold every word looked for: number, time, doctor, patient's code. */
export function matching(rows: readonly Row[], search: string): readonly Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const all = [row.visit, row.at ?? '', row.doctor ?? '', row.patient].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
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

function parseConsents(detail: Readonly<Record<string, unknown>>): Shown['consents'] {
  return Object.entries(fields(detail['consents'])).map(([seat, each]) => {
    const from = fields(each);
    return { seat, state: text(from['state']) ?? '', at: text(from['at']), version: text(from['text_version']) };
  });
}

function parseLooks(detail: Readonly<Record<string, unknown>>): readonly Look[] {
  return list(detail['accesses']).map((each) => {
    const from = fields(each);
    return { who: text(from['who']) ?? '', what: text(from['what']) ?? '', at: text(from['at']) ?? '' };
  });
}
