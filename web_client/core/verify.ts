/**
 * The verifier in the auditor's own browser: intact, complete, and the first broken rule (FORMAT.md §9).
 *
 * It trusts the objects' bytes and nothing that the server says about them. SM3, SM2, LOG, MANIFEST and what is in a timestamp
 * (STAMP-2, STAMP-3) are left out, as FORMAT.md §7 allows a browser, and `unchecked` says so. Where the browser
 * has no Ed25519 the verdict is open, never good.
 */
import { type Expected, Ledger } from './ledger';
import { type Head, type Entry, bodyFits, canonical, headOf, parseCanonical, recordOf } from './records';

/** The browser's own cryptography. */
export interface Sums {
  sha256(bytes: Uint8Array): Promise<string>;
  /** Null: this browser cannot tell. `spki` is DER. */
  ed25519(spki: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean | null>;
  utf8(bytes: Uint8Array): string | null;
  bytes(text: string): Uint8Array;
  base64(text: string): Uint8Array | null;
}

export interface Objects {
  readonly names: readonly string[];
  /** Null: it is not there, or cannot be read. */
  read(name: string): Promise<Uint8Array | null>;
}

interface Broken {
  readonly rule: string;
  readonly where: string;
}

export interface Verdict {
  /** Null: everything this browser could check agrees, but it could not check the signature. */
  readonly intact: boolean | null;
  readonly complete: boolean | null;
  readonly broken: readonly Broken[];
  readonly unchecked: readonly ('Ed25519' | 'SM3' | 'SM2' | 'LOG' | 'STAMP' | 'MANIFEST')[];
  readonly visit: string | null;
  readonly origin: string | null;
  /** Fingerprint of the Ed25519 key. */
  readonly key: string | null;
  readonly records: readonly Entry[];
  readonly ledger: Ledger;
}

const COMPLETE_ONLY = new Set(['CLOSE-1', 'COV-1', 'COV-2', 'COV-3']);
/** The proof in the recorder's log. */
const PROOF = 'log/close.tlog-proof';
const MANIFEST = ['log/manifest.jsonl', 'log/manifest.tlog-proof'];
const CLOSE_STAMP = 'stamps/close.tlog-proof';
const OPTIONAL = [PROOF, ...MANIFEST, CLOSE_STAMP];
/** What a bundle may add; none of it is evidence. */
const EXTRA = /^(README\.(zh|en)\.md|bundle\.json|verify\.sh|verify\/[a-z]{1,32}\.(sh|awk))$/;
const SAFE = /^((records|heads)\/[0-9]{6}\.jsonl|keys\/[0-9a-f]{64}\.pem|streams\/[a-z][a-z0-9-]{0,31}(\.screen)?\/part-[0-9]{3}\/(init|seg-[0-9]{6})\.(webm|mkv)|log\/(close|manifest)\.tlog-proof|log\/manifest\.jsonl|stamps\/([0-9]{6}|close)\.tlog-proof)$/;
const TIME_TOLERANCE_MS = 2000;
const MAX_KEPT = 200;

export async function verify(objects: Objects, sums: Sums, visit: string, progress: (done: number, all: number) => void): Promise<Verdict> {
  return new Verification(objects, sums, visit, progress).run();
}

class Verification {
  private readonly broken: Broken[] = [];
  private intact = true;
  private complete = true;
  private readonly names: ReadonlySet<string>;
  private readonly known = new Set<string>(OPTIONAL);
  private readonly ledger = new Ledger((rule, where) => this.find(rule, where));
  private readonly records: Entry[] = [];
  /** Hash of each line, readable or not. */
  private readonly hashes: string[] = [];
  private readonly ends: number[] = [];
  private readonly keys = new Map<string, Uint8Array>();
  private unsure = false;
  private last = batch('records', 1);
  private covered = 0;

  constructor(
    private readonly objects: Objects,
    private readonly sums: Sums,
    private readonly visit: string,
    private readonly progress: (done: number, all: number) => void,
  ) {
    this.names = new Set(objects.names);
  }

  async run(): Promise<Verdict> {
    this.list();
    await this.readRecords();
    await this.readKeys();
    await this.readHeads();
    await this.readObjects();
    for (const name of [...this.names].sort()) if (!this.known.has(name)) this.find('LAYOUT-1', name);
    this.ledger.settle(this.hashes.length, this.last);
    if (this.ledger.closed !== null && this.covered < this.hashes.length) this.find('CLOSE-1', this.last);
    const opened = this.ledger.opened as { origin?: string } | null;
    const sm2 = this.named().some((key) => key.alg === 'sm2');
    return {
      intact: this.intact ? (this.unsure ? null : true) : false,
      complete: this.complete && this.intact ? (this.unsure ? null : true) : false,
      broken: this.broken,
      unchecked: [...(this.unsure ? (['Ed25519'] as const) : []), 'SM3', ...(sm2 ? (['SM2'] as const) : []), ...(this.names.has(PROOF) ? (['LOG'] as const) : []), ...(this.stamped() ? (['STAMP'] as const) : []), ...(MANIFEST.some((name) => this.names.has(name)) ? (['MANIFEST'] as const) : [])],
      visit: this.records[0]?.visit ?? null,
      origin: opened?.origin ?? null,
      key: this.named().find((key) => key.alg === 'ed25519')?.key ?? null,
      records: this.records,
      ledger: this.ledger,
    };
  }

