/** The records of `recorder/FORMAT.md`: canonical form, and the shape of each type's body (FORM-1…3). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Members = { readonly [name: string]: Json };

export interface Entry {
  readonly type: string;
  readonly visit: string;
  readonly seq: number;
  readonly at: string;
  readonly mono_us: number;
  readonly prev: string;
  readonly body: Members;
}

type Check = (given: Json | undefined) => boolean;

const CAUSES = ['network', 'recorder', 'worker', 'off', 'withdrawn'];

const matching = (pattern: RegExp): Check => (given) => typeof given === 'string' && pattern.test(given);
const among = (...all: readonly Json[]): Check => (given) => given !== undefined && all.includes(given);
const integer = (least: number, most = Number.MAX_SAFE_INTEGER): Check => (given) => typeof given === 'number' && given >= least && given <= most;
const orNull = (check: Check): Check => (given) => given === null || check(given);
const each = (check: Check): Check => (given) => Array.isArray(given) && given.every((one: Json) => check(one));
const map = (key: RegExp, check: Check): Check => (given) =>
  isMembers(given) && Object.entries(given).every(([name, value]) => key.test(name) && check(value));
const words: Check = (given) => typeof given === 'string' && [...given].length <= 1024;
const truth: Check = (given) => typeof given === 'boolean';
const count = integer(0);
const positive = integer(1);
const word32 = integer(0, 2 ** 32 - 1);
const signed = integer(-Number.MAX_SAFE_INTEGER);
const hex = matching(/^[0-9a-f]{64}$/);
const SEAT = /^[a-z][a-z0-9-]{0,31}$/;
const STREAM = /^[a-z][a-z0-9-]{0,31}(\.screen)?$/;
const NAME = /^[a-z][a-z0-9_.]{0,63}$/;
const seat = matching(SEAT);
const stream = matching(STREAM);
const object: Check = (given) => typeof given === 'string' && [...given].length <= 256;

/** Exactly these members; a name that ends in `?` may be missing. */
function shape(members: { readonly [name: string]: Check }): Check {
  const wanted = Object.entries(members).map(([name, check]) => ({ name: name.replace('?', ''), may: name.endsWith('?'), check }));
  const known = new Set(wanted.map(({ name }) => name));
  return (given) =>
    isMembers(given) &&
    Object.keys(given).every((name) => known.has(name)) &&
    wanted.every(({ name, may, check }) => (Object.hasOwn(given, name) ? check(given[name]) : may));
}

const details = map(NAME, (given) => given === null || truth(given) || words(given) || signed(given));
const digest = { name: object, bytes: count, sha256: hex, sm3: hex };
const coverage = shape({ network: count, off: count, present: count, recorder: count, withdrawn: count, worker: count });
const partNumber = integer(1, 999);
const number = integer(1, 999_999);
const access = shape({ who: words, role: words, purpose: words, 'scope?': words });

