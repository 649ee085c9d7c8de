/** The directory of a ZIP file (APPNOTE 6.3.9), read from its end: what is in it, and where. Of hostile ones only a refusal comes. */

interface Entry {
  readonly name: string;
  readonly method: number;
  /** Bytes in the archive, and when unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where its own head begins. */
  readonly head: number;
}

export const STORED = 0;
export const DEFLATED = 8;
/** The longest comment, and what stands before it. */
const TAIL = 65_535 + 22 + 20;
const LOCAL_HEAD = 30;
const MOST_ENTRIES = 100_000;

/** `bytes(from, to)` of the file; null: this is no ZIP file that can be read, or two entries have one name. */
export async function directoryOf(size: number, bytes: (from: number, to: number) => Promise<Uint8Array>, utf8: (bytes: Uint8Array) => string | null): Promise<readonly Entry[] | null> {
  const start = Math.max(0, size - TAIL);
  const tail = await bytes(start, size);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let end = tail.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) return null;
  let [length, at] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  const locator = end - 20;
  if ((at === 0xffffffff || length === 0xffffffff) && locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
    const big = new DataView((await bytes(number64(view, locator + 8), number64(view, locator + 8) + 56)).slice().buffer);
    if (big.byteLength < 56 || big.getUint32(0, true) !== 0x06064b50) return null;
    [length, at] = [number64(big, 40), number64(big, 48)];
  }
  if (at + length > size) return null;
  const entries = entriesOf(await bytes(at, at + length), utf8);
  return entries === null || new Set(entries.map((each) => each.name)).size < entries.length ? null : entries;
}

/** Where an entry's bytes begin, by its own head. */
export function beginOf(entry: Entry, head: Uint8Array): number | null {
  if (head.length < LOCAL_HEAD) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  return view.getUint32(0, true) === 0x04034b50 ? entry.head + LOCAL_HEAD + view.getUint16(26, true) + view.getUint16(28, true) : null;
}

function entriesOf(central: Uint8Array, utf8: (bytes: Uint8Array) => string | null): Entry[] | null {
  const view = new DataView(central.buffer, central.byteOffset, central.length);
  const found: Entry[] = [];
  for (let at = 0; at + 46 <= central.length && view.getUint32(at, true) === 0x02014b50 && found.length < MOST_ENTRIES; ) {
    const [name, extra, comment] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    const next = at + 46 + name + extra + comment;
    if (next > central.length) return null;
    const path = utf8(central.subarray(at + 46, at + 46 + name));
    const plain = { size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true), head: view.getUint32(at + 42, true) };
    const place = zip64(view, at + 46 + name, extra, plain);
    if (place === null || path === null) return null;
    if (!path.endsWith('/')) found.push({ name: path, method: view.getUint16(at + 10, true), ...place });
    at = next;
  }
  return found;
}

/** Numbers that do not fit stand in the extra field 1, in this order. */
function zip64(view: DataView, from: number, length: number, plain: { size: number; packed: number; head: number }): typeof plain | null {
  const wide = { ...plain };
  const missing = (['size', 'packed', 'head'] as const).filter((name) => plain[name] === 0xffffffff);
  if (missing.length === 0) return wide;
  for (let at = from; at + 4 <= from + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1 || view.getUint16(at + 2, true) < missing.length * 8) continue;
    missing.forEach((name, n) => (wide[name] = number64(view, at + 4 + n * 8)));
    return wide;
  }
  return null;
}

function number64(view: DataView, at: number): number {
  return at + 8 <= view.byteLength ? Number(view.getBigUint64(at, true)) : Number.MAX_SAFE_INTEGER;
}