  private stamped(): boolean {
    return this.names.has(CLOSE_STAMP) || this.ledger.stamps > 0;
  }

  private find(rule: string, where: string): void {
    this.complete = false;
    if (!COMPLETE_ONLY.has(rule)) this.intact = false;
    if (this.broken.length < MAX_KEPT) this.broken.push({ rule, where });
  }

  private list(): void {
    if (this.names.size !== this.objects.names.length) this.find('LAYOUT-1', '');
    for (const name of [...this.names].sort()) {
      if (SAFE.test(name)) continue;
      if (!EXTRA.test(name)) this.find(/^[A-Za-z0-9._/-]+$/.test(name) ? 'LAYOUT-1' : 'LAYOUT-4', name);
      this.known.add(name);
    }
    const most = Math.max(0, ...this.numbers('records'), ...this.numbers('heads'));
    for (let number = 1; number <= most; number += 1)
      for (const kind of ['records', 'heads']) if (!this.names.has(batch(kind, number))) this.find('LAYOUT-2', batch(kind, number));
  }

  private numbers(kind: string): number[] {
    return [...this.names]
      .filter((name) => name.startsWith(`${kind}/`) && SAFE.test(name))
      .map((name) => Number(name.slice(kind.length + 1, -6)))
      .filter((number) => number > 0)
      .sort((a, b) => a - b);
  }