const BODIES: { readonly [type: string]: Check } = {
  open: shape({
    format: among('teleconsult-recording/1', 'teleconsult-recording/2'),
    origin: matching(/^[!-~]{1,128}$/),
    seats: map(SEAT, words),
    keys: each(shape({ alg: among('ed25519', 'sm2'), key: hex })),
    recorder: words,
    epoch: words,
    'witnesses?': each(words),
  }),
  consent: shape({
    seat,
    decision: among('agreed', 'refused'),
    text_version: words,
    text_sha256: hex,
    language: words,
    method: among('tap', 'spoken', 'paper'),
  }),
  withdraw: shape({ seat }),
  join: shape({ seat, 'client?': words }),
  leave: shape({ seat, 'reason?': words }),
  start: shape({ seats: each(seat), from_ms: count, zero_mono_us: signed }),
  key: shape({ stream, key: hex, suite: among('aes256gcm', 'sm4gcm'), under: each(words) }),
  part: shape({
    stream,
    part: partNumber,
    container: among('webm', 'matroska'),
    why: among('start', 'codec', 'ssrc', 'timestamps', 'pause', 'tracks', 'recovered'),
    from_ms: count,
    init: shape(digest),
    tracks: each(
      shape({
        number,
        source: among('microphone', 'camera', 'screen'),
        kind: among('audio', 'video'),
        codec: among('opus', 'VP8', 'VP9', 'H264'),
        clock_rate: positive,
        ssrc: word32,
        rtp_timestamp: word32,
        at_ms: signed,
        aligned: truth,
        'channels?': positive,
        'width?': positive,
        'height?': positive,
      }),
    ),
  }),
  segment: shape({
    stream,
    part: partNumber,
    n: number,
    ...digest,
    from_ms: count,
    to_ms: count,
    keyframe: truth,
    forced: truth,
    enc: among('none', 'aes256gcm', 'sm4gcm'),
    tracks: each(shape({ number, expected: count, received: count, recovered: count, lost: count, frames: count, keyframes: count })),
  }),
  sync: shape({ stream, part: partNumber, number, rtp_timestamp: word32, at_ms: signed, skew_us: signed }),
  gap: shape({ stream, from_ms: count, to_ms: count, cause: among(...CAUSES), packets: orNull(count) }),
  event: shape({
    event: matching(NAME),
    'seat?': seat,
    'state?': words,
    'detail?': details,
  }),
  heartbeat: shape({ streams: map(STREAM, shape({ segments: count, bytes: count, sealed_to_ms: count })) }),
  recovered: shape({ epoch: words, reason: words, zero_mono_us: orNull(signed) }),
  degraded: shape({ code: matching(NAME), over: truth }),
  stored: shape({ objects: each(shape({ name: object, version: words, retain_until: orNull((given) => instant(given)) })) }),
  stamp: shape({ n: number, records: positive, at: (given) => instant(given), authority: words, object: shape(digest) }),
  anchor: shape({ service: words, seq: count, hash: hex, reference: words }),
  certificate: shape({ legs: map(SEAT, shape({ measured: details, 'claimed?': details })) }),
  access,
  export: access,
  close: shape({
    reason: words,
    records: count,
    end_ms: orNull(count),
    streams: map(
      STREAM,
      shape({ parts: count, segments: count, bytes: count, last: orNull(hex), first_ms: count, last_ms: count, coverage }),
    ),
  }),
};

const instant: Check = (given) =>
  typeof given === 'string' &&
  /^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/.test(given) &&
  // Dates the calendar does not have would be moved on to the next month.
  !Number.isNaN(Date.parse(given)) &&
  new Date(given).toISOString() === given;
const visit = matching(/^[A-Za-z0-9_-]{1,64}$/);
const members: Check = (given) => isMembers(given);

const RECORD = shape({ v: among(1), type: words, visit, seq: count, at: instant, mono_us: count, prev: hex, body: members });
const HEAD = shape({
  signatures: each(shape({ alg: among('ed25519', 'sm2'), key: hex, sig: matching(/^[A-Za-z0-9+/]{1,126}={0,2}$/) })),
  statement: shape({ at: instant, head: hex, head_sm3: hex, origin: matching(/^[!-~]{1,128}$/), size: integer(1), v: among(1), visit }),
});

export interface Head {
  readonly signatures: readonly { readonly alg: 'ed25519' | 'sm2'; readonly key: string; readonly sig: string }[];
  readonly statement: { readonly at: string; readonly head: string; readonly origin: string; readonly size: number; readonly visit: string };
}

/** The value of a line in the canonical form of RFC 8785 with integers only, or undefined (FORM-1). */
export function parseCanonical(line: string): Json | undefined {
  try {
    const value = JSON.parse(line) as Json;
    return canonical(value) === line ? value : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 8785 for values without fractions. Throws for a number it cannot carry. */
export function canonical(value: Json): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('not an integer of version 1');
    return String(value);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one: Json) => canonical(one)).join(',')}]`;
  const object = value as Members;
  const names = Object.keys(object).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(object[name] ?? null)}`).join(',')}}`;
}

/** FORM-2 */
export function recordOf(given: Json): Entry | null {
  return RECORD(given) ? (given as unknown as Entry) : null;
}

/** FORM-3 */
export function bodyFits(record: Entry): boolean {
  return Object.hasOwn(BODIES, record.type) && BODIES[record.type]?.(record.body) === true;
}

/** HEAD-1 */
export function headOf(given: Json): Head | null {
  return HEAD(given) ? (given as unknown as Head) : null;
}

function isMembers(given: Json | undefined): given is Members {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}
