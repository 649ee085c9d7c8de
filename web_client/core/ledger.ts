/** What the records of a chain say together: consent, parts, segments, gaps, closing (FORMAT.md §4, §5, §8). */
import { CallCounts, type Details, type Leg } from './certified';
import type { Members, Entry } from './records';

export interface Span {
  readonly from_ms: number;
  readonly to_ms: number;
}

export interface Lost extends Span {
  readonly cause: string;
}

export interface Expected {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly init: boolean;
  readonly stamp?: boolean;
  /** What it is sealed under; null: it is plain. */
  readonly sealed: { readonly key: string; readonly suite: string } | null;
}

interface PlaySegment extends Span {
  readonly name: string;
}

/** A playable file of a stream: its start, and what follows. */
export interface PlayPart {
  readonly container: string;
  readonly init: string;
  readonly codecs: readonly string[];
  readonly from_ms: number;
  readonly segments: PlaySegment[];
}

export interface StreamLedger {
  parts: number;
  part: number;
  container: string;
  tracks: ReadonlySet<number>;
  /** Those of the part's tracks that are pictures. */
  pictures: ReadonlySet<number>;
  n: number;
  segments: number;
  bytes: number;
  last: string | null;
  readonly present: PlaySegment[];
  /** Segments in which no frame of a picture is, for whatever reason. */
  readonly soundOnly: Span[];
  readonly lost: Lost[];
  readonly play: PlayPart[];
}

interface Seat {
  agreed: boolean;
  first_ms: number | null;
  started_ms: number | null;
  withdrawn_us: number | null;
}

type Find = (rule: string, where: string) => void;

interface PartBody {
  stream: string;
  part: number;
  container: string;
  from_ms: number;
  init: { name: string; bytes: number; sha256: string };
  tracks: readonly { number: number; codec: string }[];
}

interface SegmentBody extends Span {
  stream: string;
  part: number;
  n: number;
  name: string;
  bytes: number;
  sha256: string;
  enc: string;
  tracks: readonly { number: number; expected: number; received: number; recovered: number; lost: number; frames: number; keyframes: number }[];
}

interface CloseBody {
  records: number;
  end_ms: number | null;
  streams: Readonly<Record<string, { parts: number; segments: number; bytes: number; last: string | null; first_ms: number; last_ms: number; coverage: Readonly<Record<string, number>> }>>;
}

const pad = (n: number, places: number): string => String(n).padStart(places, '0');
const seatOf = (stream: string): string => stream.split('.')[0] ?? stream;

/** How far the recorder's clock may be from an authority's (STAMP-4). */
const CLOCK_TOLERANCE_MS = 120_000;

interface StampBody {
  n: number;
  records: number;
  at: string;
  object: { name: string; bytes: number; sha256: string };
}

export class Ledger {
  readonly streams = new Map<string, StreamLedger>();
  readonly expected = new Map<string, Expected>();
  opened: Members | null = null;
  closed: CloseBody | null = null;
  /** How many timestamps the records name. */
  stamps = 0;
  /** By seat: how the call went, as measured and as its client claims. */
  quality: { readonly [seat: string]: Leg } = {};
  private certified = false;
  private readonly calls = new CallCounts();
  private covered = 1;
  private readonly times: number[] = [];
  private readonly hashes: string[] = [];
  private readonly seats = new Map<string, Seat>();
  private zero: number | null = null;
  private readonly came = new Set<string>();
  private last = 0;
  /** By stream: what its next object is sealed under. */
  private readonly sealed = new Map<string, { readonly key: string; readonly suite: string }>();

  constructor(private readonly find: Find) {}

