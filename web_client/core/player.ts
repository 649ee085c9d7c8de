/** Two streams, one clock: which file is due, and how a player that runs ahead or behind comes back in step. */
import type { PlayPart, Span, StreamLedger } from './ledger';
import type { Entry } from './records';

/** What a player is to do about its drift: its time less the clock's, in ms. */
interface Steering {
  readonly seek: boolean;
  readonly rate: number;
}

const IN_STEP_MS = 15;
const TOO_FAR_MS = 300;
/** Half of the drift a second, at most a fifth faster or slower; what is far apart comes back at once. Browsers keep the pitch. */
const MOST = 0.2;
const FAR_MS = 60;
const AT_ONCE = 0.4;

export function steer(drift_ms: number): Steering {
  const off = Math.abs(drift_ms);
  if (off > TOO_FAR_MS) return { seek: true, rate: 1 };
  if (off <= IN_STEP_MS) return { seek: false, rate: 1 };
  return { seek: false, rate: 1 - Math.sign(drift_ms) * (off > FAR_MS ? AT_ONCE : Math.min(MOST, off / 500)) };
}

/** The part that has media at this stream time, or null where nothing was kept. */
export function partAt(stream: StreamLedger, ms: number): PlayPart | null {
  for (const part of stream.play) {
    const end = part.segments.at(-1)?.to_ms ?? part.from_ms;
    const begin = part.segments[0]?.from_ms ?? part.from_ms;
    if (ms >= begin && ms < end) return part;
  }
  return null;
}

/** The segments of a part worth having now: from the keyframe before, to half a minute ahead. */
export function wanted(part: PlayPart, ms: number, ahead_ms = 30_000): readonly string[] {
  return part.segments.filter((each) => each.to_ms > ms - 5000 && each.from_ms < ms + ahead_ms).map((each) => each.name);
}

/** Spans that touch, as one: two hours are 3 600 segments, and each edge between two would be drawn as a seam. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const whole: Span[] = [];
  for (const each of [...spans].sort((a, b) => a.from_ms - b.from_ms)) {
    const last = whole.at(-1);
    if (last !== undefined && each.from_ms <= last.to_ms) whole[whole.length - 1] = { from_ms: last.from_ms, to_ms: Math.max(last.to_ms, each.to_ms) };
    else whole.push({ from_ms: each.from_ms, to_ms: each.to_ms });
  }
  return whole;
}

/** Spans in which a source of a seat was off or muted, by the records: present in the recording, and silent. */
export function mutedSpans(records: readonly Entry[], seat: string, source: string, zero_us: number, end_ms: number): readonly Span[] {
  const spans: Span[] = [];
  let since: number | null = null;
  for (const { type, body, mono_us } of records) {
    if (type !== 'event' || body['seat'] !== seat || body['event'] !== source) continue;
    const ms = Math.max(0, Math.min(end_ms, (mono_us - zero_us) / 1000));
    if (body['state'] === 'muted') since ??= ms;
    else if (since !== null) {
      if (ms > since) spans.push({ from_ms: since, to_ms: ms });
      since = null;
    }
  }
  if (since !== null && since < end_ms) spans.push({ from_ms: since, to_ms: end_ms });
  return spans;
}

/** Stream time zero on the recorder's clock, or null before recording began. A recorder that came back says it anew. */
export function zeroOf(records: readonly Entry[]): number | null {
  const found = records.find((record) => record.type === 'start');
  return found === undefined ? null : Number(found.body['zero_mono_us']);
}

/** The type a browser is asked for. */
export function typeOf(part: PlayPart): string {
  const codecs = part.codecs.map((codec) => ({ opus: 'opus', VP8: 'vp8', VP9: 'vp9', H264: 'avc1.42E01F' })[codec] ?? codec);
  return `video/${part.container === 'webm' ? 'webm' : 'x-matroska'}; codecs="${codecs.join(',')}"`;
}

/** Where the visit ends: the closing record's word, or the last thing kept. */
export function lengthOf(streams: Iterable<StreamLedger>, end_ms: number | null): number {
  let last = end_ms ?? 0;
  for (const stream of streams) for (const span of [...stream.present, ...stream.lost]) last = Math.max(last, span.to_ms);
  return last;
}

interface Piece {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Between one try for a piece and the next. */
const AGAIN_MS = [500, 1000];

/**
 * A piece's bytes, or null if it cannot be had. A network may blink: what broke off is asked for again; what breaks off each
 * time is as good as not there, as one whose seal turns out to be broken when half of it has been sent.
 */
export async function insist(ask: () => Promise<Piece | null>, pause: (ms: number) => Promise<unknown>): Promise<ArrayBuffer | null> {
  for (const ms of [...AGAIN_MS, null]) {
    try {
      return (await (await ask())?.arrayBuffer()) ?? null;
    } catch {
      if (ms !== null) await pause(ms);
    }
  }
  return null;
}

/** Where to begin: when everyone who comes within the first seconds has come, a little after, so that there is a picture. */
export function beginOf(streams: ReadonlyMap<string, StreamLedger>): number {
  const people = [...streams].filter(([name]) => !name.includes('.')).map(([, stream]) => stream);
  const firsts = people.flatMap((stream) => stream.present.slice(0, 1).map((each) => each.from_ms)).filter((ms) => ms < 5000);
  return firsts.length === 0 ? 0 : Math.max(...firsts) + 400;
}
