import { createHash, createPublicKey, generateKeyPairSync, sign, verify as check } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Json, canonical } from '../core/records';
import { type Sums, type Verdict, verify } from '../core/verify';

const hash = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const sums: Sums = {
  sha256: (bytes) => Promise.resolve(hash(bytes)),
  ed25519: (spki, signature, message) => {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return Promise.resolve(check(null, message, key, signature));
  },
  utf8: (bytes) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  },
  bytes: (text) => new TextEncoder().encode(text),
  base64: (text) => Uint8Array.from(Buffer.from(text, 'base64')),
};

type Body = { [name: string]: Json };
type Written = { type: string; body: Body };

const ZERO = 5_000_000;
const ZEROES = '0'.repeat(64);
const segment = (n: number, from: number, to: number): Written => {
  const name = `streams/patient/part-001/seg-00000${n}.webm`;
  const bytes = `media ${n}`;
  return {
    type: 'segment',
    body: { stream: 'patient', part: 1, n, name, bytes: bytes.length, sha256: hash(bytes), sm3: ZEROES, from_ms: from, to_ms: to, keyframe: true, forced: false, enc: 'none', tracks: [{ number: 1, expected: 5, received: 4, recovered: 1, lost: 1, frames: 4, keyframes: 1 }] },
  };
};
const consent = (seat: string): Written => ({ type: 'consent', body: { seat, decision: 'agreed', text_version: 'x', text_sha256: ZEROES, language: 'zh', method: 'tap' } });
const gap = (stream: string, from: number, to: number, cause: string): Written => ({ type: 'gap', body: { stream, from_ms: from, to_ms: to, cause, packets: null } });

/** A whole small recording: one stream of two segments with a hole between, and a seat that sent nothing. */
function records(): Written[] {
  const covered = { network: 0, off: 0, present: 0, recorder: 0, withdrawn: 0, worker: 0 };
  return [
    consent('patient'),
    consent('doctor'),
    { type: 'start', body: { seats: ['patient', 'doctor'], from_ms: 0, zero_mono_us: ZERO } },
    { type: 'part', body: { stream: 'patient', part: 1, container: 'webm', why: 'start', from_ms: 0, init: { name: 'streams/patient/part-001/init.webm', bytes: 4, sha256: hash('init'), sm3: ZEROES }, tracks: [{ number: 1, source: 'camera', kind: 'video', codec: 'VP8', clock_rate: 90000, ssrc: 1, rtp_timestamp: 0, at_ms: 0, aligned: true }] } },
    segment(1, 0, 2000),
    gap('patient', 2000, 2500, 'network'),
    segment(2, 2500, 4000),
    gap('doctor', 0, 4000, 'off'),
    {
      type: 'close',
      body: {
        reason: 'completed',
        records: 10,
        end_ms: 4000,
        streams: {
          patient: { parts: 1, segments: 2, bytes: 14, last: hash('media 2'), first_ms: 0, last_ms: 4000, coverage: { ...covered, network: 500, present: 3500 } },
          doctor: { parts: 0, segments: 0, bytes: 0, last: null, first_ms: 0, last_ms: 4000, coverage: { ...covered, off: 4000 } },
        },
      },
    },
  ];
}

const pair = generateKeyPairSync('ed25519');
const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
const fingerprint = hash(spki);

/** The objects of a recording, signed after every record. */
function written(all: Written[]): Map<string, string> {
  const open: Written = { type: 'open', body: { format: 'teleconsult-recording/1', origin: 'test', seats: { patient: 'p', doctor: 'd' }, keys: [{ alg: 'ed25519', key: fingerprint }], recorder: 'r', epoch: 'e' } };
  let prev = hash('teleconsult-log-v1\nV');
  const lines: string[] = [];
  const heads: string[] = [];
  for (const [seq, { type, body }] of [open, ...all].entries()) {
    const at = new Date(Date.parse('2026-05-04T09:00:00.000Z') + seq * 100).toISOString();
    const line = canonical({ at, body, mono_us: ZERO + seq * 100_000, prev, seq, type, v: 1, visit: 'V' });
    lines.push(`${line}\n`);
    prev = hash(line);
    const statement = { at, head: prev, head_sm3: ZEROES, origin: 'test', size: seq + 1, v: 1, visit: 'V' };
    const sig = sign(null, Buffer.from(`teleconsult-head-v1\n${canonical(statement)}`), pair.privateKey).toString('base64');
    heads.push(`${canonical({ signatures: [{ alg: 'ed25519', key: fingerprint, sig }], statement })}\n`);
  }
  return new Map([
    ['records/000001.jsonl', lines.join('')],
    ['heads/000001.jsonl', heads.join('')],
    [`keys/${fingerprint}.pem`, pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()],
    ['streams/patient/part-001/init.webm', 'init'],
    ['streams/patient/part-001/seg-000001.webm', 'media 1'],
    ['streams/patient/part-001/seg-000002.webm', 'media 2'],
  ]);
}