  feed(record: Entry, where: string): void {
    if (this.closed !== null) this.find('CLOSE-2', where);
    else if (this.certified && record.type !== 'close') this.find('CERT-1', where);
    const body = record.body as unknown;
    this.times[record.seq] = Date.parse(record.at);
    if (record.seq > 0) this.hashes[record.seq - 1] = record.prev;
    switch (record.type) {
      case 'open':
        if (this.opened === null) for (const seat of Object.keys((body as { seats: object }).seats)) this.came.add(seat);
        this.opened ??= record.body;
        break;
      case 'join':
        this.came.add((body as { seat: string }).seat);
        break;
      case 'consent':
        this.seated((body as { seat: string }).seat, where);
        this.decide((body as { seat: string }).seat, (body as { decision: string }).decision === 'agreed', record.mono_us);
        break;
      case 'withdraw':
        this.seated((body as { seat: string }).seat, where);
        this.decide((body as { seat: string }).seat, false, record.mono_us);
        break;
      case 'start':
        this.start(body as { seats: readonly string[]; from_ms: number; zero_mono_us: number }, where);
        break;
      case 'key': {
        const key = body as { stream: string; key: string; suite: string };
        this.seated(seatOf(key.stream), where);
        this.sealed.set(key.stream, key);
        break;
      }
      case 'part':
        this.part(body as PartBody, where);
        break;
      case 'segment':
        this.segment(body as SegmentBody, where);
        break;
      case 'gap': {
        const gap = body as { stream: string } & Lost;
        this.seated(seatOf(gap.stream), where);
        this.calls.gap(seatOf(gap.stream), gap.cause, gap.to_ms - gap.from_ms);
        this.last = Math.max(this.last, gap.to_ms);
        if (gap.from_ms >= gap.to_ms) this.find('GAP-1', where);
        this.stream(gap.stream).lost.push({ from_ms: gap.from_ms, to_ms: gap.to_ms, cause: gap.cause });
        break;
      }
      case 'stamp':
        this.stamp(body as StampBody, record, where);
        break;
      case 'anchor': {
        const anchor = body as { seq: number; hash: string };
        if (anchor.seq >= record.seq || this.hashes[anchor.seq] !== anchor.hash) this.find('ANCHOR-1', where);
        break;
      }
      case 'certificate':
        this.certify((body as { legs: { readonly [seat: string]: Leg } }).legs, where);
        break;
      case 'event': {
        const event = body as { event: string; seat?: string; detail?: Details };
        this.calls.event(event.seat, event.event, event.detail);
        break;
      }
      case 'recovered': {
        const zero = (body as { zero_mono_us: number | null }).zero_mono_us;
        if ((zero === null) !== (this.zero === null)) this.find('START-1', where);
        if (zero !== null) this.zero = zero;
        break;
      }
      case 'close':
        this.closed = body as CloseBody;
        break;
    }
  }

  private certify(legs: { readonly [seat: string]: Leg }, where: string): void {
    if (!Object.keys(legs).every((seat) => this.came.has(seat))) this.find('CERT-1', where);
    else if (!this.calls.agrees(legs)) this.find('CERT-2', where);
    this.quality = legs;
    this.certified = true;
  }

  private stamp(body: StampBody, record: Entry, where: string): void {
    const name = `stamps/${pad(body.n, 6)}.tlog-proof`;
    if (body.n !== this.stamps + 1 || body.object.name !== name || body.records < this.covered || body.records > record.seq) {
      this.find('STAMP-1', where);
      return;
    }
    this.expected.set(name, { name, bytes: body.object.bytes, sha256: body.object.sha256, init: false, stamp: true, sealed: null });
    this.stamps = body.n;
    this.covered = body.records;
    const at = Date.parse(body.at);
    const early = (this.times[body.records - 1] ?? at) - at;
    if (early > CLOCK_TOLERANCE_MS || Date.parse(record.at) - at < -CLOCK_TOLERANCE_MS) this.find('STAMP-4', where);
  }

  /** After the last record: closing and coverage. `size`: records in the chain; `where`: the last of them. */
  settle(size: number, where: string): void {
    for (const [name, stream] of this.streams) if (overlapping(stream.lost)) this.find('GAP-1', `streams/${name}`);
    if (this.closed === null) {
      this.find('CLOSE-1', where);
      return;
    }
    if (!this.accountsAgree(this.closed, size)) this.find('CLOSE-3', where);
    if (!this.endsLast(this.closed.end_ms)) this.find('CLOSE-4', where);
    for (const name of Object.keys(this.closed.streams)) this.cover(name, this.closed);
  }

  private seat(name: string): Seat {
    const held = this.seats.get(name) ?? { agreed: false, first_ms: null, started_ms: null, withdrawn_us: null };
    this.seats.set(name, held);
    return held;
  }

  private stream(name: string): StreamLedger {
    const held = this.streams.get(name) ?? empty();
    this.streams.set(name, held);
    return held;
  }

