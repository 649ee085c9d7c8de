/** A bundle from this machine's disk: a folder, or the archive of an export, read where it lies. Nothing of it leaves the page. */
import type { Bundle } from '../core/audit';
import type { Expected } from '../core/ledger';
import { sums } from './sums';
import { DEFLATED, STORED, beginOf, directoryOf } from '../core/zip';

const RECORDS = 'records/000001.jsonl';
const LITTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini)$/;
const KEYS = /^[^/]+\.keys\.json$/;
const MOST_KEYS = 1 << 20;
/** The most an unpacked object may have (FORMAT.md §2). */
const MOST_BYTES = 16 << 20;

/** Each file by its path; null where it cannot be read. */
type Files = ReadonlyMap<string, () => Promise<Blob | null>>;

export interface OpenedBundle extends Bundle {
  /** An object's content: opened, if it is sealed and the keys are there; null if it cannot be seen. */
  content(wanted: Expected): Promise<Blob | null>;
}

/** What was chosen: one archive, or the files of a folder. Null: there is no bundle in it. */
export async function bundleOf(chosen: readonly File[]): Promise<OpenedBundle | null> {
  const [only] = chosen;
  const files = chosen.length === 1 && only !== undefined && !only.webkitRelativePath ? await unzipped(only) : folder(chosen);
  const root = [...files.keys()].filter((name) => name.endsWith(RECORDS)).sort((a, b) => a.length - b.length)[0]?.slice(0, -RECORDS.length);
  if (root === undefined) return null;
  const names = [...files.keys()].filter((name) => name.startsWith(root) && !LITTER.test(name)).map((name) => name.slice(root.length));
  const blob = async (name: string): Promise<Blob | null> => (await files.get(root + name)?.()) ?? null;
  const read = async (name: string): Promise<Uint8Array | null> => {
    const held = await blob(name);
    return held === null ? null : new Uint8Array(await held.arrayBuffer());
  };
  const visit = visitOf(await read(RECORDS));
  const beside = [...files.keys()].filter((name) => !name.startsWith(root === '' ? '/' : root) && KEYS.test(name.split('/').at(-1) ?? ''))[0];
  const keys = beside === undefined ? null : ((await files.get(beside)?.()) ?? null);
  return {
    names,
    visit,
    keys: keys !== null,
    read,
    content: async (wanted) => {
      const held = await blob(wanted.name);
      if (held === null || wanted.sealed === null) return held;
      if (keys === null || keys.size > MOST_KEYS) return null;
      const { unsealed } = await import('./unseal');
      return unsealed(held, `${visit}/${wanted.name}`, wanted.sealed, await keys.text());
    },
  };
}

function folder(chosen: readonly File[]): Files {
  return new Map(chosen.map((file) => [file.webkitRelativePath, () => Promise.resolve(file)]));
}

async function unzipped(file: File): Promise<Files> {
  const bytes = async (from: number, to: number): Promise<Uint8Array> => new Uint8Array(await file.slice(from, to).arrayBuffer());
  const entries = (await directoryOf(file.size, bytes, sums.utf8)) ?? [];
  return new Map(
    entries.map((entry) => [
      entry.name,
      async () => {
        const begin = beginOf(entry, await bytes(entry.head, entry.head + 30));
        if (begin === null || entry.size > MOST_BYTES) return null;
        const packed = file.slice(begin, begin + entry.packed);
        if (entry.method === STORED) return packed;
        return entry.method === DEFLATED ? inflated(packed, entry.size) : null;
      },
    ]),
  );
}

/** Unpacked, and no more of it than was said. */
async function inflated(packed: Blob, size: number): Promise<Blob | null> {
  if (typeof DecompressionStream === 'undefined') return null;
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  try {
    for (let got = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return got === size ? new Blob(pieces) : null;
      got += value.length;
      if (got > size) return null;
      pieces.push(value);
    }
  } catch {
    return null;
  }
}

function visitOf(records: Uint8Array | null): string {
  try {
    const line = new TextDecoder().decode(records ?? new Uint8Array()).split('\n', 1)[0] ?? '';
    const visit = (JSON.parse(line) as { visit?: unknown }).visit;
    return typeof visit === 'string' ? visit.slice(0, 64) : '';
  } catch {
    return '';
  }
}