  private async lines(name: string, rule: string): Promise<readonly { text: string | null; bytes: Uint8Array; where: string }[]> {
    this.known.add(name);
    const whole = await this.objects.read(name);
    if (whole === null) {
      this.find(rule, name);
      return [];
    }
    const found: { text: string | null; bytes: Uint8Array; where: string }[] = [];
    let from = 0;
    for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, from)) {
      const bytes = whole.subarray(from, at);
      found.push({ text: bytes.length > 65_536 ? null : this.sums.utf8(bytes), bytes, where: `${name}:${found.length + 1}` });
      from = at + 1;
    }
    if (from < whole.length || found.length === 0) this.find(rule, `${name}:${found.length + 1}`);
    return found;
  }

  private async readRecords(): Promise<void> {
    let before: Entry | null = null;
    let due = 0;
    for (const number of this.numbers('records')) {
      for (const { text, bytes, where } of await this.lines(batch('records', number), 'FORM-1')) {
        this.last = where;
        const value = text === null ? undefined : parseCanonical(text);
        const record = value === undefined ? null : recordOf(value);
        if (value === undefined) this.find('FORM-1', where);
        else if (record === null) this.find('FORM-2', where);
        else {
          await this.order(record, due, where);
          if (before !== null) this.time(before, record, where);
          if (bodyFits(record)) {
            this.records.push(record);
            this.ledger.feed(record, where);
          } else this.find('FORM-3', where);
        }
        this.hashes.push(await this.sums.sha256(bytes));
        due = record === null ? due + 1 : record.seq + 1;
        before = record ?? before;
      }
      this.ends.push(this.hashes.length);
    }
    if (this.hashes.length === 0) this.find('CHAIN-1', batch('records', 1));
  }

  private async order(record: Entry, due: number, where: string): Promise<void> {
    const first = this.hashes.length === 0;
    if (first && record.type !== 'open') this.find('CHAIN-1', where);
    if (record.seq !== due) this.find('CHAIN-2', where);
    const prev = this.hashes.at(-1) ?? (await this.sums.sha256(this.sums.bytes(`teleconsult-log-v1\n${record.visit}`)));
    if (record.prev !== prev) this.find('CHAIN-3', where);
    if (record.visit !== this.visit || (!first && record.type === 'open')) this.find('CHAIN-4', where);
  }

  private time(before: Entry, record: Entry, where: string): void {
    if (record.type === 'recovered') return;
    if (record.mono_us < before.mono_us) this.find('TIME-1', where);
    const wall = Date.parse(record.at) - Date.parse(before.at);
    if (Math.abs(wall - (record.mono_us - before.mono_us) / 1000) > TIME_TOLERANCE_MS) this.find('TIME-2', where);
  }

  private named(): readonly { alg: string; key: string }[] {
    const opened = this.ledger.opened as { keys?: readonly { alg: string; key: string }[] } | null;
    return opened?.keys ?? [];
  }

  private async readKeys(): Promise<void> {
    const named = this.named();
    if (this.ledger.opened === null) return;
    const of = (alg: string): number => named.filter((key) => key.alg === alg).length;
    if (of('ed25519') !== 1 || of('sm2') > 1) this.find('KEY-1', batch('records', 1));
    for (const key of named) {
      const name = `keys/${key.key}.pem`;
      this.known.add(name);
      const pem = this.names.has(name) ? await this.objects.read(name) : null;
      const spki = pem === null ? null : this.spki(pem);
      const right = spki !== null && (await this.sums.sha256(spki)) === key.key && isEd25519(spki) === (key.alg === 'ed25519');
      if (right) this.keys.set(`${key.alg} ${key.key}`, spki);
      else this.find('KEY-1', name);
    }
  }

  private spki(pem: Uint8Array): Uint8Array | null {
    const text = this.sums.utf8(pem);
    const found = text === null ? null : /^-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/.exec(text);
    return found?.[1] === undefined ? null : this.sums.base64(found[1].replace(/\s/g, ''));
  }

  private async readHeads(): Promise<void> {
    let covered = 0;
    let heads = 0;
    let where = batch('heads', 1);
    for (const number of this.numbers('heads')) {
      for (const line of await this.lines(batch('heads', number), 'HEAD-1')) {
        where = line.where;
        const value = line.text === null ? undefined : parseCanonical(line.text);
        const head = value === undefined ? null : headOf(value);
        if (head === null) {
          this.find('HEAD-1', where);
          continue;
        }
        heads += 1;
        const { statement } = head;
        const origin = (this.ledger.opened as { origin?: string } | null)?.origin;
        if (statement.visit !== (this.records[0]?.visit ?? this.visit) || statement.origin !== origin) this.find('HEAD-2', where);
        if (statement.size < covered) this.find('HEAD-3', where);
        if (statement.size > this.hashes.length) this.find('HEAD-6', where);
        else if (statement.head !== this.hashes[statement.size - 1]) this.find('HEAD-4', where);
        if (!(await this.signed(head))) this.find('HEAD-5', where);
        covered = statement.size;
      }
      const end = this.ends[number - 1];
      if (end !== undefined && covered !== end) this.find('LAYOUT-3', batch('heads', number));
    }
    if (heads === 0) this.find('HEAD-1', where);
    this.covered = covered;
    if (covered < this.hashes.length) this.find('HEAD-7', this.last);
  }

  private async signed(head: Head): Promise<boolean> {
    const due = new Set(this.named().map((key) => `${key.alg} ${key.key}`));
    const by = new Set(head.signatures.map((one) => `${one.alg} ${one.key}`));
    if (due.size === 0 || by.size !== due.size || head.signatures.length !== due.size || [...by].some((one) => !due.has(one))) return false;
    const message = this.sums.bytes(`teleconsult-head-v1\n${canonical(head.statement as never)}`);
    for (const one of head.signatures) {
      const key = this.keys.get(`${one.alg} ${one.key}`);
      const signature = this.sums.base64(one.sig);
      if (key === undefined || signature === null) return false;
      if (one.alg !== 'ed25519') continue;
      const said = await this.sums.ed25519(key, signature, message);
      if (said === false) return false;
      if (said === null) this.unsure = true;
    }
    return true;
  }

  private async readObjects(): Promise<void> {
    const all = [...this.ledger.expected.values()];
    let done = 0;
    this.progress(0, all.length);
    // A few at a time: enough to fill the line, few enough to hold in memory.
    const next = async (): Promise<void> => {
      for (let wanted = all.shift(); wanted !== undefined; wanted = all.shift()) {
        found.set(wanted.name, await this.object(wanted));
        done += 1;
        this.progress(done, this.ledger.expected.size);
      }
    };
    const found = new Map<string, string | null>();
    await Promise.all([next(), next(), next(), next()]);
    for (const { name } of this.ledger.expected.values()) {
      this.known.add(name);
      const rule = found.get(name) ?? null;
      if (rule !== null) this.find(rule, name);
    }
  }

  /** The rule this object breaks, or null. */
  private async object(wanted: Expected): Promise<string | null> {
    const bytes = this.names.has(wanted.name) ? await this.objects.read(wanted.name) : null;
    if (bytes === null) return wanted.stamp ? 'STAMP-1' : wanted.init ? 'PART-2' : 'SEG-1';
    const same = bytes.length === wanted.bytes && (await this.sums.sha256(bytes)) === wanted.sha256;
    return same ? null : wanted.stamp ? 'STAMP-1' : wanted.init ? 'PART-2' : 'SEG-2';
  }
}

function batch(kind: string, number: number): string {
  return `${kind}/${String(number).padStart(6, '0')}.jsonl`;
}

/** RFC 8410: SubjectPublicKeyInfo of Ed25519 is 44 bytes with OID 1.3.101.112. */
function isEd25519(spki: Uint8Array): boolean {
  return spki.length === 44 && [0x06, 0x03, 0x2b, 0x65, 0x70].every((byte, at) => spki[4 + at] === byte);
}