const judge = (objects: Map<string, string>, with_: Sums = sums): Promise<Verdict> =>
  verify({ names: [...objects.keys()], read: (name) => Promise.resolve(objects.has(name) ? new TextEncoder().encode(objects.get(name)) : null) }, with_, 'V', () => undefined);

const RECORDS = 'records/000001.jsonl';
const HEADS = 'heads/000001.jsonl';
const SECOND = 'streams/patient/part-001/seg-000002.webm';

function edited(change: (objects: Map<string, string>) => void): Promise<Verdict> {
  const objects = written(records());
  change(objects);
  return judge(objects);
}

const drop = (text: string): string => text.split('\n').slice(0, -2).join('\n') + '\n';

describe('what is there', () => {
  it('is sound alone where no frame of a picture stands', async () => {
    const all = records();
    const late = all.find(({ type, body }) => type === 'segment' && body['n'] === 2);
    (late?.body['tracks'] as { frames: number; keyframes: number }[])[0] = { number: 1, expected: 0, received: 0, recovered: 0, lost: 0, frames: 0, keyframes: 0 } as never;
    const verdict = await judge(written(all));
    expect([verdict.intact, verdict.complete]).toEqual([true, true]);
    expect(verdict.ledger.streams.get('patient')?.soundOnly.map(({ from_ms, to_ms }) => [from_ms, to_ms])).toEqual([[2500, 4000]]);
  });
});