  private decide(name: string, agreed: boolean, mono_us: number): void {
    const seat = this.seat(name);
    seat.agreed = agreed;
    if (!agreed && seat.started_ms !== null && seat.withdrawn_us === null && this.zero !== null) seat.withdrawn_us = mono_us - this.zero;
  }

  private start(body: { seats: readonly string[]; from_ms: number; zero_mono_us: number }, where: string): void {
    if (this.zero === null ? body.from_ms !== 0 : body.zero_mono_us !== this.zero) this.find('START-1', where);
    this.zero = body.zero_mono_us;
    for (const name of body.seats) {
      this.seated(name, where);
      const seat = this.seat(name);
      if (!seat.agreed) this.find('CONSENT-1', where);
      if (seat.started_ms === null || seat.withdrawn_us !== null) {
        seat.started_ms = body.from_ms;
        seat.withdrawn_us = null;
      }
      seat.first_ms ??= body.from_ms;
    }
  }

  private seated(seat: string, where: string): void {
    if (!this.came.has(seat)) this.find('SEAT-1', where);
  }

  private permitted(stream: string, from_ms: number, where: string): void {
    this.seated(seatOf(stream), where);
    const seat = this.seat(seatOf(stream));
    if (seat.started_ms === null || from_ms < seat.started_ms) this.find('CONSENT-2', where);
    if (seat.withdrawn_us !== null && from_ms * 1000 >= seat.withdrawn_us) this.find('CONSENT-3', where);
  }

  private part(body: PartBody, where: string): void {
    this.permitted(body.stream, body.from_ms, where);
    this.calls.part(seatOf(body.stream));
    const stream = this.stream(body.stream);
    const extension = body.container === 'webm' ? 'webm' : 'mkv';
    const name = `streams/${body.stream}/part-${pad(body.part, 3)}/init.${extension}`;
    if (body.part !== stream.part + 1 || body.init.name !== name) this.find('PART-1', where);
    else this.expected.set(name, { name, bytes: body.init.bytes, sha256: body.init.sha256, init: true, sealed: this.sealed.get(body.stream) ?? null });
    if ((body.container === 'matroska') !== body.tracks.some((track) => track.codec === 'H264')) this.find('PART-3', where);
    stream.parts += 1;
    stream.part = body.part;
    stream.n = 0;
    stream.container = body.container;
    stream.tracks = new Set(body.tracks.map((track) => track.number));
    stream.pictures = new Set(body.tracks.filter((track) => track.codec !== 'opus').map((track) => track.number));
    stream.play.push({ container: body.container, init: name, codecs: body.tracks.map((track) => track.codec), from_ms: body.from_ms, segments: [] });
  }

  private segment(body: SegmentBody, where: string): void {
    this.permitted(body.stream, body.from_ms, where);
    this.calls.segment(seatOf(body.stream), body.tracks);
    const stream = this.stream(body.stream);
    const extension = stream.container === 'webm' ? 'webm' : 'mkv';
    if (body.part !== stream.part || body.n !== stream.n + 1) this.find('SEG-3', where);
    if (body.enc !== (this.sealed.get(body.stream)?.suite ?? 'none')) this.find('ENC-1', where);
    const name = `streams/${body.stream}/part-${pad(body.part, 3)}/seg-${pad(body.n, 6)}.${extension}`;
    if (body.name !== name || this.expected.has(name)) this.find('SEG-4', where);
    else this.expected.set(name, { name, bytes: body.bytes, sha256: body.sha256, init: false, sealed: this.sealed.get(body.stream) ?? null });
    const before = stream.present.at(-1);
    if (body.from_ms >= body.to_ms || (before !== undefined && body.from_ms < before.to_ms)) this.find('SEG-5', where);
    const adds = body.tracks.every(
      (track) =>
        stream.tracks.has(track.number) &&
        track.expected === track.received + track.lost &&
        track.recovered <= track.received &&
        track.keyframes <= track.frames,
    );
    if (!adds) this.find('SEG-6', where);
    stream.n = body.n;
    stream.last = body.sha256;
    stream.segments += 1;
    stream.bytes += body.bytes;
    this.last = Math.max(this.last, body.to_ms);
    const segment = { name, from_ms: body.from_ms, to_ms: body.to_ms };
    stream.present.push(segment);
    if (!body.tracks.some((track) => stream.pictures.has(track.number) && track.frames > 0)) stream.soundOnly.push(segment);
    stream.play.at(-1)?.segments.push(segment);
  }

