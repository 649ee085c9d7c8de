/** Numbers of the transport → one of four words, with hysteresis: worse after 2 s, better after 10 s. */

export type Level = 'good' | 'slow' | 'audio' | 'text';

/** What arrived in the last second or so. Fractions 0–1; null where there is nothing to measure. */
export interface Sample {
  readonly fps: number | null;
  readonly lost: number | null;
  readonly concealed: number | null;
  readonly rtt_ms: number | null;
}

export interface Judged {
  readonly level: Level;
  readonly leaning: Level;
  /** When `leaning` began, in ms. */
  readonly since: number;
}

const DOWN_MS = 2000;
const UP_MS = 10_000;
const ORDER: readonly Level[] = ['good', 'slow', 'audio', 'text'];

/** A quarter of the sound made up: words are lost, and so is what was meant. */
const TOO_CONCEALED = 0.25;

/** The level that one sample alone would have. */
function levelOf(sample: Sample): Level {
  if ((sample.concealed ?? 0) > TOO_CONCEALED) return 'text';
  if (sample.fps !== null && sample.fps < 1) return 'audio';
  if ((sample.fps !== null && sample.fps < 8) || (sample.lost ?? 0) > 0.05 || (sample.concealed ?? 0) > 0.05) return 'slow';
  if ((sample.rtt_ms ?? 0) > 800) return 'slow';
  return 'good';
}

export function judge(held: Judged | null, sample: Sample, now: number): Judged {
  const seen = levelOf(sample);
  if (held === null) return { level: 'good', leaning: seen, since: now };
  if (seen === held.level) return { level: held.level, leaning: seen, since: now };
  if (seen !== held.leaning) return { level: held.level, leaning: seen, since: now };
  const wait = ORDER.indexOf(seen) > ORDER.indexOf(held.level) ? DOWN_MS : UP_MS;
  return now - held.since >= wait ? { level: seen, leaning: seen, since: now } : held;
}

type Row = Readonly<Record<string, unknown>>;

/** Running totals taken from a browser's statistics. */
export interface Totals {
  readonly at: number;
  readonly frames: number | null;
  readonly received: number;
  readonly lost: number;
  readonly samples: number;
  readonly concealed: number;
  readonly rtt_ms: number | null;
  /** What the browser thinks it may send, bits a second. */
  readonly uplink: number | null;
  /** Fraction of the own sound that did not arrive lately, 0–1. */
  readonly unheard: number;
  /** The round trip of the own sound, which is told every second; the one of the path's checks may be five seconds old. */
  readonly trip_ms: number | null;
}

export function totals(rows: readonly Row[], now: number): Totals {
  let frames: number | null = null;
  let received = 0;
  let lost = 0;
  let samples = 0;
  let concealed = 0;
  let rtt_ms: number | null = null;
  let uplink: number | null = null;
  let reported = 0;
  let unheard = 0;
  let trip_ms: number | null = null;
  for (const row of rows) {
    if (row['type'] === 'remote-inbound-rtp') {
      reported = Math.max(reported, figure(row['roundTripTime']) * 1000);
      if (row['kind'] === 'audio') {
        unheard = figure(row['fractionLost']);
        if (row['roundTripTime'] !== undefined) trip_ms = figure(row['roundTripTime']) * 1000;
      }
    }
    if (row['type'] === 'inbound-rtp') {
      received += figure(row['packetsReceived']);
      lost += figure(row['packetsLost']);
      if (row['kind'] === 'video') frames = (frames ?? 0) + figure(row['framesDecoded']);
      samples += figure(row['totalSamplesReceived']);
      concealed += Math.max(0, figure(row['concealedSamples']) - figure(row['silentConcealedSamples']));
    } else if (row['type'] === 'candidate-pair' && row['nominated'] === true && row['currentRoundTripTime'] !== undefined) {
      rtt_ms = figure(row['currentRoundTripTime']) * 1000;
      uplink = row['availableOutgoingBitrate'] === undefined ? null : figure(row['availableOutgoingBitrate']);
    }
  }
  return { at: now, frames, received, lost, samples, concealed, rtt_ms: rtt_ms === null ? null : Math.max(rtt_ms, reported), uplink, unheard, trip_ms };
}

/** Sound of −40 dB and more is somebody speaking, not a room. */
const SPEECH = 0.01;

export function talks(rows: readonly Row[]): boolean {
  return rows.some((row) => row['type'] === 'inbound-rtp' && row['kind'] === 'audio' && figure(row['audioLevel']) > SPEECH);
}

/** What happened between two readings. `picture` says whether a moving picture is expected at all. */
export function sampleOf(before: Totals, after: Totals, picture: boolean): Sample {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000);
  const packets = after.received - before.received + (after.lost - before.lost);
  const sound = after.samples - before.samples;
  return {
    fps: picture && after.frames !== null && before.frames !== null ? (after.frames - before.frames) / seconds : null,
    lost: packets > 20 ? Math.max(0, after.lost - before.lost) / packets : null,
    concealed: sound > 8000 ? Math.max(0, after.concealed - before.concealed) / sound : null,
    rtt_ms: after.rtt_ms,
  };
}

function figure(given: unknown): number {
  return typeof given === 'number' ? given : 0;
}