describe('verify', () => {
  it('finds a whole recording intact and complete, and says what it left out', async () => {
    const verdict = await judge(written(records()));
    expect(verdict.broken).toEqual([]);
    expect(verdict).toMatchObject({ intact: true, complete: true, key: fingerprint, unchecked: ['SM3'] });
  });

  it('names the rule and the place of every harm', async () => {
    const harms: [string, string, (objects: Map<string, string>) => void][] = [
      ['SEG-2', SECOND, (objects) => objects.set(SECOND, 'media X')],
      ['SEG-1', SECOND, (objects) => objects.delete(SECOND)],
      ['PART-2', 'streams/patient/part-001/init.webm', (objects) => objects.set('streams/patient/part-001/init.webm', 'inix')],
      ['LAYOUT-1', 'streams/patient/part-001/seg-000003.webm', (objects) => objects.set('streams/patient/part-001/seg-000003.webm', 'more')],
      ['HEAD-6', `${HEADS}:10`, (objects) => objects.set(RECORDS, drop(objects.get(RECORDS) ?? ''))],
      ['HEAD-7', `${RECORDS}:10`, (objects) => objects.set(HEADS, drop(objects.get(HEADS) ?? ''))],
      ['CHAIN-3', `${RECORDS}:3`, (objects) => objects.set(RECORDS, (objects.get(RECORDS) ?? '').replace('"language":"zh"', '"language":"en"'))],
      ['FORM-1', `${RECORDS}:2`, (objects) => objects.set(RECORDS, (objects.get(RECORDS) ?? '').replace('"language":"zh"', '"language": "zh"'))],
      ['HEAD-5', `${HEADS}:1`, (objects) => objects.set(HEADS, (objects.get(HEADS) ?? '').replace(/"sig":"(.)/, (_all, first: string) => `"sig":"${first === 'A' ? 'B' : 'A'}`))],
      ['KEY-1', `keys/${fingerprint}.pem`, (objects) => objects.set(`keys/${fingerprint}.pem`, 'not a key')],
    ];
    for (const [rule, where, harm] of harms) {
      const verdict = await edited(harm);
      expect(verdict.broken, rule).toContainEqual({ rule, where });
      expect(verdict.intact, rule).toBe(false);
    }
  });

  it('calls a truncated recording, cut with its heads, incomplete and not altered', async () => {
    const verdict = await judge(written(records().slice(0, -1)));
    expect(verdict).toMatchObject({ intact: true, complete: false });
    expect(verdict.broken).toEqual([{ rule: 'CLOSE-1', where: `${RECORDS}:9` }]);
  });

  it('breaks on media before consent, an undeclared hole, and accounts that do not add up', async () => {
    const all = records();
    expect((await judge(written(all.slice(1)))).broken.map((each) => each.rule)).toContain('CONSENT-1');
    const hole = await judge(written(all.filter((each) => !(each.type === 'gap' && each.body['stream'] === 'patient'))));
    expect(hole.broken.map((each) => each.rule)).toEqual(expect.arrayContaining(['COV-1', 'COV-2']));
    const close = records();
    const last = close.at(-1);
    if (last !== undefined) last.body['records'] = 11;
    expect((await judge(written(close))).broken[0]?.rule).toBe('CLOSE-3');
  });

  it('counts the certificate of the call again', async () => {
    type Legs = { patient: { measured: Body; claimed: Body }; doctor: { measured: Body } };
    const certified = (change: (legs: Legs) => unknown, after: Written[] = []): Written[] => {
      const legs: Legs = {
        patient: { measured: { packets: 10, lost: 2, recovered: 2, frozen: 1, frozen_ms: 300, missing_ms: 500, parts: 1, samples: 0, jitter_ms: 7 }, claimed: { freezes: 2, relayed: true } },
        doctor: { measured: { packets: 0, codecs: '' } },
      };
      change(legs);
      const all = records();
      const close = all.pop() as Written;
      const told: Written[] = [
        { type: 'event', body: { event: 'frozen', seat: 'patient', detail: { from_ms: 100, to_ms: 400 } } },
        { type: 'event', body: { event: 'claimed', seat: 'patient', detail: { freezes: 1 } } },
        { type: 'event', body: { event: 'claimed', seat: 'patient', detail: { freezes: 2, relayed: true } } },
        { type: 'certificate', body: { legs: legs as unknown as Json } },
        ...after,
      ];
      close.body['records'] = all.length + told.length + 2;
      return [...all, ...told, close];
    };
    expect((await judge(written(certified(() => undefined)))).broken).toEqual([]);
    const lies: [string, (legs: Legs) => unknown][] = [
      ['CERT-2', (legs) => (legs.patient.measured['lost'] = 3)],
      ['CERT-2', (legs) => (legs.patient.measured['parts'] = '1')],
      ['CERT-2', (legs) => (legs.patient.claimed = { freezes: 1 })],
      ['CERT-2', (legs) => delete (legs.patient as { claimed?: Body }).claimed],
      ['CERT-2', (legs) => ((legs.doctor as { claimed?: Body }).claimed = {})],
      ['CERT-2', (legs) => delete (legs as { patient?: unknown }).patient],
      ['CERT-1', (legs) => ((legs as unknown as Body)['guest-1'] = { measured: {} })],
    ];
    for (const [rule, lie] of lies) expect((await judge(written(certified(lie)))).broken[0]?.rule).toBe(rule);
    const second = await judge(written(certified(() => undefined, [{ type: 'event', body: { event: 'late' } }])));
    expect(second.broken.map((each) => each.rule)).toEqual(['CERT-1']);
  });

  it('leaves the verdict open where the browser knows no Ed25519', async () => {
    const verdict = await judge(written(records()), { ...sums, ed25519: () => Promise.resolve(null) });
    expect(verdict).toMatchObject({ intact: null, complete: null, unchecked: ['Ed25519', 'SM3'] });
  });

  it('finds nothing whole in an empty folder', async () => {
    const verdict = await judge(new Map());
    expect(verdict).toMatchObject({ intact: false, complete: false });
    expect(verdict.broken[0]?.rule).toBe('CHAIN-1');
  });
});