  private accountsAgree(close: CloseBody, size: number): boolean {
    const started = [...this.seats].filter(([, seat]) => seat.first_ms !== null).map(([name]) => name);
    const due = new Set([...this.streams.keys(), ...started]);
    const named = Object.keys(close.streams);
    if (close.records !== size || named.length !== due.size || named.some((name) => !due.has(name))) return false;
    return named.every((name) => {
      const account = close.streams[name];
      const seen = this.streams.get(name) ?? empty();
      return (
        account !== undefined &&
        account.parts === seen.parts &&
        account.segments === seen.segments &&
        account.bytes === seen.bytes &&
        account.last === seen.last
      );
    });
  }

  private endsLast(end: number | null): boolean {
    if (end === null || this.zero === null) return end === null && this.zero === null && this.last === 0;
    return end >= this.last;
  }

  private cover(name: string, close: CloseBody): void {
    const where = `streams/${name}`;
    const account = close.streams[name];
    if (account === undefined) return;
    const { present, lost } = this.streams.get(name) ?? empty();
    const { first_ms, last_ms } = account;
    const outside = [...present, ...lost].some((span) => span.from_ms < first_ms || span.to_ms > last_ms);
    if (outside || holes(first_ms, last_ms, [...present, ...lost])) this.find('COV-1', where);
    const counted = count(present, lost);
    const agrees =
      !overlapping(present) &&
      !overlapping(lost) &&
      Object.entries(counted).every(([cause, ms]) => account.coverage[cause] === ms) &&
      Object.values(counted).reduce((sum, ms) => sum + ms, 0) === last_ms - first_ms;
    if (!agrees) this.find('COV-2', where);
    const end = close.end_ms ?? 0;
    const spans = name === seatOf(name) ? first_ms === this.seat(name).first_ms && last_ms === end : first_ms <= last_ms && last_ms <= end;
    if (!spans) this.find('COV-3', where);
  }
}

function empty(): StreamLedger {
  return { parts: 0, part: 0, container: 'webm', tracks: new Set(), pictures: new Set(), n: 0, segments: 0, bytes: 0, last: null, present: [], soundOnly: [], lost: [], play: [] };
}

const inOrder = <T extends Span>(spans: readonly T[]): T[] => [...spans].sort((a, b) => a.from_ms - b.from_ms || a.to_ms - b.to_ms);

function overlapping(spans: readonly Span[]): boolean {
  const ordered = inOrder(spans);
  return ordered.some((span, at) => at > 0 && span.from_ms < (ordered[at - 1]?.to_ms ?? 0));
}

function holes(first: number, last: number, spans: readonly Span[]): boolean {
  let reached = first;
  for (const span of inOrder(spans)) {
    if (span.from_ms > reached && reached < last) return true;
    reached = Math.max(reached, span.to_ms);
  }
  return reached < last;
}

/** Milliseconds by what became of them: a gap's cause, else present inside a segment. */
function count(present: readonly Span[], lost: readonly Lost[]): Record<string, number> {
  const sums: Record<string, number> = { network: 0, off: 0, present: 0, recorder: 0, withdrawn: 0, worker: 0 };
  for (const gap of lost) sums[gap.cause] = (sums[gap.cause] ?? 0) + gap.to_ms - gap.from_ms;
  const gaps = inOrder(lost);
  let at = 0;
  for (const segment of inOrder(present)) {
    let ms = segment.to_ms - segment.from_ms;
    while (at < gaps.length && (gaps[at]?.to_ms ?? 0) <= segment.from_ms) at += 1;
    for (let inside = at; inside < gaps.length; inside += 1) {
      const gap = gaps[inside];
      if (gap === undefined || gap.from_ms >= segment.to_ms) break;
      ms -= Math.max(0, Math.min(gap.to_ms, segment.to_ms) - Math.max(gap.from_ms, segment.from_ms));
    }
    sums['present'] = (sums['present'] ?? 0) + Math.max(0, ms);
  }
  return sums;
}
